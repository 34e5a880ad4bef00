using System.Globalization;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using PvPatch.Oracle.Cases;
using PvPatch.Oracle.Generation;
using PvPatch.Oracle.Judgement;

namespace PvPatch.Emulator.Tests.Unicorn;

/// <summary>
/// Unicorn is the second oracle, where the host has it: cases do in the emulator what they do there. PVPATCH_FUZZ_SEED gives other
/// cases, PVPATCH_FUZZ_CASES more of them.
/// </summary>
public sealed class UnicornOracleTests
{
    [Test]
    public void Recorded_cases_do_what_they_do_in_Unicorn()
    {
        string folder = Path.Combine(TestContext.CurrentContext.TestDirectory, "Cases");
        Judge(Directory.EnumerateFiles(folder, "*.txt").Order(StringComparer.Ordinal)
            .SelectMany(File.ReadLines)
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => CaseLine.Parse(line).Given)
            .Where(given => given.Instructions.Count == 1));
    }

    [Test]
    public void Random_instructions_do_what_they_do_in_Unicorn()
    {
        // Not a random seed: Unicorn has rare mistakes of its own, which are no one's change.
        int seed = int.TryParse(Environment.GetEnvironmentVariable("PVPATCH_FUZZ_SEED"), CultureInfo.InvariantCulture, out int wanted) ? wanted : 1;
        int count = int.TryParse(Environment.GetEnvironmentVariable("PVPATCH_FUZZ_CASES"), CultureInfo.InvariantCulture, out int more) ? more : 10_000;
        TestContext.Out.WriteLine($"seed {seed}");
        Code[] forms = [.. InstructionTable.Supported.Where(code => UndefinedResults.WhyNot(code) is null)];
        var generator = new CaseGenerator(new CaseRandom(seed), forms);
        Judge(Enumerable.Range(0, count).Select(_ => generator.Next()));
    }

    private static void Judge(IEnumerable<MachineCase> cases)
    {
        if (!UnicornLibrary.IsInstalled())
            Assert.Ignore("libunicorn.so.2 (Debian: libunicorn2) is not installed");
        using var comparison = new UnicornComparison();
        foreach (MachineCase given in cases)
            comparison.Compare(given);
        TestContext.Out.WriteLine(
            $"Unicorn {UnicornOracle.Version}: {comparison.Compared} cases compared, {comparison.Faults} of them faults, {comparison.Differences.Count} differences");
        foreach ((string reason, int count) in comparison.LeftOut)
            TestContext.Out.WriteLine($"{count} left out: {reason}");
        Assert.That(comparison.Differences, Is.Empty, () => string.Join(Environment.NewLine, comparison.Differences));
    }
}
