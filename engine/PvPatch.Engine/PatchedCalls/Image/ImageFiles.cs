using PvPatch.Engine.Il;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls.Flow;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Image;

/// <summary>Reads image files and patches their bytes.</summary>
internal static class ImageFiles
{
    /// <summary>Plans a set of images.</summary>
    public static PatchPlan Plan(PvOpTable table, IReadOnlyList<string> files, PatchEvents events)
    {
        var tree = new SlotTree(table.Ops);
        var rows = new List<PatchedSite>();
        var images = new List<PlannedImage>();
        foreach (string file in files)
        {
            byte[] bytes = Read(file);
            using var image = ModuleImage.Open(bytes, file);
            try
            {
                var sites = new ModuleSites(image, table, tree, PatchWay.Image);
                rows.AddRange(sites.Rows);
                events.Patched(image.AssemblyName, sites.Rows);
                images.Add(new PlannedImage(image.AssemblyName, file, Patched(bytes, sites.Methods), sites.Methods));
            }
            catch (Exception e) when (Damage.IsShownBy(e))
            {
                throw new PatchException(PatchError.BadImage, $"{Path.GetFileName(file)} is damaged: {e.Message}", e);
            }
        }

        CheckNames(images);
        return new PatchPlan(images, new PatchReport(rows));
    }

    /// <summary>Reads a set of images that stay as they are.</summary>
    public static IReadOnlyList<PlannedImage> Read(IReadOnlyList<string> files)
    {
        var images = new List<PlannedImage>();
        foreach (string file in files)
        {
            byte[] bytes = Read(file);
            using var image = ModuleImage.Open(bytes, file);
            images.Add(new PlannedImage(image.AssemblyName, file, bytes, []));
        }

        CheckNames(images);
        return images;
    }

    private static byte[] Read(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PatchException(PatchError.FileUnreadable, $"{file} cannot be read: {e.Message}", e);
        }
    }

    private static byte[] Patched(byte[] original, IReadOnlyList<RewrittenMethod> methods)
    {
        byte[] bytes = [.. original];
        foreach (RewrittenMethod method in methods)
            method.Il.CopyTo(bytes.AsSpan(method.Body.Offset));
        return bytes;
    }

    private static void CheckNames(List<PlannedImage> images)
    {
        if (images.GroupBy(i => i.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new PatchException(PatchError.DuplicateImage, $"Two images of the set are named {twice.Key}.");
    }
}
