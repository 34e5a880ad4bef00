using System.Runtime.InteropServices;
using Iced.Intel;

namespace PvPatch.Emulator.Tests.Oracle;

/// <summary>
/// The host CPU is the oracle: random instructions must do here what they do there. PVPATCH_FUZZ_SEED repeats a run,
/// PVPATCH_FUZZ_CASES makes it longer, PVPATCH_FUZZ_ONLY keeps to forms whose name starts so. What differs is shrunk and
/// printed as a line for a file in Cases.
/// </summary>
public sealed class HostOracleTests
{
    private const int Cases = 200_000;
    private const int MostReports = 20;

    [Test]
    public void Random_instructions_do_what_they_do_on_the_host()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            Assert.Ignore("the host is not Linux on x86-64");
            return;
        }

        using HostOracle? host = HostOracle.TryStart(out string reason);
        if (host == null)
        {
            Assert.Ignore(reason);
            return;
        }

        int seed = int.TryParse(Environment.GetEnvironmentVariable("PVPATCH_FUZZ_SEED"), out int given) ? given : Random.Shared.Next();
        int count = int.TryParse(Environment.GetEnvironmentVariable("PVPATCH_FUZZ_CASES"), out int wanted) ? wanted : Cases;
        string only = Environment.GetEnvironmentVariable("PVPATCH_FUZZ_ONLY") ?? string.Empty;
        TestContext.Out.WriteLine($"seed {seed}, {count} cases");

        using var emulator = new EmulatedOracle();
        var generator = new CaseGenerator(seed, code =>
            HostFeatures.Has(code) && UndefinedResults.CanJudge(code) && code.ToString().StartsWith(only, StringComparison.Ordinal));
        var reports = new SortedDictionary<string, string>(StringComparer.Ordinal);
        int differing = 0;
        for (int done = 0; done < count; done += CaseLayout.MostCases)
        {
            List<Judged> batch = NextBatch(generator, emulator);
            MachineCase[] results = host.Run([.. batch.Select(b => b.Given)]);
            for (int i = 0; i < results.Length; i++)
            {
                Judged judged = batch[i];
                string? difference = CaseComparison.Difference(judged.Given, judged.Instruction, results[i], judged.Emulated);
                if (difference == null)
                    continue;
                differing++;
                string form = judged.Instruction.Code.ToString();
                if (reports.Count < MostReports && !reports.ContainsKey(form))
                    reports.Add(form, $"{form} {judged.Instruction}:{difference}{Environment.NewLine}  {CaseShrinker.Shrink(judged.Given, judged.Instruction, host, emulator)}");
            }
        }

        TestContext.Out.WriteLine($"{generator.Codes.Count} forms, {differing} differences");
        Assert.That(reports, Is.Empty, () => string.Join(Environment.NewLine, reports.Values));
    }

    /// <summary>Makes cases and emulates them first: one that reaches for the helper's own pages is no case.</summary>
    private static List<Judged> NextBatch(CaseGenerator generator, EmulatedOracle emulator)
    {
        var batch = new List<Judged>(CaseLayout.MostCases);
        while (batch.Count < CaseLayout.MostCases)
        {
            (MachineCase state, Instruction instruction) = generator.Next();
            MachineCase emulated = emulator.Run(state);
            bool reachesHelper = emulated.Vector == 14 && CaseLayout.BelongsToHelper(emulated.Cr2);
            if (!reachesHelper && !CaseLayout.BelongsToHelper(emulated.General[4]))
                batch.Add(new Judged(state, instruction, emulated));
        }

        return batch;
    }

    private sealed record Judged(MachineCase Given, Instruction Instruction, MachineCase Emulated);
}
