using PvPatch.Engine.Reports;

namespace PvPatch.Matrix;

/// <summary>What became of a kind of method in one cell: what the report said, and what was seen.</summary>
/// <param name="Kind">The kind, in the copy that runs now.</param>
internal sealed record Outcome(Kind Kind)
{
    private readonly History _history = new();

    /// <summary>Calls through the slots at the end of a loop that was in flight when it was patched.</summary>
    public long InFlight
    {
        set => _history.Calls = value;
    }

    /// <summary>What was not as it must be.</summary>
    public IReadOnlyList<string> Mistakes => _history.Mistakes;

    /// <summary>
    /// <c>native</c>: the report said so from the start, and no call came by a slot. <c>cautious</c>: none came, though the
    /// report did not promise it. <c>later</c>: none came in the end. <c>deferred</c>, <c>left</c>: some came to the end.
    /// </summary>
    public string Verdict => _history switch
    {
        { Calls: 0, FirstReason: "" } => "native",
        { Calls: 0 } => "cautious",
        { LastCalls: 0 } => "later",
        { IsLeft: true } => "left",
        _ => "deferred",
    };

    /// <summary>Why it is not native from the start to the end; empty where it is.</summary>
    public string Reason => _history.LastCalls == 0 ? _history.FirstReason : _history.LastReason;

    /// <summary>Notes what must not be.</summary>
    public void Wrong(string what)
    {
        if (!_history.Mistakes.Contains(what))
            _history.Mistakes.Add(what);
    }

    /// <summary>Notes what the report says before anything is observed.</summary>
    public void ToldFirst(PatchReport report) => _history.FirstReason = Told(report);

    /// <summary>Notes what was seen while the kind ran.</summary>
    /// <param name="calls">Calls that came through a slot.</param>
    /// <param name="before">The report before it ran.</param>
    /// <param name="after">The report after it ran.</param>
    public void Observed(long calls, PatchReport before, PatchReport after)
    {
        _history.Calls += calls;
        _history.LastCalls = calls;
        _history.LastReason = Told(after);
        if (_history.FirstReason.Length == 0)
            _history.FirstReason = _history.LastReason;
        _history.IsLeft = Rows(after).Any(r => r.State == SiteState.Left);
        if (calls > 0 && _history.LastReason.Length == 0 && Told(before).Length == 0)
            Wrong($"{calls} calls came through a slot, and the report says that all is patched");
    }

    /// <summary>Why not all of the kind's sites are patched, or were not for a moment; empty if they are.</summary>
    private string Told(PatchReport report)
    {
        if (!Rows(report).Any())
            Wrong("the report does not know it");
        foreach (PatchedSite row in Rows(report).Where(r => r.State != SiteState.Patched && string.IsNullOrEmpty(r.Reason)))
            Wrong($"the report says {row.State} of {row.Method} without a reason");
        return string.Join(" | ", Rows(report).Select(r => r.Reason).Where(r => !string.IsNullOrEmpty(r)).Distinct(StringComparer.Ordinal));
    }

    private IEnumerable<PatchedSite> Rows(PatchReport report) => report.Sites.Where(s => Kind.Has(s.Method));

    /// <summary>What a kind has in all copies of the program.</summary>
    private sealed class History
    {
        public long Calls { get; set; }

        public long LastCalls { get; set; }

        public string FirstReason { get; set; } = "";

        public string LastReason { get; set; } = "";

        public bool IsLeft { get; set; }

        public List<string> Mistakes { get; } = [];
    }
}
