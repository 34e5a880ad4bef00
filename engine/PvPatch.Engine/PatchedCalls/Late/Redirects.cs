using System.Collections.Concurrent;
using System.Reflection;

namespace PvPatch.Engine.PatchedCalls.Late;

/// <summary>The methods whose calls are led to copies made from their IL as it now is.</summary>
/// <param name="swap">How calls are led elsewhere.</param>
internal sealed class Redirects(IMethodSwap swap)
{
    private readonly ConcurrentDictionary<MethodBase, Lazy<Redirect>> _methods = [];

    /// <summary>Redirects a method that holds old code, unless that is done or cannot be.</summary>
    public Redirect Of(MethodBase method) => _methods.GetOrAdd(method, m => new Lazy<Redirect>(() => Redirected(m))).Value;

    /// <summary>Whether calls still lead to the copy: the runtime may have put code of its own in its place.</summary>
    public bool Holds(SwappedMethod swapped) => swap.Holds(swapped);

    /// <summary>Leads those calls to the copies again that the runtime has led to code of its own.</summary>
    /// <returns>Whether there were any.</returns>
    public bool LeadAgain()
    {
        bool isAny = false;
        foreach (Lazy<Redirect> redirect in _methods.Values)
            isAny |= redirect is { IsValueCreated: true, Value.Swapped: { } swapped } && swapped.LeadAgain(swap);
        return isAny;
    }

    /// <summary>Leads every call to where it led before.</summary>
    public void Undo()
    {
        foreach (SwappedMethod swapped in _methods.Values.Select(r => r.Value.Swapped).OfType<SwappedMethod>())
            swap.Undo(swapped);
        _methods.Clear();
    }

    private Redirect Redirected(MethodBase method)
    {
        Redirect prepared = Redirect.Prepared(method, swap);
        if (prepared.Swapped is { } swapped)
            swap.Lead(swapped);
        return prepared;
    }
}
