using PvPatch.Engine.RuntimeEvents;

namespace PvPatch.Engine.Diagnosis;

/// <summary>What the runtime compiled, by what it is asked for.</summary>
internal sealed class CompilationIndex
{
    private readonly ILookup<ulong, Compilation> _byMethod;
    private readonly ILookup<(ulong Module, int Token), Compilation> _byToken;
    private readonly ILookup<(string Type, string Name), Compilation> _precompiled;
    private readonly ILookup<(string Type, string Name), (Compilation Root, InliningDecision Decision)> _byInlinee;

    /// <summary>Makes the index.</summary>
    public CompilationIndex(IEnumerable<Compilation> seen)
    {
        Compilation[] all = [.. seen.OrderBy(c => c.Ready)];
        _byMethod = all.ToLookup(c => c.MethodId);
        _byToken = all.Where(c => c.Token != 0).ToLookup(c => (c.ModuleId, c.Token));
        _precompiled = all.Where(c => c.Tier == CodeTier.ReadyToRun).ToLookup(c => EventNames.KeyOf(c.Name));
        _byInlinee = all.SelectMany(c => c.Decisions, (c, d) => (Root: c, Decision: d)).ToLookup(d => EventNames.KeyOf(d.Decision.Inlinee));
    }

    /// <summary>The bodies of one instantiation, by the runtime's number, the oldest first.</summary>
    public IEnumerable<Compilation> OfMethod(ulong methodId) => _byMethod[methodId];

    /// <summary>The bodies of all instantiations of a method.</summary>
    public IEnumerable<Compilation> OfToken(ulong moduleId, int token) => _byToken[(moduleId, token)];

    /// <summary>The precompiled bodies of methods of a name.</summary>
    public IEnumerable<Compilation> Precompiled((string Type, string Name) key) => _precompiled[key];

    /// <summary>The bodies whose compilation decided about inlining a method of a name, with the decision.</summary>
    public IEnumerable<(Compilation Root, InliningDecision Decision)> DecidedOn((string Type, string Name) key) => _byInlinee[key];
}
