using System.Diagnostics;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.Interpreter;
using PvPatch.Oracle.Cases;
using PvPatch.Oracle.Emulation;
using PvPatch.Oracle.Generation;
using PvPatch.Oracle.Judgement;
using PvPatch.Oracle.Native;
using PvPatch.Oracle.Shrinking;

namespace PvPatch.Oracle;

/// <summary>
/// Judges the emulator by the host's processor: random instructions and sequences with random states run on both, and all that
/// the manuals define is compared. What differs is shrunk. One instance is used by one thread.
/// </summary>
public sealed class Fuzzer : IDisposable
{
    private readonly HostOracle _host;
    private readonly EmulatedOracle _emulator;

    private Fuzzer(HostOracle host, ExecutionTier tier)
    {
        _host = host;
        _emulator = new EmulatedOracle(tier);
    }

    /// <summary>Starts the helper process, or says in a sentence why the host can't be the judge.</summary>
    /// <param name="reason">The sentence.</param>
    /// <param name="tier">What executes the cases in the emulator.</param>
    public static Fuzzer? TryStart(out string reason, ExecutionTier tier = ExecutionTier.Interpreted) =>
        HostOracle.TryStart(out reason) is { } host ? new Fuzzer(host, tier) : null;

    /// <summary>Makes cases and compares, until the options or the token say that it is enough.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="progress">Called after each batch of some hundred cases.</param>
    /// <param name="cancellation">Ends the run between two batches.</param>
    /// <exception cref="IOException">The helper process ended or does not answer.</exception>
    public FuzzSummary Run(FuzzOptions options, Action<FuzzSummary>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        (List<Code> forms, SortedDictionary<string, int> skipped) = ChooseForms(options.Only);
        var random = new CaseRandom(options.Seed);
        var run = new FuzzRun(options, _emulator, new CaseGenerator(random, forms), new SequenceGenerator(random, forms), random);
        var differences = new List<FuzzDifference>();
        var known = new HashSet<Code>();
        var summary = new FuzzSummary(0, 0, forms.Count, skipped, 0, differences);
        long start = Stopwatch.GetTimestamp();
        while (forms.Count > 0 && !IsEnough(options, summary, start) && !cancellation.IsCancellationRequested)
        {
            List<JudgedCase> batch = run.NextBatch(Math.Min(CaseLayout.MostCases, (options.Cases ?? long.MaxValue) - summary.Cases));
            MachineCase[] results = _host.Run([.. batch.Select(judged => judged.Given)]);
            int sequences = batch.Count(judged => judged.Sequence != null);
            summary = summary with { Instructions = summary.Instructions + batch.Count - sequences, Sequences = summary.Sequences + sequences };
            for (int i = 0; i < results.Length; i++)
            {
                if (CaseComparison.Difference(batch[i].Given, results[i], batch[i].Emulated) is null)
                    continue;
                summary = summary with { Differing = summary.Differing + 1 };
                if (differences.Count < options.MostDifferences && (batch[i].Sequence != null || known.Add(batch[i].Given.Single.Code)))
                    differences.Add(Shrink(batch[i]));
            }

            progress?.Invoke(summary);
        }

        return summary;
    }

    /// <summary>Ends the helper process.</summary>
    public void Dispose()
    {
        _host.Dispose();
        _emulator.Dispose();
    }

    private static (List<Code> Forms, SortedDictionary<string, int> Skipped) ChooseForms(string only)
    {
        var forms = new List<Code>();
        var skipped = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (Code code in InstructionTable.Supported.Where(code => code.ToString().StartsWith(only, StringComparison.OrdinalIgnoreCase)))
        {
            string? reason = WhyNot(code);
            if (reason is null)
                forms.Add(code);
            else
                skipped[reason] = skipped.GetValueOrDefault(reason) + 1;
        }

        return (forms, skipped);
    }

    private static string? WhyNot(Code code) =>
        UndefinedResults.WhyNot(code) ?? (HostFeatures.Missing(code) is { } feature ? $"the host has no {feature}" : null);

    private static bool IsEnough(FuzzOptions options, FuzzSummary summary, long start) =>
        summary.Cases >= options.Cases || Stopwatch.GetElapsedTime(start) >= options.Duration || summary.Differences.Count >= options.MostDifferences;

    private FuzzDifference Shrink(JudgedCase judged)
    {
        var cases = new CaseShrinker(_host, _emulator);
        MachineCase shortest = judged.Sequence is { } sequence ? new SequenceShrinker(cases).Shrink(sequence, judged.Given) : judged.Given;
        MachineCase smallest = cases.ShrinkState(shortest);
        MachineCase host = _host.Run([smallest])[0];
        string what = CaseComparison.Difference(smallest, host, _emulator.Run(smallest)) ?? " it differs only now and then;";
        return new FuzzDifference(string.Join("; ", smallest.Instructions), what.Trim(), CaseLine.Format(smallest, host));
    }
}
