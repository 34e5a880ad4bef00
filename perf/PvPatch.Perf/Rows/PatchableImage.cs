using System.Reflection;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.Reports;

namespace PvPatch.Perf.Rows;

/// <summary>An assembly with so many sites, as a file and loaded.</summary>
internal sealed class PatchableImage : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("pvpatch-lab-image-");

    /// <summary>Writes it.</summary>
    /// <param name="sites">How many sites, a method each.</param>
    public PatchableImage(int sites)
    {
        File = Path.Combine(_folder.FullName, SitesImage.Name + ".dll");
        SitesImage.Write(File, sites, inOneMethod: false);
        Unpatched = ImageSet.LoadUnpatched([File], collectible: true);
    }

    /// <summary>The file.</summary>
    public string File { get; }

    /// <summary>A copy that stays as it is.</summary>
    public ImageSet Unpatched { get; }

    /// <summary>The op table of a copy, with its own targets.</summary>
    /// <param name="copy">The copy.</param>
    public static PvOpTable Fill(Assembly copy) => Filled(copy, (slots, i) => PvTarget.Method(slots, $"Target{i}"));

    /// <summary>The op table of a copy, with targets that it does not refer to.</summary>
    /// <param name="copy">The copy.</param>
    public static PvOpTable FillForeign(Assembly copy) => Filled(copy, (_, _) => PvTarget.Method(ForeignTargets.Same));

    /// <summary>Whether everything was patched.</summary>
    /// <param name="report">What was done.</param>
    /// <param name="sites">How many there are.</param>
    /// <exception cref="InvalidOperationException">Something was not.</exception>
    public static void Check(PatchReport report, int sites)
    {
        if (report.Totals.Patched != sites)
            throw new InvalidOperationException($"{report.Totals.Patched} of {sites} sites were patched: {report.Sites.FirstOrDefault(s => s.State != SiteState.Patched)?.Reason}");
    }

    public void Dispose()
    {
        Unpatched.Dispose();
        _folder.Delete(recursive: true);
    }

    private static PvOpTable Filled(Assembly copy, Func<Type, int, PvTarget> target)
    {
        Type slots = copy.GetType(SitesImage.Slots, throwOnError: true)!;
        var table = new PvOpTable(slots);
        table.Install(Enumerable.Range(0, SitesImage.Ops).Select(i => KeyValuePair.Create($"op.{i}", target(slots, i))));
        return table;
    }
}

/// <summary>Targets outside the image.</summary>
public static class ForeignTargets
{
    /// <summary>Gives its argument back.</summary>
    public static long Same(long value) => value;
}
