using System.Globalization;
using PvPatch.Emulator.Interpreter;
using PvPatch.Oracle;

namespace PvPatch.Emulator.Tests.Oracle;

/// <summary>
/// The host CPU is the oracle: random instructions must do here what they do there. PVPATCH_FUZZ_SEED repeats a run,
/// PVPATCH_FUZZ_CASES makes it longer, PVPATCH_FUZZ_ONLY keeps to forms whose name starts so. What differs is shrunk and
/// printed as a line for a file in Cases.
/// </summary>
public sealed class HostOracleTests
{
    [Test]
    public void Random_instructions_do_what_they_do_on_the_host() => Compare(200_000, sequencePercent: 0, ExecutionTier.Interpreted);

    [Test]
    public void Random_sequences_do_what_they_do_on_the_host() => Compare(20_000, sequencePercent: 100, ExecutionTier.Interpreted);

    [Test]
    public void Random_instructions_translated_do_what_they_do_on_the_host() => Compare(10_000, sequencePercent: 0, ExecutionTier.Translated);

    [Test]
    public void Random_sequences_translated_do_what_they_do_on_the_host() => Compare(2_000, sequencePercent: 100, ExecutionTier.Translated);

    private static void Compare(long cases, int sequencePercent, ExecutionTier tier)
    {
        using var fuzzer = Fuzzer.TryStart(out string reason, tier);
        if (fuzzer == null)
        {
            Assert.Ignore(reason);
            return;
        }

        var options = new FuzzOptions
        {
            Seed = int.TryParse(Environment.GetEnvironmentVariable("PVPATCH_FUZZ_SEED"), CultureInfo.InvariantCulture, out int seed) ? seed : Random.Shared.Next(),
            Cases = long.TryParse(Environment.GetEnvironmentVariable("PVPATCH_FUZZ_CASES"), CultureInfo.InvariantCulture, out long wanted) ? wanted : cases,
            SequencePercent = sequencePercent,
            Only = Environment.GetEnvironmentVariable("PVPATCH_FUZZ_ONLY") ?? string.Empty,
        };
        FuzzSummary summary = fuzzer.Run(options);
        TestContext.Out.WriteLine($"seed {options.Seed}, {summary.Cases} cases of {summary.Forms} forms, {summary.Differing} differences");
        foreach ((string why, int count) in summary.Skipped)
            TestContext.Out.WriteLine($"{count} forms skipped: {why}");
        Assert.That(summary.Differences, Is.Empty, () =>
            string.Join(Environment.NewLine, summary.Differences.Select(d => $"{d.Code}: {d.What}{Environment.NewLine}  {d.Line}")));
    }
}
