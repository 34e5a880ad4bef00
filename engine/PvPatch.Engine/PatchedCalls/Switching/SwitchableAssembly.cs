using System.Collections.Concurrent;
using System.Reflection;
using PvPatch.Engine.Il;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls.Callers;
using PvPatch.Engine.PatchedCalls.Flow;
using PvPatch.Engine.PatchedCalls.Growth;
using PvPatch.Engine.PatchedCalls.Late;
using PvPatch.Engine.PatchedCalls.Loaded;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Switching;

/// <summary>The copies of one assembly's methods for one set of targets.</summary>
/// <param name="Rows">What the sites became in them.</param>
/// <param name="Methods">How the calls of each method with a site can be led to its copy, by the method's token.</param>
internal sealed record CopySet(IReadOnlyList<PatchedSite> Rows, IReadOnlyDictionary<int, Redirect> Methods);

/// <summary>
/// An assembly whose image stays as it is, and whose methods with sites are led to copies that call the targets directly.
/// What is not led to a copy goes through its slot, whoever compiled it or inlined it, and so is right at any time.
/// </summary>
/// <param name="assembly">The assembly.</param>
/// <param name="table">The ops.</param>
/// <param name="swap">How calls are led to the copies.</param>
internal sealed class SwitchableAssembly(Assembly assembly, PvOpTable table, IMethodSwap swap)
{
    private readonly WeakReference<Assembly> _assembly = new(assembly);
    private readonly ConcurrentDictionary<TargetSet, Lazy<CopySet>> _sets = new();
    private readonly Dictionary<int, string?> _inliners = [];
    private CopySet _led = new([], new Dictionary<int, Redirect>());

    /// <summary>The assembly's simple name.</summary>
    public string Name { get; } = assembly.GetName().Name ?? "";

    /// <summary>What is done to each site, as it is at this moment.</summary>
    public IEnumerable<PatchedSite> Rows => RowsOf(_led).Select(Now);

    /// <summary>The copies for a set of targets. They are made once; making them can take long, and leads no call.</summary>
    /// <exception cref="PatchException">The image cannot be read.</exception>
    public CopySet For(TargetSet targets) => _sets.GetOrAdd(targets, t => new Lazy<CopySet>(() => Made(t))).Value;

    /// <summary>What is done to each site where calls are led to the copies of a set.</summary>
    public IEnumerable<PatchedSite> RowsOf(CopySet copies) => copies.Rows.Select(r => r.State == SiteState.Patched ? Told(r, copies) : r);

    /// <summary>What is known of the code of each method that was ever led to a copy.</summary>
    public IEnumerable<PatchedCode> Code()
    {
        var il = new IlHistory(IsPatchedAtFirst: false, Written: null, Restored: null);
        ILookup<int, SwappedMethod> copies = _sets.Values.Where(s => s.IsValueCreated).SelectMany(s => s.Value.Methods)
            .Where(m => m.Value.Swapped is not null).DistinctBy(m => m.Value.Swapped!.Copy).ToLookup(m => m.Key, m => m.Value.Swapped!);
        foreach (IGrouping<int, PatchedSite> rows in Rows.Where(r => r.Way is not null).GroupBy(r => r.MethodToken))
        {
            LedMethod[] led = [.. copies[rows.Key].Select(s => new LedMethod(s.Method, s.Copy, swap.Holds(s)))];
            if (led.Length > 0)
                yield return new PatchedCode(led[0].Method, [.. rows], il, [], null, led);
        }
    }

    /// <summary>Leads all calls to the copies of a set: a store a method. It cannot fail.</summary>
    public void Lead(CopySet copies)
    {
        foreach ((int token, Redirect before) in _led.Methods)
        {
            if (before.Swapped is { } swapped && copies.Methods.GetValueOrDefault(token)?.Swapped is null)
                swap.Undo(swapped);
        }

        foreach (Redirect redirect in copies.Methods.Values)
        {
            if (redirect.Swapped is { } swapped)
                swap.Lead(swapped);
        }

        _led = copies;
    }

    /// <summary>Leads those calls to the copies again that the runtime has led to code of its own.</summary>
    /// <returns>Whether there were any.</returns>
    public bool LeadAgain()
    {
        bool isAny = false;
        foreach (Redirect redirect in _led.Methods.Values)
            isAny |= redirect.Swapped?.LeadAgain(swap) == true;
        return isAny;
    }

    /// <summary>Leads all calls to the code that the runtime has for the methods.</summary>
    public void Undo() => Lead(new CopySet(_led.Rows, new Dictionary<int, Redirect>()));

    private CopySet Made(TargetSet targets)
    {
        if (!_assembly.TryGetTarget(out Assembly? assembly))
            return _led;
        using var image = LoadedImage.Of(assembly);
        try
        {
            var sites = new ModuleSites(image.Module, table, new SlotTree(table.Ops), PatchWay.Late, assembly.ManifestModule, GrowthLimit.Anything, targetOf: targets.TargetOf);
            var methods = new Dictionary<int, Redirect>();
            foreach (RewrittenMethod rewritten in sites.Methods)
            {
                if (MethodOf(assembly.ManifestModule, rewritten.Body.Token) is { } method)
                {
                    methods[rewritten.Body.Token] = Redirect.Prepared(method, swap, rewritten);
                    EnterInliner(method, rewritten.Body.Token);
                }
            }

            return new CopySet(sites.Rows, methods);
        }
        catch (Exception e) when (Damage.IsShownBy(e))
        {
            throw new PatchException(PatchError.BadImage, $"The image of {Name} is damaged: {e.Message}", e);
        }
    }

    private PatchedSite Now(PatchedSite row)
    {
        if (row.State == SiteState.Left)
            return row;
        SwappedMethod swapped = _led.Methods[row.MethodToken].Swapped!;
        if (!swap.Holds(swapped))
            return row with { State = SiteState.Deferred, Reason = "the runtime has put its own code for the method back, which goes through the slot; it is led to the copy again in a moment" };
        return row.State == SiteState.Patched ? row with { Reason = swapped.History } : row;
    }

    private PatchedSite Told(PatchedSite row, CopySet copies)
    {
        Redirect? redirect = copies.Methods.GetValueOrDefault(row.MethodToken);
        if (redirect?.Swapped is null)
            return row with { State = SiteState.Left, Way = null, After = null, Reason = $"it goes through its slot: {redirect?.Refusal ?? "calls are led back"}" };
        string? inliner;
        lock (_inliners)
            inliner = _inliners.GetValueOrDefault(row.MethodToken);
        return inliner is null ? row : row with { State = SiteState.Deferred, Reason = $"led to a copy; but {inliner} may inline it as it is in the image, and goes through the slot" };
    }

    private void EnterInliner(MethodBase method, int token)
    {
        string? inliner = OldCode.MayBeInlined(method)
            ? new CallGraph(AppDomain.CurrentDomain.GetAssemblies()).CallersOf(method).Select(c => $"{c.Method.DeclaringType?.Name}.{c.Method.Name}").FirstOrDefault()
            : null;
        lock (_inliners)
            _inliners[token] = inliner;
    }

    private static MethodBase? MethodOf(Module module, int token)
    {
        try
        {
            return module.ResolveMethod(token);
        }
        catch (Exception e) when (e is IOException or TypeLoadException or BadImageFormatException)
        {
            return null; // it cannot be compiled either
        }
    }
}
