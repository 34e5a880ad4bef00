namespace PvPatch.Engine.RuntimeEvents;

/// <summary>What was compiled, put together from what is told of each step. Steps may be missing.</summary>
internal sealed class CompilationLog
{
    private readonly Lock _gate = new();
    private readonly Dictionary<MethodName, MethodName> _names = [];
    private readonly Dictionary<long, List<OpenCompilation>> _open = [];
    private readonly Dictionary<ulong, List<Compilation>> _bodies = [];
    private readonly HashSet<string> _emitted = new(StringComparer.Ordinal);
    private long _ended;

    /// <summary>The bodies told of so far, but for those freed since.</summary>
    public IReadOnlyList<Compilation> Bodies
    {
        get
        {
            lock (_gate)
                return [.. _bodies.Values.SelectMany(c => c)];
        }
    }

    /// <summary>How many compilations have ended.</summary>
    public long Ended => Interlocked.Read(ref _ended);

    /// <summary>Whether an emitted method of a name was compiled.</summary>
    public bool Has(string emitted)
    {
        lock (_gate)
            return _emitted.Contains(emitted);
    }

    /// <summary>A thread begins to compile a method. It may do so within another compilation, which has to run code that is compiled first.</summary>
    public void Begin(long thread, long time, ulong method, MethodName name)
    {
        lock (_gate)
            OpenOn(thread).Add(new OpenCompilation(method, Known(name), time, []));
    }

    /// <summary>The JIT decides about inlining a method into the one that a thread compiles.</summary>
    /// <param name="thread">The thread.</param>
    /// <param name="root">The method compiled.</param>
    /// <param name="inlinee">The method called.</param>
    /// <param name="refusal">Why it is not inlined; <see langword="null"/> if it is.</param>
    public void Decide(long thread, MethodName root, MethodName inlinee, string? refusal)
    {
        lock (_gate)
        {
            List<OpenCompilation> open = OpenOn(thread);
            OpenCompilation? compilation = open.FindLast(c => c.Name == root);
            if (compilation is null)
                open.Add(compilation = new OpenCompilation(null, Known(root), null, [])); // its beginning was not told
            compilation.Decisions.Add(new InliningDecision(Known(inlinee), refusal));
        }
    }

    /// <summary>A thread has compiled a method. What it had begun after that came to nothing.</summary>
    public void End(long thread, Compilation body)
    {
        lock (_gate)
        {
            List<OpenCompilation> open = OpenOn(thread);
            int index = open.FindLastIndex(c => c.Method is { } known ? known == body.MethodId : c.Name == body.Name);
            OpenCompilation? begun = index < 0 ? null : open[index];
            if (begun is not null)
                open.RemoveRange(index, open.Count - index);
            Enter(body with { Name = Known(body.Name), Begun = begun?.Begun, Decisions = begun?.Decisions ?? [] });
            _ended++;
            if (body.Token == 0)
                _emitted.Add(body.Name.Name);
        }
    }

    /// <summary>Precompiled code of a method was fetched.</summary>
    public void Fetch(Compilation body)
    {
        lock (_gate)
            Enter(body with { Name = Known(body.Name) });
    }

    /// <summary>All code of a method is freed. Its number may come again, for another method.</summary>
    public void Free(ulong method)
    {
        lock (_gate)
            _bodies.Remove(method);
    }

    /// <summary>Each name is kept once: most come many times.</summary>
    private MethodName Known(MethodName name)
    {
        if (_names.TryGetValue(name, out MethodName? known))
            return known;
        _names.Add(name, name);
        return name;
    }

    private List<OpenCompilation> OpenOn(long thread)
    {
        if (!_open.TryGetValue(thread, out List<OpenCompilation>? open))
            _open[thread] = open = [];
        return open;
    }

    private void Enter(Compilation body)
    {
        if (!_bodies.TryGetValue(body.MethodId, out List<Compilation>? bodies))
            _bodies[body.MethodId] = bodies = [];
        bodies.Add(body);
    }

    /// <summary>A compilation that a thread is in.</summary>
    private sealed record OpenCompilation(ulong? Method, MethodName Name, long? Begun, List<InliningDecision> Decisions);
}
