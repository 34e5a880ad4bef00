using System.Reflection;
using PvPatch.Engine.PatchedCalls.Loaded;

namespace PvPatch.Engine.PatchedCalls.Callers;

/// <summary>A method whose compiled code holds another one's old code, or may hold it: that method itself, or one that may have inlined it.</summary>
/// <param name="Method">The method.</param>
/// <param name="Reason">Why, for a report.</param>
internal sealed record Holder(MethodBase Method, string Reason);

/// <summary>The code made from a method's IL before it was patched.</summary>
/// <param name="Holders">Whose compiled code it is or may be.</param>
/// <param name="Unknown">What else may hold it and cannot be named; <see langword="null"/> if nothing.</param>
internal sealed record OldBodies(IReadOnlyCollection<Holder> Holders, string? Unknown);

/// <summary>
/// Finds the code that was compiled from a method's IL. The JIT tells nobody whom it inlined where, so every compiled method
/// that could have done it counts, unless its machine code is seen to make all of its calls.
/// </summary>
/// <param name="graph">Who calls whom.</param>
/// <param name="isLoading">Whether the assemblies are being loaded, so that all code there is was compiled when they were published.</param>
internal sealed class OldCode(CallGraph graph, bool isLoading)
{
    /// <summary>The JIT inlines no method of more IL than this on its own account (dotnet/runtime, src/coreclr/jit/jitconfigvalues.h, JitExtDefaultPolicyMaxILProf).</summary>
    private const int LongestInlined = 0x400;

    private readonly MemoryMap _map = MemoryMap.Read();
    private readonly Dictionary<MethodBase, bool> _mayHaveRun = [];

    /// <summary>What holds code of a method's old IL.</summary>
    public OldBodies Of(MethodBase method)
    {
        var found = new Search();
        bool? isCompiled = IsCompiled(method);
        if (isCompiled is null && IsGeneric(method))
            found.Unknown = "generic: an instantiation may have been compiled before";
        else if (isCompiled is null)
            found.Add(method, "it cannot be told whether it was compiled before");
        else if (isCompiled.Value)
            found.Add(method, "compiled before: that code goes through the slot until the method is compiled anew");

        GoUp(method, found);
        return new OldBodies(found.Holders.Values, found.Unknown);
    }

    /// <summary>Follows a method, with what it has inlined itself, into those that may have inlined it.</summary>
    private void GoUp(MethodBase method, Search found)
    {
        if (!found.Seen.Add(method) || !MayBeInlined(method))
            return;
        bool? isCompiled = IsCompiled(method);
        if (isCompiled != false && graph.IsCalledFromElsewhere(method))
            found.Unknown ??= $"{NameOf(method)} is called by names of other assemblies, and who does so may have inlined it";
        foreach (Caller caller in graph.CallersOf(method))
        {
            if (caller.TakesAddress && isCompiled != false)
                found.Unknown ??= $"{NameOf(method)} is called through a delegate, and who does so may have inlined it";
            bool? mayHaveInlined = IsCompiled(caller.Method);
            if (mayHaveInlined is null && IsGeneric(caller.Method))
                found.Unknown ??= $"{NameOf(caller.Method)} is generic, and an instantiation may have inlined it";
            else if (mayHaveInlined != false && MayHaveInlined(caller, method))
                found.Add(caller.Method, $"{NameOf(caller.Method)} was compiled before, and may have inlined it");

            GoUp(caller.Method, found);
        }
    }

    /// <summary>
    /// Whether code exists; <see langword="null"/> where that cannot be told. An instantiation of a generic method is compiled
    /// when someone calls it: where no code exists that could, there is none.
    /// </summary>
    private bool? IsCompiled(MethodBase method)
    {
        if (PrecompiledMethods.Has(method))
            return true;
        if (isLoading)
            return false;
        if (!IsGeneric(method))
            return MethodEntry.IsCompiled(method);
        if (!_mayHaveRun.TryGetValue(method, out bool mayHaveRun))
            _mayHaveRun[method] = mayHaveRun = MayHaveRun(method);
        return mayHaveRun ? null : false;
    }

    private bool MayHaveRun(MethodBase generic)
    {
        var seen = new HashSet<MethodBase> { generic };
        var waiting = new Stack<MethodBase>(seen);
        while (waiting.TryPop(out MethodBase? method))
        {
            if (method.IsVirtual || PrecompiledMethods.Has(method))
                return true;
            foreach (Caller caller in graph.CallersOf(method).Where(c => seen.Add(c.Method)))
            {
                if (!IsGeneric(caller.Method) && IsCompiled(caller.Method) != false)
                    return true;
                if (IsGeneric(caller.Method))
                    waiting.Push(caller.Method);
            }
        }

        return false;
    }

    /// <summary>
    /// Whether a compiled method may have inlined another one. Its present code shows that it has not if it makes as many calls
    /// as its IL; but a method with a loop may have a second body, for the loop alone, which nothing shows.
    /// </summary>
    private unsafe bool MayHaveInlined(Caller caller, MethodBase method)
    {
        if (caller.Calls == 0 || caller.TakesAddress || IsGeneric(method) || HasLoop(caller.Method))
            return true;
        nint* slot = MethodEntry.SlotOf(method, out _);
        return slot is null || NativeCode.Of(caller.Method, _map) is not { } code || code.CallsBy((nint)slot) < caller.Calls;
    }

    private static bool MayBeInlined(MethodBase method) =>
        !method.MethodImplementationFlags.HasFlag(MethodImplAttributes.NoInlining)
        && (method.MethodImplementationFlags.HasFlag(MethodImplAttributes.AggressiveInlining)
            || method.GetMethodBody()?.GetILAsByteArray()?.Length <= LongestInlined);

    private static bool HasLoop(MethodBase method) =>
        method.GetMethodBody()?.GetILAsByteArray() is not { } il
        || Il.IlReader.Decode(il).Any(i => (Il.IlReader.IsBranch(i) && i.Operand <= i.Offset) || i.Targets.Any(t => t <= i.Offset));

    private static bool IsGeneric(MethodBase method) => method.IsGenericMethod || method.DeclaringType is { IsGenericType: true };

    private static string NameOf(MethodBase method) => $"{method.DeclaringType?.Name}.{method.Name}";

    /// <summary>What is found while the callers of one method are followed.</summary>
    private sealed class Search
    {
        public Dictionary<MethodBase, Holder> Holders { get; } = [];

        public HashSet<MethodBase> Seen { get; } = [];

        public string? Unknown { get; set; }

        public void Add(MethodBase method, string reason) => Holders.TryAdd(method, new Holder(method, reason));
    }
}
