using System.Globalization;
using PvPatch.Emulator.Interpreter;

namespace PvPatch.Emulator.Tests.Firmware;

/// <summary>
/// Random system cases must end as they do in Bochs, interpreted and translated. PVPATCH_FUZZ_SEED repeats a run, PVPATCH_SYSTEM_CASES makes it longer,
/// PVPATCH_SYSTEM_RECORD names a file to which what Bochs judged is written as lines for Cases/System.
/// </summary>
public sealed class SystemFuzzTests
{
    private const int Cases = 400;
    private const int Shown = 20;

    [Test]
    public void Random_system_cases_end_as_in_Bochs()
    {
        int seed = Number("PVPATCH_FUZZ_SEED") ?? Random.Shared.Next();
        var generator = new SystemGenerator(seed);
        Compare($"seed {seed}", [.. Enumerable.Range(0, Number("PVPATCH_SYSTEM_CASES") ?? Cases).Select(_ => generator.Next())]);
    }

    [Test]
    public void Privileged_instructions_at_every_level_of_every_mode_end_as_in_Bochs() => Compare("all", [.. PrivilegedCases.All()]);

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number) ? number : null;

    private static void Compare(string which, List<SystemCase> cases)
    {
        if (BochsPc.Program is not { } program)
        {
            Assert.Ignore("Bochs is not installed; what it judged before is checked by the lines in Cases/System.");
            return;
        }

        List<SystemResult?> judged = BochsPc.Run(program, cases);
        string[] differing = [.. new[] { ExecutionTier.Interpreted, ExecutionTier.Translated }.SelectMany(tier => Differing(cases, judged, tier))];
        if (Environment.GetEnvironmentVariable("PVPATCH_SYSTEM_RECORD") is { } record)
            File.WriteAllLines(record, Enumerable.Range(0, cases.Count).Where(i => judged[i] != null).Select(i => SystemCaseText.Format(cases[i], judged[i]!)));
        TestContext.Out.WriteLine($"{which}: {cases.Count} cases, {judged.Count(result => result == null)} in which Bochs hangs, {differing.Length} differences");
        Assert.That(differing, Is.Empty, () => string.Join('\n', differing.Take(Shown)));
    }

    private static IEnumerable<string> Differing(List<SystemCase> cases, List<SystemResult?> judged, ExecutionTier tier)
    {
        using var pc = new EmulatedPc(cases, tier);
        List<SystemResult> ours = SystemResult.Parse(cases, pc.Run());
        return
        [
            .. Enumerable.Range(0, cases.Count)
                .Where(i => judged[i] is { } judge && SystemCaseText.FormatResult(cases[i], judge) != SystemCaseText.FormatResult(cases[i], ours[i]))
                .Select(i => $"{SystemCaseText.Format(cases[i], judged[i]!)}\n  {tier} {SystemCaseText.FormatResult(cases[i], ours[i])}"),
        ];
    }
}
