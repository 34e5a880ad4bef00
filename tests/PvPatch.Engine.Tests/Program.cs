using PvPatch.Engine.IndirectCalls;

namespace PvPatch.Engine.Tests;

/// <summary>The processes that tests start: one that dies of a missing op, and those that need a runtime of their own.</summary>
internal static class Program
{
    private static int Main(string[] arguments) => arguments switch
    {
        ["missing-op"] => CallMissingOp(),
        ["in-place"] => PatchedCalls.InPlace.WholeProgram.RunAll(),
        _ => throw new ArgumentException($"No such part: {string.Join(' ', arguments)}.", nameof(arguments)),
    };

    private static unsafe int CallMissingOp()
    {
        _ = new PvOpTable(typeof(IndirectCalls.SampleTable));
        return (int)IndirectCalls.SampleTable.Twice(1);
    }
}
