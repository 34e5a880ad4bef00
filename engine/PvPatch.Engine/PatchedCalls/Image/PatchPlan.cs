using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Image;

/// <summary>A set of images, read and patched in memory. The files stay as they are.</summary>
public sealed class PatchPlan
{
    internal PatchPlan(IReadOnlyList<PlannedImage> images, PatchReport report)
    {
        Images = images;
        Report = report;
    }

    /// <summary>What was done to every site.</summary>
    public PatchReport Report { get; }

    internal IReadOnlyList<PlannedImage> Images { get; }
}
