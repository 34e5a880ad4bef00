using System.Reflection;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Image;

/// <summary>A set of images, read and patched in memory. The files stay as they are.</summary>
public sealed class PatchPlan
{
    internal PatchPlan(IReadOnlyList<PlannedImage> images, PatchReport report, IReadOnlyDictionary<string, Assembly>? bound = null)
    {
        Images = images;
        Report = report;
        Bound = bound ?? new Dictionary<string, Assembly>(StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>What was done to every site.</summary>
    public PatchReport Report { get; }

    /// <summary>What else is to be known of the images, a sentence each: why a PDB is not used.</summary>
    public IReadOnlyList<string> Notes => [.. Images.Select(i => i.Symbols.Note).OfType<string>()];

    internal IReadOnlyList<PlannedImage> Images { get; }

    /// <summary>Assemblies of targets, by simple name, which the loaded images must be given because nobody else would.</summary>
    internal IReadOnlyDictionary<string, Assembly> Bound { get; }
}
