using PvPatch.Engine.IndirectCalls;

namespace PvPatch.Engine.Tests;

/// <summary>The process that a test lets die: it calls an op that nothing was installed for.</summary>
internal static class Program
{
    private static unsafe int Main()
    {
        _ = new PvOpTable(typeof(IndirectCalls.SampleTable));
        return (int)IndirectCalls.SampleTable.Twice(1);
    }
}
