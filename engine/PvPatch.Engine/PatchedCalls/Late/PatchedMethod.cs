using System.Reflection;
using PvPatch.Engine.PatchedCalls.Callers;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Late;

/// <summary>A method whose IL was patched when code may have been made from it: what became of that code.</summary>
internal sealed class PatchedMethod
{
    private readonly Redirects? _redirects;
    private readonly SwappedMethod[] _swapped;
    private readonly string? _reason;

    /// <summary>Leads calls past the old code, as far as that is wanted and can be done.</summary>
    /// <param name="old">The code made from the method's old IL.</param>
    /// <param name="redirects">Leads calls elsewhere; <see langword="null"/> if old code is to stay.</param>
    public PatchedMethod(OldBodies old, Redirects? redirects)
    {
        _redirects = redirects;
        Older = [.. old.Holders.Select(h => h.Method)];
        Unknown = old.Unknown;
        (string Reason, Redirect? Done)[] holders = [.. old.Holders.Select(h => (h.Reason, redirects?.Of(h.Method)))];
        _swapped = [.. holders.Select(h => h.Done?.Swapped).OfType<SwappedMethod>()];
        _reason = holders.Where(h => h.Done?.Swapped is null)
            .Select(h => h.Done is null ? h.Reason : $"{h.Reason}; not redirected: {h.Done.Refusal}")
            .FirstOrDefault() ?? old.Unknown;
    }

    /// <summary>Whose compiled code holds the old IL, or may hold it.</summary>
    public IReadOnlyCollection<MethodBase> Older { get; }

    /// <summary>What else may hold it and cannot be named; <see langword="null"/> if nothing.</summary>
    public string? Unknown { get; }

    /// <summary>The copies that its calls, and those of methods that may have inlined it, were led to.</summary>
    public IReadOnlyList<LedMethod> Led => [.. _swapped.Select(s => new LedMethod(s.Method, s.Copy, _redirects!.Holds(s)))];

    /// <summary>A row of a site in the method, as things are at this moment.</summary>
    public PatchedSite Told(PatchedSite row)
    {
        PatchedSite led = _swapped.Length > 0 ? row with { Way = PatchWay.Late } : row;
        if (_reason is not null)
            return led with { State = SiteState.Deferred, Reason = _reason };
        if (Array.Find(_swapped, s => !_redirects!.Holds(s)) is not { } lost)
            return led with { Reason = Array.Find(_swapped, s => s.WasLost)?.History };
        return row with { State = SiteState.Deferred, Reason = $"redirected, but the runtime has put its own code for {lost.Method.Name} back, which may be older than the patch; it is led to the copy again in a moment" };
    }
}
