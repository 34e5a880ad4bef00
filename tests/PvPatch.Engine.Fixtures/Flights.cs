using System.Runtime.CompilerServices;

namespace PvPatch.Engine.Fixtures;

/// <summary>Loops that a thread can be in while they are patched.</summary>
public static unsafe class Flights
{
    /// <summary>Calls its site until it is told to stop.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Until(long a, Func<long, bool> isDone)
    {
        long rounds = 0;
        for (; !isDone(rounds); rounds++)
            a = Pv.Math.Negate(a);
        return rounds;
    }
}
