using System.Reflection;

namespace PvPatch.Engine.PatchedCalls.Late;

/// <summary>How the calls of one method can be led elsewhere.</summary>
/// <param name="Swapped">The method and its copy; <see langword="null"/> if it cannot be done.</param>
/// <param name="Refusal">Why it cannot be done.</param>
internal sealed record Redirect(SwappedMethod? Swapped, string? Refusal)
{
    /// <summary>Makes and compiles the copy, and leads no call yet.</summary>
    /// <param name="method">The method.</param>
    /// <param name="swap">How calls are led elsewhere.</param>
    /// <param name="patched">The IL of the copy; without it, as the image holds it.</param>
    public static Redirect Prepared(MethodBase method, IMethodSwap swap, RewrittenMethod? patched = null)
    {
        string? refusal = swap.RefusalOf(method);
        try
        {
            if (refusal is null && MethodCopy.Of(method, out refusal, patched) is { } copy)
                return new Redirect(swap.Prepare(method, copy), null);
        }
        catch (Exception e) when (e is IOException or TypeLoadException or MissingMemberException or BadImageFormatException
            or ArgumentException or NotSupportedException or InvalidProgramException)
        {
            refusal = $"it cannot be copied: {e.Message}"; // nothing was led elsewhere: a copy is compiled before that
        }

        return new Redirect(null, refusal);
    }
}
