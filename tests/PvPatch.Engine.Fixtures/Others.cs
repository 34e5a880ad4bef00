namespace PvPatch.Engine.Fixtures;

/// <summary>Targets that a test switches to: none gives what its counterpart in <see cref="Native"/> gives.</summary>
internal static unsafe class Others
{
    internal static long Add(long a, long b) => a - b + 7;

    internal static long Negate(long a) => (a * -5) - 1;

    internal static void Bump(long* counter) => *counter += 10;
}
