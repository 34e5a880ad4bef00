using System.Collections.Concurrent;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using PvPatch.Engine.Ops;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.IndirectCalls;

/// <summary>What a slot holds or is to hold.</summary>
/// <param name="Slot">The slot.</param>
/// <param name="Target">What is called through it.</param>
/// <param name="Entry">Address of the target's entry; 0 where it is still to be made.</param>
internal sealed record Installation(Slot Slot, PvTarget Target, nint Entry = 0);

/// <summary>One slot in memory: its place, and what the table put there.</summary>
internal sealed class Slot
{
    private readonly SlotPlaces _places;
    private readonly int _index;
    private nint _written;

    /// <summary>Finds the slot of an op. Nothing is written yet.</summary>
    /// <param name="op">The op.</param>
    /// <param name="places">Where the slots of its table are.</param>
    /// <param name="index">The op's place among them.</param>
    /// <exception cref="PatchException">
    /// <see cref="PatchError.UnsupportedRoot"/>: there is no object on the way or no such element, or the slot lies across
    /// two words; <see cref="PatchError.UnsupportedSignature"/>.
    /// </exception>
    /// <param name="signature">What it takes and returns.</param>
    /// <param name="entries">Entries made so far for slots like it.</param>
    public Slot(PvOp op, SlotPlaces places, int index, SlotSignature signature, ConcurrentDictionary<PvTarget, nint> entries)
    {
        Op = op;
        Signature = signature;
        Entries = entries;
        _places = places;
        _index = index;
        try
        {
            if (!IsAligned(ref Place))
                throw Nowhere("it is not aligned, so that it cannot be written at once");
        }
        catch (NullReferenceException)
        {
            throw Nowhere("a field on the way to it is null");
        }
        catch (IndexOutOfRangeException)
        {
            throw Nowhere("the array is shorter");
        }
        catch (TypeInitializationException e)
        {
            throw Nowhere($"{e.TypeName} cannot be initialised: {e.InnerException?.Message ?? e.Message}");
        }

        PatchException Nowhere(string why) => new(PatchError.UnsupportedRoot, $"{op.Name} has no place at {op.Place}: {why}.") { Op = op.Name };
    }

    /// <summary>The op.</summary>
    public PvOp Op { get; }

    /// <summary>What it takes and returns.</summary>
    public SlotSignature Signature { get; }

    /// <summary>Addresses of the unmanaged entries made so far, which live as long as the slot: each target gets one.</summary>
    public ConcurrentDictionary<PvTarget, nint> Entries { get; }

    /// <summary>What the table installed.</summary>
    public PvTarget Target { get; private set; } = PvTarget.Missing;

    /// <summary>Whether someone else wrote the slot after the table did.</summary>
    public bool WrittenByHand
    {
        get
        {
            try
            {
                return Volatile.Read(ref Place) != _written;
            }
            catch (NullReferenceException)
            {
                return true; // someone took the object away that it is in
            }
        }
    }

    /// <summary>What the slot holds and why, to be put back later.</summary>
    public Installation State => new(this, Target, _written);

    private ref nint Place => ref _places[_index];

    /// <summary>Writes the code that pushes the slot's address.</summary>
    public void EmitAddress(ILGenerator il) => _places.EmitAddress(il, Op, _index);

    /// <summary>Writes the slot.</summary>
    /// <param name="target">What is installed.</param>
    /// <param name="entry">Address of its entry.</param>
    public void Write(PvTarget target, nint entry)
    {
        // SAFETY: the entry was emitted from this slot's own signature, and its code lives as long as the slot's class
        // (SlotEntries.Keep). One aligned store: a call on another thread goes through the old entry or the new one.
        Target = target;
        _written = entry;
        Volatile.Write(ref Place, entry);
    }

    /// <summary>Whether a store to the slot is one store.</summary>
    private static unsafe bool IsAligned(ref nint place)
    {
        // SAFETY: the number is only looked at; an object that moves keeps its alignment.
        return (nint)Unsafe.AsPointer(ref place) % sizeof(nint) == 0;
    }
}
