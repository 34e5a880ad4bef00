using System.Reflection;
using System.Reflection.Emit;
using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls.Callers;

/// <summary>
/// Which methods call what their IL does not name: virtual methods, delegates, and methods that know nothing of the table and
/// may do so in turn. The JIT may have guessed what is called there, and have inlined it.
/// </summary>
/// <param name="isSearched">Whether a module's calls are known, so that its methods can be followed.</param>
internal sealed class UnknownCalls(Func<Module, bool> isSearched)
{
    private readonly Dictionary<MethodBase, bool> _known = [];

    /// <summary>Whether code of a method may hold what was called so, inlined.</summary>
    public bool AreIn(MethodBase method)
    {
        if (_known.TryGetValue(method, out bool known))
            return known;
        _known[method] = false; // a method that calls itself adds nothing to what it calls else
        return _known[method] = Callees(method).Any(c => c is null || IsUnknown(c) || (OldCode.MayBeInlined(c) && AreIn(c)));
    }

    private bool IsUnknown(MethodBase called) => (called.IsVirtual && !called.IsFinal) || !isSearched(called.Module);

    /// <summary>The methods that a method's IL calls; <see langword="null"/> for one that cannot be told.</summary>
    private static IEnumerable<MethodBase?> Callees(MethodBase method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } il)
            return [null];
        return IlReader.Decode(il)
            .Where(i => i.Code.OperandType == OperandType.InlineMethod && i.Code.FlowControl == FlowControl.Call)
            .Select(i => Resolved(method, i.Token));
    }

    private static MethodBase? Resolved(MethodBase caller, int token)
    {
        try
        {
            Type[]? ofType = caller.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
            return caller.Module.ResolveMethod(token, ofType, caller.IsGenericMethod ? caller.GetGenericArguments() : null);
        }
        catch (Exception e) when (e is IOException or TypeLoadException or MissingMemberException or BadImageFormatException or ArgumentException)
        {
            return null;
        }
    }
}
