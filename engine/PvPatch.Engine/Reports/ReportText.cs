using System.Globalization;
using System.Text;

namespace PvPatch.Engine.Reports;

/// <summary>
/// A report for people: first the totals and a line an op, then what is not patched, with the reason and the IL, and last
/// the patched sites, a line each. So the head of a long report tells what a reader has to know.
/// </summary>
internal static class ReportText
{
    private const int WidestColumn = 40;

    /// <summary>The report as text, each line ended by a line feed.</summary>
    public static string Of(PatchReport report)
    {
        var text = new StringBuilder();
        Line(text, $"{report.Sites.Count} {(report.Sites.Count == 1 ? "site" : "sites")}: {report.Totals}");
        if (report.Sites.Count > 0)
            AddOps(text, report);
        foreach (var reason in report.Sites.Where(s => s.State != SiteState.Patched).GroupBy(s => (s.State, s.Reason)).OrderBy(g => g.Key.State))
            AddUnpatched(text, reason.Key.State, reason.Key.Reason, [.. reason]);
        AddPatched(text, [.. report.Sites.Where(s => s.State == SiteState.Patched)]);
        return text.ToString();
    }

    private static void AddOps(StringBuilder text, PatchReport report)
    {
        int width = Width(report.Ops.Keys);
        Line(text, $"\n{"op".PadRight(width)}  patched  deferred  left");
        foreach ((string op, SiteCounts counts) in report.Ops)
            Line(text, $"{op.PadRight(width)}  {counts.Patched,7}  {counts.Deferred,8}  {counts.Left,4}");
    }

    private static void AddUnpatched(StringBuilder text, SiteState state, string? reason, IReadOnlyList<PatchedSite> sites)
    {
        Line(text, $"\n{state}: {reason}");
        int width = Width(sites.Select(s => s.Op));
        foreach (PatchedSite site in sites)
        {
            Line(text, $"  {site.Op.PadRight(width)}  {Place(site)}");
            Line(text, $"  {"".PadRight(width)}    {site.After ?? site.Before}");
        }
    }

    private static void AddPatched(StringBuilder text, IReadOnlyList<PatchedSite> sites)
    {
        if (sites.Count == 0)
            return;
        int op = Width(sites.Select(s => s.Op)), replacement = Width(sites.Select(s => s.Replacement ?? "")), way = Width(sites.Select(s => $"{s.Way}"));
        Line(text, $"\nPatched");
        foreach (PatchedSite site in sites)
            Line(text, $"  {site.Op.PadRight(op)}  {(site.Replacement ?? "").PadRight(replacement)}  {$"{site.Way}".PadRight(way)}  {Place(site)}");
    }

    private static string Place(PatchedSite site) => $"{site.Module}!{site.Method} IL_{site.IlOffset.ToString("x4", CultureInfo.InvariantCulture)}";

    /// <summary>A few long names do not push all the others aside.</summary>
    private static int Width(IEnumerable<string> column) => Math.Min(column.Max(c => c.Length), WidestColumn);

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
