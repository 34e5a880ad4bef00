using System.Reflection;
using PvPatch.Engine.PatchedCalls.Loaded;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.InPlace;

/// <summary>Tells in the rows of a report which sites stand in methods that were compiled from the old IL.</summary>
internal static class CompiledMethods
{
    /// <summary>The rows, with those deferred whose method was compiled before, or may have been.</summary>
    public static IReadOnlyList<PatchedSite> Told(Module module, IReadOnlyList<PatchedSite> rows)
    {
        var reasons = new Dictionary<int, string?>();
        var told = new List<PatchedSite>(rows.Count);
        foreach (PatchedSite row in rows)
        {
            string? reason = null;
            if (row.State == SiteState.Patched && !reasons.TryGetValue(row.MethodToken, out reason))
                reasons[row.MethodToken] = reason = ReasonOf(module, row.MethodToken);
            told.Add(reason is null ? row : row with { State = SiteState.Deferred, Reason = reason });
        }

        return told;
    }

    private static string? ReasonOf(Module module, int token)
    {
        MethodBase? method;
        try
        {
            method = module.ResolveMethod(token);
        }
        catch (Exception e) when (e is IOException or TypeLoadException or BadImageFormatException)
        {
            return null; // nor could it be compiled
        }

        if (method is null)
            return null;
        if (method.ContainsGenericParameters)
            return "generic: an instantiation may have been compiled before";
        return MethodEntry.IsCompiled(method) switch
        {
            false => null,
            true => "compiled before: that code goes through the slot until the method is compiled anew",
            null => "it cannot be told whether it was compiled before",
        };
    }
}
