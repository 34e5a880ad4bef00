using System.Reflection;
using PvPatch.Engine.Ops;
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

/// <summary>That a method calls another one.</summary>
/// <param name="How">By whom and how.</param>
/// <param name="Called">Whom.</param>
internal sealed record Call(Caller How, MethodBase Called);

/// <summary>
/// Finds the code that was compiled from a method's IL. The JIT tells nobody whom it inlined where, so every compiled method
/// that could have done it counts, unless its machine code is seen to make all of its calls, or not to read the slots.
/// </summary>
/// <param name="graph">Who calls whom.</param>
/// <param name="mentions">Which code reads which slots; <see langword="null"/> while the assemblies are being loaded, so that all code there is was compiled when they were published.</param>
internal sealed class OldCode(CallGraph graph, Lazy<SlotMentions>? mentions)
{
    /// <summary>The JIT inlines no method of more IL than this on its own account (dotnet/runtime, src/coreclr/jit/jitconfigvalues.h, JitExtDefaultPolicyMaxILProf).</summary>
    private const int LongestInlined = 0x400;

    private readonly MemoryMap _map = MemoryMap.Read();
    private readonly Dictionary<MethodBase, bool> _mayHaveRun = [];
    private readonly UnknownCalls _unknownCalls = new(graph.Sees);

    /// <summary>What holds code of a method's old IL.</summary>
    /// <param name="method">The method.</param>
    /// <param name="ops">The ops whose slots its sites read from fields that it names itself; <see langword="null"/> if it gets one in another way.</param>
    public OldBodies Of(MethodBase method, IReadOnlyList<PvOp>? ops)
    {
        OldBodies possible = ByCalls(method);
        bool isAll = possible.Holders.Count == 0 && possible.Unknown is null;
        return isAll || ops is null || mentions is not { Value: var readers } || !ops.All(readers.Knows) ? possible : BySlots(method, possible, ops, readers);
    }

    /// <summary>Takes out the code that reads none of the method's slots, and puts names to what was unknown.</summary>
    private OldBodies BySlots(MethodBase method, OldBodies possible, IReadOnlyList<PvOp> ops, SlotMentions mentions)
    {
        List<Holder> holders = [.. possible.Holders.Where(h => ops.Any(op => mentions.IsReadBy(h.Method, op)) || PrecompiledMethods.Has(h.Method))];
        if (ops.Any(mentions.IsReadByUnknown))
            return new OldBodies(holders, "code that was made while the program ran reads the slot, and may have inlined it");
        if (possible.Unknown is null)
            return new OldBodies(holders, null);
        HashSet<MethodBase> readers = [.. ops.SelectMany(mentions.ReadersOf)];
        if (PrecompiledMethods.AreIn(method.Module) || (IsGeneric(method) && readers.Contains(method)))
            return new OldBodies(holders, possible.Unknown);

        readers.ExceptWith(holders.Select(h => h.Method));
        holders.AddRange(readers.Where(r => IsGeneric(r) || _unknownCalls.AreIn(r)).Select(r => new Holder(r, $"{NameOf(r)} was compiled before, and may have inlined it")));
        return new OldBodies(holders, null);
    }

    /// <summary>What may hold it, by who calls whom and what is compiled.</summary>
    private OldBodies ByCalls(MethodBase method)
    {
        var holders = new List<Holder>();
        string? unknown = null;
        bool? isCompiled = IsCompiled(method);
        if (isCompiled is null && IsGeneric(method))
            unknown = "generic: an instantiation may have been compiled before";
        else if (isCompiled is null)
            holders.Add(new Holder(method, "it cannot be told whether it was compiled before"));
        else if (isCompiled.Value)
            holders.Add(new Holder(method, "compiled before: that code goes through the slot until the method is compiled anew"));

        var inlinable = new Dictionary<MethodBase, List<Caller>>();
        Collect(method, inlinable);
        foreach (MethodBase inlined in inlinable.Keys)
            unknown ??= UnknownCallerOf(inlined, inlinable[inlined]);
        foreach ((MethodBase caller, List<Call> calls) in ByCaller(inlinable))
        {
            if (caller != method && IsCompiled(caller) is { } known ? known && MayHaveInlined(calls, inlinable) : caller != method && !IsGeneric(caller))
                holders.Add(new Holder(caller, $"{NameOf(caller)} was compiled before, and may have inlined it"));
        }

        return new OldBodies(holders, unknown);
    }

    private static Dictionary<MethodBase, List<Call>> ByCaller(Dictionary<MethodBase, List<Caller>> inlinable)
    {
        var byCaller = new Dictionary<MethodBase, List<Call>>();
        foreach ((MethodBase called, List<Caller> callers) in inlinable)
        {
            foreach (Caller caller in callers)
            {
                if (!byCaller.TryGetValue(caller.Method, out List<Call>? calls))
                    byCaller[caller.Method] = calls = [];
                calls.Add(new Call(caller, called));
            }
        }

        return byCaller;
    }

    /// <summary>Enters the callers of a method that may be inlined, and of those of them that may be inlined with it in turn.</summary>
    private void Collect(MethodBase method, Dictionary<MethodBase, List<Caller>> inlinable)
    {
        if (inlinable.ContainsKey(method) || !MayBeInlined(method))
            return;
        bool isKnownByOtherNames = IsCompiled(method) != false || MayHaveObjects(method.DeclaringType!);
        inlinable[method] = [.. graph.CallersOf(method).Where(c => isKnownByOtherNames || !c.IsByOtherName)];
        foreach (Caller caller in inlinable[method])
            Collect(caller.Method, inlinable);
    }

    /// <summary>Whether compiled code may make objects of a class: without one, no call by another name was ever bound to its methods.</summary>
    private bool MayHaveObjects(Type type) =>
        type.IsValueType || type.IsGenericType
        || type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Any(c => IsCompiled(c) != false || graph.CallersOf(c).Any(u => IsCompiled(u.Method) != false));

    /// <summary>Who may have inlined a method and cannot be named, as a sentence for a report; <see langword="null"/> if nobody.</summary>
    private string? UnknownCallerOf(MethodBase method, List<Caller> callers)
    {
        bool hasRun = IsCompiled(method) != false;
        if (hasRun && callers.Exists(c => c.TakesAddress))
            return $"{NameOf(method)} is called through a delegate, and who does so may have inlined it";
        if (hasRun && graph.IsCalledFromElsewhere(method))
            return $"{NameOf(method)} is called by names of other assemblies, and who does so may have inlined it";
        return callers.Find(c => IsGeneric(c.Method) && IsCompiled(c.Method) is null) is { Method: { } generic }
            ? $"{NameOf(generic)} is generic, and an instantiation may have inlined it"
            : null;
    }

    /// <summary>
    /// Whether code exists; <see langword="null"/> where that cannot be told. An instantiation of a generic method is compiled
    /// when someone calls it: where no code exists that could, there is none.
    /// </summary>
    private bool? IsCompiled(MethodBase method)
    {
        if (PrecompiledMethods.Has(method))
            return true;
        if (mentions is null)
            return false;
        if (!IsGeneric(method))
            return MethodEntry.IsCompiled(method) is false && mentions.Value.HasCode(method) ? true : MethodEntry.IsCompiled(method);
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
    /// Whether a compiled method may have inlined one of those that it calls. Its present code shows that it has not if it makes
    /// as many calls as its IL. That shows nothing where a call could come from a method inlined with it, or where the
    /// method has a loop: then it may have a second body, for the loop alone.
    /// </summary>
    private bool MayHaveInlined(List<Call> calls, Dictionary<MethodBase, List<Caller>> inlinable)
    {
        MethodBase caller = calls[0].How.Method;
        if (HasLoop(caller) || NativeCode.Of(caller, _map) is not { } code)
            return true;
        foreach ((Caller how, MethodBase called) in calls)
        {
            if (how.TakesAddress || how.IsByOtherName || IsGeneric(called) || CallsBy(code, called) < how.Calls)
                return true;
            HashSet<MethodBase> leadHere = CallersWithin(called, inlinable);
            if (calls.Exists(c => leadHere.Contains(c.Called)))
                return true;
        }

        return false;
    }

    private static unsafe int CallsBy(NativeCode code, MethodBase called)
    {
        nint* slot = MethodEntry.SlotOf(called, out _);
        return slot is null ? 0 : code.CallsBy((nint)slot);
    }

    /// <summary>The methods that call one, directly or through others, and could be inlined with their calls.</summary>
    private static HashSet<MethodBase> CallersWithin(MethodBase method, Dictionary<MethodBase, List<Caller>> inlinable)
    {
        var found = new HashSet<MethodBase>();
        var waiting = new Stack<MethodBase>([method]);
        while (waiting.TryPop(out MethodBase? next))
        {
            foreach (Caller caller in inlinable[next].Where(c => inlinable.ContainsKey(c.Method) && found.Add(c.Method)))
                waiting.Push(caller.Method);
        }

        return found;
    }

    /// <summary>Whether the JIT may put a method's IL into the code of its callers.</summary>
    public static bool MayBeInlined(MethodBase method) =>
        !method.MethodImplementationFlags.HasFlag(MethodImplAttributes.NoInlining)
        && (method.MethodImplementationFlags.HasFlag(MethodImplAttributes.AggressiveInlining)
            || method.GetMethodBody()?.GetILAsByteArray()?.Length <= LongestInlined);

    /// <summary>Whether a thread can be in a body of the method for any time: its IL jumps back.</summary>
    public static bool HasLoop(MethodBase method) =>
        method.GetMethodBody()?.GetILAsByteArray() is not { } il
        || Il.IlReader.Decode(il).Any(i => (Il.IlReader.IsBranch(i) && i.Operand <= i.Offset) || i.Targets.Any(t => t <= i.Offset));

    private static bool IsGeneric(MethodBase method) => method.IsGenericMethod || method.DeclaringType is { IsGenericType: true };

    private static string NameOf(MethodBase method) => $"{method.DeclaringType?.Name}.{method.Name}";
}
