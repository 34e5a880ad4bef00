using PvPatch.Engine.Ops;

namespace PvPatch.Engine.Tests.PatchedCalls.Emitted;

/// <summary>Slots that no static field leads to.</summary>
internal unsafe struct EmittedSlots
{
    [PvOp("emitted.note")]
    public delegate* unmanaged<long, void> Note;

    [PvOp("emitted.same")]
    public delegate* unmanaged<ulong, ulong> Same;

    [PvOp("emitted.add")]
    public delegate* unmanaged<long, long, long> Add;

    [PvOp("emitted.narrow")]
    public delegate* unmanaged<sbyte> Narrow;

    [PvOp("emitted.real")]
    public delegate* unmanaged<double> Real;

    [PvOp("emitted.truth")]
    public delegate* unmanaged<bool, bool> Truth;

    [PvOp("emitted.managed")]
    public delegate* managed<long, long> Managed;

    [PvOp("emitted.first", PvOpClass.SimpleIndirectCall)]
    public delegate* unmanaged<bool, bool> First;
}

/// <summary>What they hold.</summary>
internal static class EmittedTargets
{
    public static void Note(long value) => GC.KeepAlive(value);

    public static bool Not(bool value) => !value;

    public static long Subtract(long a, long b) => a - b;

    /// <summary>Has a branch and a variable.</summary>
    public static long Greater(long a, long b)
    {
        long greatest = a;
        if (b > greatest)
            greatest = b;
        return greatest;
    }

    /// <summary>Has a protected region, so that it can stand nowhere else.</summary>
    public static long Guarded(long a, long b)
    {
        try
        {
            return checked(a + b);
        }
        catch (OverflowException)
        {
            return 0;
        }
    }

    /// <summary>Has a switch.</summary>
    public static long Switched(long a) => a switch { 0 => 4, 1 => 9, 2 => 8, 3 => -1, 9 => 77, _ => 0 };
}
