using PvPatch.Engine.Ops;
using PvPatch.Engine.Tests.PatchedCalls.InPlace;

namespace PvPatch.Engine.Tests.PatchedCalls.Switching;

/// <summary>What a fixture's table is switched between.</summary>
internal static class TargetSets
{
    /// <summary>The sets, with targets that are methods of the program's own copy.</summary>
    public static IReadOnlyList<KeyValuePair<string, PvTarget>[]> Of(LoadedProgram program)
    {
        Type native = program.Assembly.GetType("PvPatch.Engine.Fixtures.Native", throwOnError: true)!;
        Type others = program.Assembly.GetType("PvPatch.Engine.Fixtures.Others", throwOnError: true)!;
        return
        [
            [
                new("math.add", PvTarget.Method(native, "Add")), new("math.negate", PvTarget.Method(native, "Negate")),
                new("math.bump", PvTarget.Method(native, "Bump")), new("small.seven", PvTarget.Constant(7)),
            ],
            [
                new("math.add", PvTarget.Method(others, "Add")), new("math.negate", PvTarget.Method(others, "Negate")),
                new("math.bump", PvTarget.Method(others, "Bump")), new("small.seven", PvTarget.Constant(8)),
            ],
            [
                new("math.add", PvTarget.Constant(0x123456789)), new("math.negate", PvTarget.Constant(-9)),
                new("math.bump", PvTarget.Nop), new("small.seven", PvTarget.Constant(-1)),
            ],
        ];
    }
}
