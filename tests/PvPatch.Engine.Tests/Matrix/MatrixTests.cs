using System.Collections.Concurrent;

namespace PvPatch.Engine.Tests.Matrix;

/// <summary>Every kind of method, patched in each way and in each state. The names hold the verdicts.</summary>
internal sealed class MatrixTests
{
    private static readonly ConcurrentDictionary<(string Way, string State), Lazy<Task<MatrixRun>>> Runs = new();

    private static IEnumerable<TestCaseData> Cells => VerdictTable.Ways.SelectMany(way => VerdictTable.States.Select(state =>
        new TestCaseData(way, state).SetName($"Patched {way} when {state} every value is right and every report is true")));

    private static IEnumerable<TestCaseData> Verdicts => VerdictTable.IsRewritten ? [] : VerdictTable.Rows.Select(row =>
        new TestCaseData(row.Way, row.State, row.Kind, row.Verdict).SetName($"{row.Kind} patched {row.Way} when {row.State} is {row.Verdict}"));

    [TestCaseSource(nameof(Cells))]
    [CancelAfter(Patience.Milliseconds)]
    public async Task Cell(string way, string state, CancellationToken cancel)
    {
        MatrixRun run = await RunOf(way, state, cancel);
        TestContext.Out.WriteLine(run.Counts);
        Assert.That(run.Mistakes, Is.Empty);
    }

    [TestCaseSource(nameof(Verdicts))]
    [CancelAfter(Patience.Milliseconds)]
    public async Task Verdict(string way, string state, string kind, string verdict, CancellationToken cancel)
    {
        KindResult? result = (await RunOf(way, state, cancel)).Results.FirstOrDefault(r => r.Kind == kind);
        string?[] right = verdict.EndsWith(": put back", StringComparison.Ordinal) ? [Promise(verdict), "native"] : [Promise(verdict)]; // it may be led to the copy again before it runs
        Assert.That(Promise(result?.Verdict), Is.AnyOf(right), result?.Reason);
    }

    [Test]
    [CancelAfter(Patience.Milliseconds)]
    public async Task The_table_names_every_kind(CancellationToken cancel)
    {
        var results = new Dictionary<(string Way, string State), IReadOnlyList<KindResult>>();
        foreach ((string way, string state) in VerdictTable.Ways.SelectMany(w => VerdictTable.States.Select(s => (w, s))))
            results[(way, state)] = (await RunOf(way, state, cancel)).Results;
        if (VerdictTable.IsRewritten)
        {
            VerdictTable.Write(results);
            Assert.Pass("The table is written anew.");
        }

        Assert.That(
            VerdictTable.Rows.Select(r => (r.Way, r.State, r.Kind)),
            Is.EquivalentTo(results.SelectMany(r => r.Value.Select(k => (r.Key.Way, r.Key.State, k.Kind)).Distinct())));
    }

    /// <summary>
    /// What a report promised. Of what it did not promise, the runtime decides by the clock whether it compiles the method in
    /// time; that every report is true is checked for each of them (<see cref="MatrixRun.Mistakes"/>).
    /// </summary>
    private static string? Promise(string? verdict) =>
        verdict?.Split(':')[0] is "cautious" or "later" or "deferred" ? "not promised" : verdict;

    private static Task<MatrixRun> RunOf(string way, string state, CancellationToken cancel) =>
        Runs.GetOrAdd((way, state), _ => new Lazy<Task<MatrixRun>>(() => MatrixRun.Of(MatrixRun.Program, way, state, "host", [], cancel))).Value;
}
