using System.Globalization;
using PvPatch.Engine.IndirectCalls;

namespace PvPatch.Engine.Tests;

/// <summary>The processes that tests start: one that dies of a missing op, and those that need a runtime of their own.</summary>
internal static class Program
{
    private static int Main(string[] arguments) => arguments switch
    {
        ["missing-op"] => CallMissingOp(),
        ["missing-in-image", var fixture] => (int)PatchedCalls.FixtureProgram.Of(fixture).Patched.GetType("PvPatch.Engine.Fixtures.Refusals", throwOnError: true)!
            .GetMethod("Missing_Metadata")!.CreateDelegate<Func<long, long>>()(-1),
        ["machine-code"] => PatchedCalls.PairProgram.RunAll(),
        ["in-place"] => PatchedCalls.InPlace.WholeProgram.RunAll(),
        ["endurance", var loading] => PatchedCalls.InPlace.EnduranceTests.ApplyAndRestore(Enum.Parse<PatchedCalls.InPlace.Loading>(loading)),
        ["late", "tier0"] => PatchedCalls.Late.HotProgram.PatchAndRestore(isHot: false),
        ["late", "tier1"] => PatchedCalls.Late.HotProgram.PatchAndRestore(isHot: true),
        ["late", "tier-up"] => PatchedCalls.Late.HotProgram.PatchAndTierUp(isSwitchable: false),
        ["late", "tier-up-switchable"] => PatchedCalls.Late.HotProgram.PatchAndTierUp(isSwitchable: true),
        ["late", "hammer"] => PatchedCalls.Late.HotProgram.Hammer(toggles: 100),
        ["switch", var state] => PatchedCalls.Switching.SwitchStress.Run(isHot: state is "hot"),
        ["inlined", var state] => PatchedCalls.Late.InlinedProgram.PatchAndTell(isHot: state is "hot", redirects: true),
        ["inlined-in-place", var state] => PatchedCalls.Late.InlinedProgram.PatchAndTell(isHot: state is "hot", redirects: false),
        ["random", var seed, var count] =>
            PatchedCalls.RandomProgram.RunAll(int.Parse(seed, CultureInfo.InvariantCulture), int.Parse(count, CultureInfo.InvariantCulture)),
        ["inlined-twice"] => PatchedCalls.Late.InlinedProgram.PatchTwice(),
        ["diagnosis-example", var way] => Diagnosis.Sum.Run(redirects: way is "late"),
        ["diagnosis", var state] => Diagnosis.DiagnosedProgram.Run(state),
        _ => throw new ArgumentException($"No such part: {string.Join(' ', arguments)}.", nameof(arguments)),
    };

    private static unsafe int CallMissingOp()
    {
        _ = new PvOpTable(typeof(IndirectCalls.SampleTable));
        return (int)IndirectCalls.SampleTable.Twice(1);
    }
}
