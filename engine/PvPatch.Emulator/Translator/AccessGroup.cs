using System.Reflection.Emit;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Accesses of a region, one behind the other, whose addresses differ by constants, few bytes apart. The TLB is asked for all of them at the first
/// one: it serves them if it serves the bytes from the lowest to the highest.
/// </summary>
/// <param name="number">What all addresses are counted from: equal numbers, equal addresses.</param>
/// <param name="index">What is added to that, times the scale.</param>
/// <param name="scale">The scale, 0 without an index.</param>
internal sealed class AccessGroup(int number, int index, int scale)
{
    /// <summary>The lowest byte that is accessed, from what addresses are counted from.</summary>
    public long Low { get; private set; }

    /// <summary>The byte behind the highest one.</summary>
    public long High { get; private set; }

    /// <summary>How many accesses there are.</summary>
    public int Count { get; private set; }

    /// <summary>Whether some write.</summary>
    public bool Writes { get; private set; }

    /// <summary>Whether they are likely near the top of the stack.</summary>
    public bool IsOnStack { get; private set; }

    /// <summary>Whether one is a step along a list or a tree.</summary>
    public bool IsOfChain { get; set; }

    /// <summary>Bytes from the lowest to the highest.</summary>
    public int Size => (int)(High - Low);

    /// <summary>The host address of the lowest byte, once code was written that finds it.</summary>
    public LocalBuilder? Host { get; set; }

    /// <summary>Places within 16 bytes, a bit each, at which an access was found to be aligned.</summary>
    public int Aligned { get; set; }

    /// <summary>Whether an address is counted from the same.</summary>
    public bool IsOf(int otherNumber, int otherIndex, int otherScale) => number == otherNumber && index == otherIndex && scale == otherScale;

    /// <summary>Whether an access can join.</summary>
    /// <param name="offset">Where it starts.</param>
    /// <param name="size">Its bytes.</param>
    /// <param name="most">The most bytes that the group may extend over.</param>
    public bool HasRoomFor(long offset, int size, int most) => Math.Max(High, offset + size) - Math.Min(Low, offset) <= most;

    /// <summary>An access joins.</summary>
    public void Add(long offset, int size, bool writes, bool isOnStack)
    {
        Low = Count == 0 ? offset : Math.Min(Low, offset);
        High = Count == 0 ? offset + size : Math.Max(High, offset + size);
        Writes |= writes;
        IsOnStack |= isOnStack;
        Count++;
    }
}

/// <summary>An access that is in a group.</summary>
/// <param name="Group">The group.</param>
/// <param name="Offset">Where it starts, from what the group's addresses are counted from.</param>
/// <param name="IsFirst">Whether it is the group's first one.</param>
internal sealed record GroupedAccess(AccessGroup Group, long Offset, bool IsFirst);
