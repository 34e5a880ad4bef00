namespace PvPatch.Engine.Reports;

/// <summary>Every event there is, with its words.</summary>
/// <param name="log">Who takes them; <see langword="null"/> for nobody.</param>
internal sealed class PatchEvents(PatchLog? log)
{
    /// <summary>An assembly was patched, or planned: one event for it, before that one for each of its sites.</summary>
    /// <param name="assembly">Its simple name.</param>
    /// <param name="rows">Its rows of the report; without any there is nothing to tell.</param>
    public void Patched(string assembly, IReadOnlyCollection<PatchedSite> rows)
    {
        if (log is null || rows.Count == 0)
            return;
        foreach (PatchedSite row in rows)
            Site(row);
        var counts = SiteCounts.Of(rows);
        Tell(PatchLogLevel.Information, "{Assembly} is patched: {Patched} sites patched, {Deferred} deferred, {Left} left", assembly, counts.Patched, counts.Deferred, counts.Left);
    }

    /// <summary>An assembly stays as it is.</summary>
    public void Refused(string assembly, PatchException why) =>
        Tell(PatchLogLevel.Warning, "{Assembly} stays as it is, {Error}: {Reason}", assembly, why.Error, why.Message);

    /// <summary>An assembly has its original IL again.</summary>
    public void Restored(string assembly) => Tell(PatchLogLevel.Information, "{Assembly} is restored", assembly);

    /// <summary>The sites of an op call another target from now on.</summary>
    public void Switched(string op, string target) => Tell(PatchLogLevel.Information, "{Op} is switched to {Target}", op, target);

    private void Site(PatchedSite row)
    {
        if (row.State == SiteState.Patched)
            Tell(PatchLogLevel.Debug, "{Op} in {Method} at IL_{Offset:x4} is patched by {Way}: {Replacement}", row.Op, row.Method, row.IlOffset, row.Way, row.Replacement);
        else
            Tell(PatchLogLevel.Debug, "{Op} in {Method} at IL_{Offset:x4} is {State}: {Reason}", row.Op, row.Method, row.IlOffset, row.State, row.Reason);
    }

    private void Tell(PatchLogLevel level, string template, params object?[] arguments)
    {
        try
        {
            log?.Invoke(level, template, arguments);
        }
        catch (Exception)
        {
            // Patching is done by now, and whoever loads the assembly knows nothing of the log.
        }
    }
}
