using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PvPatch.Engine.Reports;

/// <summary>How many sites of one op, or of all, came to which end.</summary>
/// <param name="Patched">Rewritten.</param>
/// <param name="Deferred">Rewritten, but compiled code is older.</param>
/// <param name="Left">Through the slot as before.</param>
public readonly record struct SiteCounts(int Patched, int Deferred, int Left)
{
    /// <summary>As in <c>3 patched, 0 deferred, 1 left</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Patched} patched, {Deferred} deferred, {Left} left");

    internal static SiteCounts Of(IEnumerable<PatchedSite> sites)
    {
        int patched = 0, deferred = 0, left = 0;
        foreach (PatchedSite site in sites)
        {
            patched += site.State == SiteState.Patched ? 1 : 0;
            deferred += site.State == SiteState.Deferred ? 1 : 0;
            left += site.State == SiteState.Left ? 1 : 0;
        }

        return new SiteCounts(patched, deferred, left);
    }
}

/// <summary>What was done to every site found, and to every load of a slot that leads to none.</summary>
public sealed class PatchReport
{
    /// <summary>Version of the JSON form; it changes when a field changes its meaning or goes.</summary>
    public const int SchemaVersion = 1;

    /// <summary>Makes the report.</summary>
    /// <param name="sites">One row a site, in the order of the modules' methods.</param>
    internal PatchReport(IReadOnlyList<PatchedSite> sites)
    {
        Sites = sites;
        Totals = SiteCounts.Of(sites);
    }

    /// <summary>A report of sites that were emitted.</summary>
    /// <param name="sites">One row a site, as <see cref="PatchedCalls.Emitted.EmittedCalls"/> gives them.</param>
    public static PatchReport Of(IEnumerable<PatchedSite> sites) => new([.. sites]);

    /// <summary>One row a site.</summary>
    public IReadOnlyList<PatchedSite> Sites { get; }

    /// <summary>Counts over all rows.</summary>
    public SiteCounts Totals { get; }

    /// <summary>Counts by the rows' op.</summary>
    public IReadOnlyDictionary<string, SiteCounts> Ops => field ??= Sites.GroupBy(s => s.Op, StringComparer.Ordinal)
        .OrderBy(g => g.Key, StringComparer.Ordinal)
        .ToDictionary(g => g.Key, SiteCounts.Of, StringComparer.Ordinal);

    /// <summary>The report as text: totals, a line an op, what is not patched and why, what is patched.</summary>
    public override string ToString() => ReportText.Of(this);

    /// <summary>The report as JSON: <c>version</c>, <c>totals</c>, <c>ops</c>, <c>sites</c>.</summary>
    public string ToJson() =>
        JsonSerializer.Serialize(new PatchReportDocument(SchemaVersion, Totals, Ops, Sites), PatchReportJson.Default.PatchReportDocument);
}

/// <summary>The JSON form of a report.</summary>
internal sealed record PatchReportDocument(
    int Version, SiteCounts Totals, IReadOnlyDictionary<string, SiteCounts> Ops, IReadOnlyList<PatchedSite> Sites);

[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, NewLine = "\n")]
[JsonSerializable(typeof(PatchReportDocument))]
internal sealed partial class PatchReportJson : JsonSerializerContext;
