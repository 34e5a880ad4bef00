using System.Collections.Immutable;
using PvPatch.Engine.Il;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls.Flow;
using PvPatch.Engine.PatchedCalls.Growth;
using PvPatch.Engine.PatchedCalls.References;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Image;

/// <summary>Reads image files and patches their bytes.</summary>
internal static class ImageFiles
{
    /// <summary>Plans a set of images.</summary>
    public static PatchPlan Plan(PvOpTable table, IReadOnlyList<string> files, PatchEvents events)
    {
        IReadOnlyList<PlannedImage> originals = Read(files);
        var tree = new SlotTree(table.Ops);
        var bindings = new SetBindings(originals.ToDictionary(o => o.Name, o => o.VersionId, StringComparer.OrdinalIgnoreCase));
        var rows = new List<PatchedSite>();
        var images = new List<PlannedImage>();
        foreach (PlannedImage original in originals)
        {
            using var image = ModuleImage.Open(original.Bytes, original.File);
            try
            {
                var added = new AddedTokens(image, original.Bytes, bindings);
                var sites = new ModuleSites(image, table, tree, PatchWay.Image, limit: GrowthLimit.Named, added: added);
                rows.AddRange(sites.Rows);
                images.Add(Patched(original, image, sites.Methods, added));
                events.Patched(image.AssemblyName, sites.Rows);
            }
            catch (Exception e) when (Damage.IsShownBy(e))
            {
                throw new PatchException(PatchError.BadImage, $"{Path.GetFileName(original.File)} is damaged: {e.Message}", e);
            }
        }

        return new PatchPlan(images, new PatchReport(rows), bindings.Added);
    }

    /// <summary>Reads a set of images that stay as they are.</summary>
    public static IReadOnlyList<PlannedImage> Read(IReadOnlyList<string> files)
    {
        var images = new List<PlannedImage>();
        foreach (string file in files)
        {
            byte[] bytes = Read(file);
            using var image = ModuleImage.Open(bytes, file);
            images.Add(new PlannedImage(image.AssemblyName, image.VersionId, file, bytes, [], ImageSymbols.Of(image, bytes, ImmutableDictionary<int, Func<int, int>>.Empty)));
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

    private static PlannedImage Patched(PlannedImage original, ModuleImage image, IReadOnlyList<RewrittenMethod> methods, AddedTokens added)
    {
        if (methods.All(m => m.Growth is null))
        {
            foreach (RewrittenMethod method in methods) // everything that was to be read is read
                method.Il.CopyTo(original.Bytes.AsSpan(method.Body.Offset));
            return original with { Methods = methods };
        }

        bool hasSymbols = original.Symbols.Pdb is not null;
        var grown = new GrownBodies(added, hasSymbols);
        var done = new List<RewrittenMethod>(methods.Count);
        foreach (RewrittenMethod method in methods)
        {
            if (method.Growth is { } growth)
            {
                done.Add(grown.Add(method, growth));
                continue;
            }

            added.Extended!.Section.Overwrite(method.Body.Offset, method.Il);
            done.Add(method);
        }

        ImageSymbols symbols = hasSymbols ? ImageSymbols.Of(image, original.Bytes, grown.Moves) : original.Symbols;
        return original with { Bytes = added.Extended!.ToBytes(), Methods = done, Symbols = symbols };
    }

    private static void CheckNames(List<PlannedImage> images)
    {
        if (images.GroupBy(i => i.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new PatchException(PatchError.DuplicateImage, $"Two images of the set are named {twice.Key}.");
    }
}
