using System.Reflection;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls;
using PvPatch.Engine.PatchedCalls.Callers;
using PvPatch.Engine.PatchedCalls.Loaded;
using PvPatch.Engine.RuntimeEvents;

namespace PvPatch.Engine.Diagnosis;

/// <summary>
/// Puts together what events told of a patched method, what the engine knows of its old code, and where its entry leads to now.
/// </summary>
/// <param name="index">What was compiled.</param>
/// <param name="modules">The modules in question, by their numbers in events.</param>
/// <param name="bound">Those of them that are bound to the patched copies.</param>
/// <param name="patched">The patched methods.</param>
internal sealed class BodySearch(CompilationIndex index, IReadOnlyDictionary<ulong, Module> modules, IReadOnlySet<Module> bound, IReadOnlyList<PatchedCode> patched)
{
    private readonly Dictionary<ulong, LedMethod> _copies =
        patched.SelectMany(p => p.Led).DistinctBy(l => l.Copy).ToDictionary(l => (ulong)EmittedMethods.HandleOf(l.Copy).Value);

    private readonly CallGraph _calls = new(AppDomain.CurrentDomain.GetAssemblies());
    private readonly MemoryMap _map = MemoryMap.Read();

    /// <summary>Relates events to the times of patches.</summary>
    public required EventClock Clock { get; init; }

    /// <summary>When the diagnosis began, in units of 100 ns of the stopwatch.</summary>
    public required long Start { get; init; }

    /// <summary>Whether an assembly was loaded before the diagnosis began: of others it was told everything.</summary>
    public required Func<Assembly, bool> IsOlder { get; init; }

    /// <summary>What became of a method.</summary>
    public DiagnosedMethod Of(PatchedCode code)
    {
        CompiledBody[] bodies = [.. OwnBodies(code)];
        string? unseen = IsOlder(code.Method.Module.Assembly) ? code.Unknown : null;
        (Compilation Root, InliningDecision Decision)[] decisions =
            [.. index.DecidedOn(EventNames.KeyOf(code.Method)).Where(d => !IsOf(d.Root, code.Method) && CanReach(d.Root) && EventNames.CanMean(d.Decision.Inlinee, code.Method))];
        CompiledBody[] inlined =
        [
            .. OlderInliners(code),
            .. decisions.Where(d => d.Decision.Refusal is null).DistinctBy(d => d.Root).Select(d => Seen(d.Root, MethodOf(d.Root), code) with { Through = Path(d.Root, code.Method) }),
        ];
        return new DiagnosedMethod
        {
            Module = code.Method.Module.Assembly.GetName().Name ?? "",
            Method = code.Sites[0].Method,
            MethodToken = code.Method.MetadataToken,
            Verdict = VerdictOn([.. bodies, .. inlined], unseen),
            Unseen = unseen,
            PatchedAt = code.Il.Written is { } written ? Since(EventClock.TicksOf(written.Ended)) : null,
            RestoredAt = code.Il.Restored is { } restored ? Since(EventClock.TicksOf(restored.Ended)) : null,
            Sites = code.Sites,
            Bodies = bodies,
            InlinedInto = inlined,
            NotInlinedInto = [.. decisions.Where(d => d.Decision.Refusal is not null).Select(d => new RefusedInlining(NameOf(d.Root), d.Decision.Refusal!)).Distinct()],
        };
    }

    private static DiagnosisVerdict VerdictOn(IReadOnlyCollection<CompiledBody> bodies, string? unseen)
    {
        CompiledBody[] older = [.. bodies.Where(b => b.Il != BodyIl.Patched)];
        if (Array.Exists(older, b => b is { Use: BodyUse.Entered, Il: BodyIl.Original }))
            return DiagnosisVerdict.OldBodyRuns;
        if (unseen is not null || Array.Exists(older, b => b.Use == BodyUse.Entered))
            return DiagnosisVerdict.Unknown;
        if (Array.Exists(older, b => b.Use == BodyUse.Loop))
            return DiagnosisVerdict.OldLoopMayRun;
        if (older.Length > 0)
            return DiagnosisVerdict.OldBodyRetired;
        return bodies.Count > 0 ? DiagnosisVerdict.Patched : DiagnosisVerdict.NotCompiled;
    }

    /// <summary>The bodies of the method itself and of its copies, those that no event told of first.</summary>
    private IEnumerable<CompiledBody> OwnBodies(PatchedCode code)
    {
        MethodBase method = code.Method;
        List<Compilation> own = [.. CompilationsOf(method)];
        CompiledBody[] seen = [.. own.Select(c => Seen(c, method, code))];
        if (OlderEntered(method, own, code.Il) is { } entered)
            yield return entered;
        else if (code.Older.Contains(method) && !HasWholeStory(method, own))
            yield return Older(method, CodeTier.Unknown, BodyIl.Original, PassedUse(method));
        foreach (CompiledBody body in seen)
            yield return body;
        foreach (LedMethod led in code.Led.Where(l => l.Method == method))
            yield return Copy(led, code);
    }

    /// <summary>Bodies of callers that no event told of, and that may have inlined the method.</summary>
    private IEnumerable<CompiledBody> OlderInliners(PatchedCode code)
    {
        foreach (MethodBase caller in code.Older.Where(o => o != code.Method))
        {
            List<Compilation> own = [.. CompilationsOf(caller)];
            if (HasWholeStory(caller, own))
                continue;
            CompiledBody? entered = OlderEntered(caller, own, code.Il);
            yield return (entered ?? Older(caller, CodeTier.Unknown, BodyIl.Unknown, PassedUse(caller))) with { Il = BodyIl.Unknown, Through = [] };
        }
    }

    /// <summary>The body that calls of a method lead to, if no event told of it; <see langword="null"/> if one did, or if it cannot be seen.</summary>
    private CompiledBody? OlderEntered(MethodBase method, IReadOnlyCollection<Compilation> seen, IlHistory il)
    {
        nint address = IsGeneric(method) ? 0 : MethodEntry.CodeOf(method);
        if (address == 0 || seen.Any(c => c.Address == address) || _copies.Values.Any(c => c.Method == method && c.Holds))
            return null;
        bool isBeforePatch = il.Written is not { } written || (IsOlder(method.Module.Assembly) && EventClock.TicksOf(written.Begun) > Start);
        BodyIl from = il.IsPatchedAtFirst ? BodyIl.Patched : isBeforePatch ? BodyIl.Original : BodyIl.Unknown;
        if (NativeCode.Of(method, _map) is { } code)
            return Older(method, CodeTier.Unknown, from, BodyUse.Entered) with { Address = code.Start, Size = code.Length };
        return PrecompiledMethods.Has(method)
            ? Older(method, CodeTier.ReadyToRun, BodyIl.Original, BodyUse.Entered) with { Address = address }
            : null;
    }

    /// <summary>Whether events told of the method's first body, so that there is no older one.</summary>
    private bool HasWholeStory(MethodBase method, IReadOnlyCollection<Compilation> seen) =>
        !IsOlder(method.Module.Assembly)
        || seen.MinBy(c => c.Ready) is { Tier: CodeTier.Tier0 or CodeTier.MinOpts or CodeTier.FullOpts or CodeTier.ReadyToRun };

    private static CompiledBody Older(MethodBase method, CodeTier tier, BodyIl il, BodyUse use) =>
        new() { Method = NameOf(method), Tier = tier, Il = il, Use = use };

    private CompiledBody Copy(LedMethod led, PatchedCode code)
    {
        Compilation? seen = index.OfMethod((ulong)EmittedMethods.HandleOf(led.Copy).Value).LastOrDefault();
        CompiledBody body = seen is null
            ? Older(led.Method, CodeTier.FullOpts, BodyIl.Patched, led.Holds ? BodyUse.Entered : PassedUse(led.Method))
            : Seen(seen, led.Method, code);
        return body with { IsCopy = true, Il = BodyIl.Patched };
    }

    private CompiledBody Seen(Compilation compilation, MethodBase? method, PatchedCode code) => new()
    {
        Method = NameOf(compilation),
        Tier = compilation.Tier,
        IsCopy = _copies.ContainsKey(compilation.MethodId),
        Il = IlOf(compilation, code.Il),
        Use = UseOf(compilation, method),
        Milliseconds = Clock.IsSet ? Since(Clock.Earliest(compilation.Ready)) : null,
        Address = compilation.Address,
        Size = compilation.Size == 0 ? null : compilation.Size,
    };

    /// <summary>From which IL code was made: the JIT reads it, that of inlined methods too, between the beginning and the end of a compilation.</summary>
    private BodyIl IlOf(Compilation compilation, IlHistory il)
    {
        if (il.IsPatchedAtFirst)
            return BodyIl.Patched;
        if (compilation.Tier == CodeTier.ReadyToRun || il.Written is not { } written)
            return BodyIl.Original;
        if (!Clock.IsSet)
            return BodyIl.Unknown;
        bool IsBefore(long timestamp) => Clock.Latest(compilation.Ready) < EventClock.TicksOf(timestamp);
        bool IsAfter(long timestamp) => compilation.Begun is { } begun && Clock.Earliest(begun) > EventClock.TicksOf(timestamp);
        if (IsBefore(written.Begun) || (il.Restored is { } restored && IsAfter(restored.Ended)))
            return BodyIl.Original;
        return IsAfter(written.Ended) && (il.Restored is not { } undone || IsBefore(undone.Begun)) ? BodyIl.Patched : BodyIl.Unknown;
    }

    private BodyUse UseOf(Compilation compilation, MethodBase? method)
    {
        if (_copies.TryGetValue(compilation.MethodId, out LedMethod? led))
            return led.Holds ? BodyUse.Entered : PassedUse(led.Method);
        if (compilation.Tier == CodeTier.Osr)
            return BodyUse.Loop;
        nint entered = method is null || IsGeneric(method) ? 0 : MethodEntry.CodeOf(method);
        bool isEntered = entered != 0
            ? entered == compilation.Address
            : index.OfMethod(compilation.MethodId).Last(c => c.Tier != CodeTier.Osr) == compilation; // the newest takes the calls
        return isEntered ? BodyUse.Entered : PassedUse(method);
    }

    /// <summary>Who comes to a body that calls do not lead to any more.</summary>
    private static BodyUse PassedUse(MethodBase? method) => method is null || OldCode.HasLoop(method) ? BodyUse.Loop : BodyUse.Retired;

    /// <summary>The bodies of a method that events told of, those of all instantiations.</summary>
    private IEnumerable<Compilation> CompilationsOf(MethodBase method)
    {
        IEnumerable<Compilation> compiled = modules.Where(m => m.Value == method.Module).SelectMany(m => index.OfToken(m.Key, method.MetadataToken));
        IEnumerable<Compilation> precompiled = IsGeneric(method)
            ? index.Precompiled(EventNames.KeyOf(method)).Where(c => EventNames.CanMean(c.Name, method))
            : index.OfMethod((ulong)method.MethodHandle.Value).Where(c => c.Tier == CodeTier.ReadyToRun);
        return precompiled.Concat(compiled).OrderBy(c => c.Ready);
    }

    private bool IsOf(Compilation compilation, MethodBase method) =>
        compilation.Token == method.MetadataToken && modules.GetValueOrDefault(compilation.ModuleId) == method.Module;

    /// <summary>Whether code can hold the patched copies' methods, and not those of a copy in another load context.</summary>
    private bool CanReach(Compilation root) => !modules.TryGetValue(root.ModuleId, out Module? module) || bound.Contains(module);

    /// <summary>The method that was compiled; <see langword="null"/> for emitted ones and those of modules that name no patched one.</summary>
    private MethodBase? MethodOf(Compilation root) =>
        root.Token != 0 && modules.TryGetValue(root.ModuleId, out Module? module) ? module.ResolveMethod(root.Token) : null;

    /// <summary>The methods that were inlined between a root and a method, by their IL: events tell only what was inlined, not where.</summary>
    private List<string> Path(Compilation root, MethodBase method)
    {
        HashSet<(string, string)> inlined = [.. root.Decisions.Where(d => d.Refusal is null).Select(d => EventNames.KeyOf(d.Inlinee))];
        var path = new List<string>();
        var passed = new HashSet<MethodBase> { method };
        for (MethodBase? next = method; next is not null;)
        {
            MethodBase[] callers = [.. _calls.CallersOf(next).Select(c => c.Method)];
            if (Array.Exists(callers, c => EventNames.KeyOf(c) == EventNames.KeyOf(root.Name)))
                break;
            next = Array.Find(callers, c => inlined.Contains(EventNames.KeyOf(c)) && passed.Add(c));
            if (next is not null)
                path.Insert(0, NameOf(next));
        }

        return path;
    }

    private double Since(long ticks) => Math.Round((ticks - Start) / (double)TimeSpan.TicksPerMillisecond, 3);

    private static bool IsGeneric(MethodBase method) => method.IsGenericMethod || method.DeclaringType is { IsGenericType: true };

    private string NameOf(Compilation compilation) =>
        _copies.TryGetValue(compilation.MethodId, out LedMethod? led) ? NameOf(led.Method) : $"{compilation.Name}";

    private static string NameOf(MethodBase method)
    {
        (string type, string name) = EventNames.KeyOf(method);
        return type.Length == 0 ? name : $"{type}.{name}";
    }
}
