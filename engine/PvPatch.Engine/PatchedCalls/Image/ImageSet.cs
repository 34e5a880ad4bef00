using System.Reflection;
using System.Runtime.Loader;
using PvPatch.Engine.PatchedCalls.Loaded;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Image;

/// <summary>
/// A set of images, loaded together from memory into a load context of their own: they see each other's copies and, of
/// everything else, the program's. Loading from memory leaves precompiled code unused, so patched IL is what is compiled.
/// </summary>
public sealed class ImageSet : IDisposable
{
    private readonly Context _context;
    private readonly IReadOnlyList<PlannedImage> _images;
    private readonly PatchReport _report;

    private ImageSet(PatchPlan plan, bool collectible)
    {
        _images = plan.Images;
        _report = plan.Report;
        _context = new Context(plan, collectible);
    }

    /// <summary>Loads the patched images of a plan.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="collectible">Whether the code can be unloaded. Such code is a little slower to reach its statics.</param>
    public static ImageSet Load(PatchPlan plan, bool collectible = false)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return new ImageSet(plan, collectible);
    }

    /// <summary>Loads image files as they are.</summary>
    /// <param name="imageFiles">Paths of the files.</param>
    /// <param name="collectible">As for <see cref="Load"/>.</param>
    /// <exception cref="PatchException">A file is not there or is no managed image.</exception>
    public static ImageSet LoadUnpatched(IReadOnlyList<string> imageFiles, bool collectible = false)
    {
        ArgumentNullException.ThrowIfNull(imageFiles);
        return new ImageSet(new PatchPlan(ImageFiles.Read(imageFiles), new PatchReport([])), collectible);
    }

    /// <summary>The loaded assembly of this simple name.</summary>
    /// <param name="simpleName">Name without version or extension.</param>
    /// <exception cref="PatchException"><see cref="PatchError.UnknownImage"/>; <see cref="PatchError.BadImage"/> if the runtime refuses the image.</exception>
    public Assembly this[string simpleName]
    {
        get
        {
            ArgumentNullException.ThrowIfNull(simpleName);
            return _context.Find(simpleName) ?? throw new PatchException(PatchError.UnknownImage, $"The set has no image named {simpleName}.");
        }
    }

    /// <summary>What is known of the code of each method with a rewritten site.</summary>
    internal IEnumerable<PatchedCode> Code()
    {
        var il = new IlHistory(IsPatchedAtFirst: true, Written: null, Restored: null);
        foreach (var rows in _report.Sites.Where(s => s.Way is not null).GroupBy(s => (s.Module, s.MethodToken)))
        {
            if (this[rows.Key.Module].ManifestModule.ResolveMethod(rows.Key.MethodToken) is { } method)
                yield return new PatchedCode(method, [.. rows], il, [], null, []);
        }
    }

    /// <summary>Reads every patched method back from the loaded assemblies and compares it with the plan.</summary>
    /// <returns>How many methods were compared.</returns>
    /// <exception cref="PatchException"><see cref="PatchError.NotAsPlanned"/>: a method holds other IL.</exception>
    public int Verify()
    {
        int compared = 0;
        foreach (PlannedImage image in _images)
        {
            var methods = new LoadedMethods(this[image.Name].ManifestModule);
            foreach (RewrittenMethod method in image.Methods)
            {
                byte[]? loaded = methods.IlOf(method.Body.Token);
                if (loaded is null || !loaded.AsSpan().SequenceEqual(method.Il))
                    throw NotAsPlanned(method, loaded);
                compared++;
            }
        }

        return compared;
    }

    /// <summary>Unloads a collectible set once none of its code runs; others stay as long as the process.</summary>
    public void Dispose()
    {
        if (_context.IsCollectible)
            _context.Unload();
    }

    private static PatchException NotAsPlanned(RewrittenMethod method, byte[]? loaded)
    {
        int offset = loaded is null ? 0 : method.Il.AsSpan().CommonPrefixLength(loaded);
        return new PatchException(PatchError.NotAsPlanned, $"{method.Body.Name} does not hold the IL that the plan wrote, from offset {offset} on.")
        {
            Method = method.Body.Name,
            Offset = offset,
            Il = loaded is null ? null : Convert.ToHexString(loaded),
        };
    }

    private sealed class Context(PatchPlan plan, bool collectible) : AssemblyLoadContext("PvPatch images", collectible)
    {
        private readonly Lock _gate = new();

        /// <remarks>The context itself keeps no assembly: the runtime keeps it as long as they live, which would be for ever.</remarks>
        public Assembly? Find(string simpleName)
        {
            lock (_gate)
            {
                if (Assemblies.FirstOrDefault(a => !a.IsDynamic && IsNamed(a.GetName().Name)) is { } known)
                    return known;
                return plan.Images.FirstOrDefault(i => IsNamed(i.Name)) is { } image ? LoadFrom(image) : null;
            }

            bool IsNamed(string? name) => string.Equals(name, simpleName, StringComparison.OrdinalIgnoreCase);
        }

        protected override Assembly? Load(AssemblyName assemblyName) =>
            assemblyName.Name is { } name ? Find(name) ?? plan.Bound.GetValueOrDefault(name) : null;

        private Assembly LoadFrom(PlannedImage image)
        {
            using Stream? pdb = image.Symbols.Pdb is { } symbols ? new MemoryStream(symbols, writable: false) : null;
            using var bytes = new MemoryStream(image.Bytes, writable: false);
            try
            {
                return LoadFromStream(bytes, pdb);
            }
            catch (BadImageFormatException e)
            {
                throw new PatchException(PatchError.BadImage, $"{Path.GetFileName(image.File)} is refused by the runtime: {e.Message}", e);
            }
        }
    }
}
