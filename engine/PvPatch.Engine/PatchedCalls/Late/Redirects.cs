using System.Reflection;
using PvPatch.Engine.PatchedCalls.Loaded;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Late;

/// <summary>The methods of one module that were compiled from the old IL, and are led to copies of the new one.</summary>
internal sealed class Redirects
{
    /// <summary>The JIT inlines no method of more IL than this on its own account (dotnet/runtime, src/coreclr/jit/jitconfigvalues.h, MaxILProf).</summary>
    private const int LongestInlined = 0x400;

    private readonly IMethodSwap _swap;
    private readonly Dictionary<int, Redirect> _methods = [];

    /// <summary>Redirects the methods that have deferred sites, as far as that can be done.</summary>
    /// <param name="module">The module, whose image holds the new IL.</param>
    /// <param name="rows">What was done to its sites.</param>
    /// <param name="swap">How calls are led elsewhere.</param>
    public Redirects(Module module, IEnumerable<PatchedSite> rows, IMethodSwap swap)
    {
        _swap = swap;
        foreach (int token in rows.Where(r => r.State == SiteState.Deferred).Select(r => r.MethodToken).Distinct())
        {
            if (module.ResolveMethod(token) is { } method)
                _methods[token] = Redirected(method);
        }
    }

    /// <summary>The rows as they are at this moment.</summary>
    public IEnumerable<PatchedSite> Told(IEnumerable<PatchedSite> rows) =>
        rows.Select(r => r.State == SiteState.Deferred && _methods.TryGetValue(r.MethodToken, out Redirect? done) ? Told(r, done) : r);

    /// <summary>Leads every call to where it led before.</summary>
    public void Undo()
    {
        foreach (Redirect redirect in _methods.Values)
        {
            if (redirect.Swapped is { } swapped)
                _swap.Undo(swapped);
        }

        _methods.Clear();
    }

    private Redirect Redirected(MethodBase method)
    {
        bool mayBeInlined = !method.MethodImplementationFlags.HasFlag(MethodImplAttributes.NoInlining)
            && (method.MethodImplementationFlags.HasFlag(MethodImplAttributes.AggressiveInlining)
                || method.GetMethodBody()?.GetILAsByteArray()?.Length <= LongestInlined);
        string? refusal = _swap.RefusalOf(method);
        if (refusal is null && MethodEntry.IsCompiled(method) == true && MethodCopy.Of(method, out refusal) is { } copy)
            return new Redirect(_swap.Swap(method, copy), null, mayBeInlined);
        return new Redirect(null, refusal ?? "its entry does not lead to compiled code", mayBeInlined);
    }

    private PatchedSite Told(PatchedSite row, Redirect done) => done switch
    {
        { Refusal: { } refusal } => row with { Reason = $"{row.Reason}; not redirected: {refusal}" },
        { Swapped: { } swapped } when !_swap.Holds(swapped) =>
            row with { Reason = "redirected, but the runtime has put its own code for the method back, which may be older than the patch" },
        { MayBeInlined: true } => row with { Way = PatchWay.Late, Reason = "redirected; code that has inlined it goes through the slot" },
        _ => row with { Way = PatchWay.Late, State = SiteState.Patched, Reason = null },
    };

    /// <summary>What was done with a method.</summary>
    private sealed record Redirect(SwappedMethod? Swapped, string? Refusal, bool MayBeInlined);
}
