using System.Diagnostics;
using System.Reflection;
using PvPatch.Engine.Il;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Callers;
using PvPatch.Engine.PatchedCalls.Flow;
using PvPatch.Engine.PatchedCalls.Late;
using PvPatch.Engine.PatchedCalls.Loaded;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.InPlace;

/// <summary>One assembly whose image was patched in memory. It does not keep the assembly from being unloaded.</summary>
internal sealed class PatchedAssembly
{
    private readonly WeakReference<Assembly> _assembly;
    private readonly IReadOnlyList<PlacedBytes> _before;
    private readonly IReadOnlyList<PlacedBytes> _after;
    private readonly IReadOnlyList<PatchedSite> _rows;
    private readonly Dictionary<int, PatchedMethod> _methods = [];
    private readonly HashSet<int> _namingSlots = [];
    private readonly Interval _written;
    private Interval? _restored;

    private PatchedAssembly(
        Assembly assembly, IReadOnlyList<PlacedBytes> before, IReadOnlyList<PlacedBytes> after, IReadOnlyList<PatchedSite> rows, Interval written = default)
    {
        _assembly = new WeakReference<Assembly>(assembly);
        _before = before;
        _after = after;
        Name = assembly.GetName().Name ?? "";
        Metadata = LoadedImage.MetadataOf(assembly);
        _rows = rows;
        _written = written;
    }

    /// <summary>The assembly's simple name.</summary>
    public string Name { get; }

    /// <summary>Address of the image's metadata.</summary>
    public nint Metadata { get; }

    /// <summary>What was done to each site, as it is at this moment.</summary>
    public IEnumerable<PatchedSite> Rows => _rows.Select(r => r.State == SiteState.Patched && _methods.TryGetValue(r.MethodToken, out PatchedMethod? method) ? method.Told(r) : r);

    /// <summary>Whether any of its bytes were changed.</summary>
    public bool IsChanged => _after.Count > 0;

    /// <summary>Whether the image holds patched bytes and is still loaded.</summary>
    public bool IsAlive => IsChanged && _restored is null && _assembly.TryGetTarget(out _);

    /// <summary>Patches the image of an assembly.</summary>
    /// <param name="assembly">The assembly.</param>
    /// <param name="table">The ops, with what is installed.</param>
    /// <exception cref="PatchException">The image cannot be read, or what was written is not what the runtime reads; then nothing is changed.</exception>
    public static PatchedAssembly Patch(Assembly assembly, PvOpTable table)
    {
        using var image = LoadedImage.Of(assembly);
        try
        {
            var sites = new ModuleSites(image.Module, table, new SlotTree(table.Ops), PatchWay.InPlace, assembly.ManifestModule);
            PlacedBytes[] after = [.. sites.Methods.Select(m => new PlacedBytes(image.Start + m.Body.Offset, m.Il))];
            PlacedBytes[] before = [.. sites.Methods.Select(m => new PlacedBytes(image.Start + m.Body.Offset, m.Body.Il))];
            if (after.Length > 0 && RefusalOf(assembly) is { } refusal)
                return new PatchedAssembly(assembly, [], [], Left(sites.Rows, refusal));

            Interval written;
            try
            {
                written = Written(after);
            }
            catch (PatchException e) when (e.Error is PatchError.ExecutableImage or PatchError.PagesRefused)
            {
                return new PatchedAssembly(assembly, [], [], Left(sites.Rows, e.Message));
            }

            Verify(assembly, sites.Methods, before);
            var patched = new PatchedAssembly(assembly, before, after, sites.Rows, written);
            foreach (RewrittenMethod method in sites.Methods)
            {
                if (method.NamesItsSlots)
                    patched._namingSlots.Add(method.Body.Token);
            }

            return patched;
        }
        catch (Exception e) when (Damage.IsShownBy(e))
        {
            throw new PatchException(PatchError.BadImage, $"The image of {assembly.GetName().Name} is damaged: {e.Message}", e);
        }
    }

    /// <summary>Finds out which code was made from the IL before it was patched, and leads calls past it where that is wanted.</summary>
    /// <param name="old">Finds it.</param>
    /// <param name="table">The ops.</param>
    /// <param name="redirects">Leads calls elsewhere; <see langword="null"/> if old code is to stay.</param>
    public void Settle(OldCode old, PvOpTable table, Redirects? redirects)
    {
        if (!_assembly.TryGetTarget(out Assembly? assembly))
            return;
        var loaded = new LoadedMethods(assembly.ManifestModule);
        for (int i = 0; i < _rows.Count;) // those of a method stand together
        {
            int token = _rows[i].MethodToken;
            bool isPatched = false;
            List<PvOp>? ops = _namingSlots.Contains(token) ? [] : null;
            for (; i < _rows.Count && _rows[i].MethodToken == token; i++)
            {
                if (_rows[i].State != SiteState.Patched)
                    continue;
                isPatched = true;
                ops?.Add(table[_rows[i].Op]);
            }

            if (!isPatched || loaded.Of(token) is not { } method)
                continue;
            OldBodies bodies = old.Of(method, ops);
            if (bodies.Holders.Count > 0 || bodies.Unknown is not null)
                _methods[token] = new PatchedMethod(bodies, redirects);
        }
    }

    /// <summary>What is known of the code of each method with a rewritten site.</summary>
    public IEnumerable<PatchedCode> Code()
    {
        if (!_assembly.TryGetTarget(out Assembly? assembly))
            yield break;
        var loaded = new LoadedMethods(assembly.ManifestModule);
        var il = new IlHistory(IsPatchedAtFirst: false, _written, _restored);
        foreach (IGrouping<int, PatchedSite> rows in Rows.Where(r => r.Way is not null).GroupBy(r => r.MethodToken))
        {
            if (loaded.Of(rows.Key) is not { } method)
                continue;
            PatchedMethod? known = _methods.GetValueOrDefault(rows.Key);
            yield return new PatchedCode(method, [.. rows], il, known?.Older ?? [], known?.Unknown, known?.Led ?? []);
        }
    }

    /// <summary>Throws if the image no longer holds what was written to it.</summary>
    /// <exception cref="PatchException"><see cref="PatchError.NotAsPlanned"/>.</exception>
    public void CheckRestorable()
    {
        if (_restored is not null || !_assembly.TryGetTarget(out Assembly? assembly))
            return;
        if (!_after.All(DataPages.Hold))
            throw new PatchException(PatchError.NotAsPlanned, $"{Name} cannot be restored: someone else has changed its IL since.");
        GC.KeepAlive(assembly);
    }

    /// <summary>Puts the original bytes back, if the assembly is still loaded.</summary>
    /// <exception cref="PatchException"><see cref="PatchError.PagesRefused"/>.</exception>
    public void Restore()
    {
        if (_restored is not null || !_assembly.TryGetTarget(out Assembly? assembly))
            return;
        _restored = Written(_before);
        GC.KeepAlive(assembly);
    }

    /// <summary>Why the image as a whole must stay as it is; <see langword="null"/> if it need not.</summary>
    private static string? RefusalOf(Assembly assembly)
    {
        nint metadata = LoadedImage.MetadataOf(assembly);
        return AppDomain.CurrentDomain.GetAssemblies().Any(a => a != assembly && LoadedImage.MetadataOf(a) == metadata)
            ? "the image is shared with a copy of the assembly in another load context, whose slots are others"
            : null;
    }

    private static Interval Written(IReadOnlyList<PlacedBytes> bytes)
    {
        long begun = Stopwatch.GetTimestamp();
        DataPages.Write(bytes);
        return new Interval(begun, Stopwatch.GetTimestamp());
    }

    private static PatchedSite[] Left(IReadOnlyList<PatchedSite> rows, string reason) =>
        [.. rows.Select(r => r.State == SiteState.Patched ? r with { State = SiteState.Left, Way = null, After = null, Reason = reason } : r)];

    /// <summary>Reads the methods back as the runtime sees them; a profiler or an editor may have given it other IL.</summary>
    private static void Verify(Assembly assembly, IReadOnlyList<RewrittenMethod> methods, PlacedBytes[] before)
    {
        var loaded = new LoadedMethods(assembly.ManifestModule);
        foreach (RewrittenMethod method in methods)
        {
            byte[]? seen = loaded.IlOf(method.Body.Token);
            if (seen is null || seen.AsSpan().SequenceEqual(method.Il))
                continue;
            DataPages.Write(before);
            throw new PatchException(PatchError.NotAsPlanned, $"{method.Body.Name} does not hold the IL that was written; its assembly is left as it was.")
            {
                Method = method.Body.Name,
                Offset = method.Il.AsSpan().CommonPrefixLength(seen),
                Il = Convert.ToHexString(seen),
            };
        }
    }
}
