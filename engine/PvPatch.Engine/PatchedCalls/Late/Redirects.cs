using System.Collections.Concurrent;
using System.Reflection;

namespace PvPatch.Engine.PatchedCalls.Late;

/// <summary>What was done to lead the calls of one method elsewhere.</summary>
/// <param name="Swapped">The swap; <see langword="null"/> if there is none.</param>
/// <param name="Refusal">Why there is none.</param>
internal sealed record Redirect(SwappedMethod? Swapped, string? Refusal);

/// <summary>The methods whose calls are led to copies made from their IL as it now is.</summary>
/// <param name="swap">How calls are led elsewhere.</param>
internal sealed class Redirects(IMethodSwap swap)
{
    private readonly ConcurrentDictionary<MethodBase, Lazy<Redirect>> _methods = [];

    /// <summary>Redirects a method that holds old code, unless that is done or cannot be.</summary>
    public Redirect Of(MethodBase method) => _methods.GetOrAdd(method, m => new Lazy<Redirect>(() => Redirected(m))).Value;

    /// <summary>Whether calls still lead to the copy: the runtime may have put code of its own in its place.</summary>
    public bool Holds(SwappedMethod swapped) => swap.Holds(swapped);

    /// <summary>Leads every call to where it led before.</summary>
    public void Undo()
    {
        foreach (SwappedMethod swapped in _methods.Values.Select(r => r.Value.Swapped).OfType<SwappedMethod>())
            swap.Undo(swapped);
        _methods.Clear();
    }

    private Redirect Redirected(MethodBase method)
    {
        string? refusal = swap.RefusalOf(method);
        try
        {
            if (refusal is null && MethodCopy.Of(method, out refusal) is { } copy)
                return new Redirect(swap.Swap(method, copy), null);
        }
        catch (Exception e) when (e is IOException or TypeLoadException or MissingMemberException or BadImageFormatException
            or ArgumentException or NotSupportedException or InvalidProgramException)
        {
            refusal = $"it cannot be copied: {e.Message}"; // nothing was led elsewhere: a copy is compiled before that
        }

        return new Redirect(null, refusal);
    }
}
