using System.Diagnostics.Tracing;

namespace PvPatch.Engine.RuntimeEvents;

/// <summary>
/// Takes down what the runtime compiles in this process, as it tells by the events of <c>Microsoft-Windows-DotNETRuntime</c>
/// (dotnet/runtime, src/coreclr/vm/ClrEtwAll.man). They come late, from a thread of the runtime, and some may be lost.
/// </summary>
internal sealed class CompilationListener : EventListener
{
    /// <summary>Name of the runtime's own event source.</summary>
    public const string Runtime = "Microsoft-Windows-DotNETRuntime";

    private const EventKeywords Jit = (EventKeywords)0x10, JitTracing = (EventKeywords)0x1000, CompilationDiagnostic = (EventKeywords)0x2000000000;

    private readonly Lock _gate = new();
    private readonly Dictionary<MethodName, MethodName> _names = [];
    private readonly Dictionary<long, List<OpenCompilation>> _open = [];
    private readonly Dictionary<ulong, List<Compilation>> _done = [];
    private readonly HashSet<string> _emitted = new(StringComparer.Ordinal);
    private long _compiled;

    /// <summary>What was compiled so far and not freed since.</summary>
    public IReadOnlyList<Compilation> Compilations
    {
        get
        {
            lock (_gate)
                return [.. _done.Values.SelectMany(c => c)];
        }
    }

    /// <summary>How many compilations were told of.</summary>
    public long Compiled => Interlocked.Read(ref _compiled);

    /// <summary>Whether an emitted method of a name was compiled.</summary>
    public bool HasSeen(string emitted)
    {
        lock (_gate)
            return _emitted.Contains(emitted);
    }

    /// <inheritdoc/>
    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (string.Equals(eventSource.Name, Runtime, StringComparison.Ordinal))
            EnableEvents(eventSource, EventLevel.Verbose, Jit | JitTracing | CompilationDiagnostic);
    }

    /// <inheritdoc/>
    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        const int MethodLoadVerbose = 143, MethodUnloadVerbose = 144, MethodJittingStarted = 145, R2RGetEntryPoint = 159, InliningSucceeded = 185, InliningFailed = 192;
        if (eventData.Payload is not { } payload)
            return;
        lock (_gate)
        {
            switch (eventData.EventId)
            {
                case MethodJittingStarted when payload is [ulong method, _, _, _, string type, string name, string signature, ..]:
                    OpenOn(eventData.OSThreadId).Add(new OpenCompilation(method, Known(type, name, signature), eventData.TimeStamp.Ticks, []));
                    break;
                case InliningSucceeded when payload is [string rootType, string rootName, string rootSignature, _, _, _, string type, string name, string signature, ..]:
                    Decide(eventData.OSThreadId, Known(rootType, rootName, rootSignature), new InliningDecision(Known(type, name, signature), null));
                    break;
                case InliningFailed when payload is [string rootType, string rootName, string rootSignature, _, _, _, string type, string name, string signature, _, string reason, ..]:
                    Decide(eventData.OSThreadId, Known(rootType, rootName, rootSignature), new InliningDecision(Known(type, name, signature), reason));
                    break;
                case MethodLoadVerbose when payload is [ulong method, ulong module, ulong address, uint size, uint token, uint flags, string type, string name, string signature, ..]:
                    MethodName compiled = Known(type, name, signature);
                    OpenCompilation? begun = TakenFrom(eventData.OSThreadId, method, compiled);
                    Enter(new Compilation
                    {
                        MethodId = method, ModuleId = module, Token = (int)token, Name = compiled, Begun = begun?.Begun, Ready = eventData.TimeStamp.Ticks,
                        Tier = (CodeTier)((flags >> 7) & 7), Address = (nint)address, Size = (int)size, Decisions = begun?.Decisions ?? [],
                    });
                    _compiled++;
                    if (token == 0)
                        _emitted.Add(name);
                    break;
                case R2RGetEntryPoint when payload is [ulong method, string type, string name, string signature, ulong address, ..]:
                    Enter(new Compilation
                    {
                        MethodId = method, Name = Known(type, name, signature), Ready = eventData.TimeStamp.Ticks, Tier = CodeTier.ReadyToRun, Address = (nint)address,
                    });
                    break;
                case MethodUnloadVerbose when payload is [ulong method, ..]:
                    _done.Remove(method); // the number may come again, for another method
                    break;
            }
        }
    }

    /// <summary>Each name is kept once: most come many times.</summary>
    private MethodName Known(string type, string name, string signature)
    {
        var wanted = new MethodName(type, name, signature);
        if (_names.TryGetValue(wanted, out MethodName? known))
            return known;
        _names.Add(wanted, wanted);
        return wanted;
    }

    /// <summary>What a thread has begun to compile. It may be several: a compilation can run code that has to be compiled first.</summary>
    private List<OpenCompilation> OpenOn(long thread)
    {
        if (!_open.TryGetValue(thread, out List<OpenCompilation>? open))
            _open[thread] = open = [];
        return open;
    }

    private void Decide(long thread, MethodName root, InliningDecision decision)
    {
        List<OpenCompilation> open = OpenOn(thread);
        OpenCompilation? compilation = open.FindLast(c => ReferenceEquals(c.Name, root));
        if (compilation is null)
            open.Add(compilation = new OpenCompilation(null, root, null, [])); // it was begun before, or that was lost
        compilation.Decisions.Add(decision);
    }

    /// <summary>Ends a compilation, and those begun after it on the same thread: they came to nothing.</summary>
    private OpenCompilation? TakenFrom(long thread, ulong method, MethodName name)
    {
        List<OpenCompilation> open = OpenOn(thread);
        int index = open.FindLastIndex(c => c.Method is { } known ? known == method : ReferenceEquals(c.Name, name));
        if (index < 0)
            return null;
        OpenCompilation taken = open[index];
        open.RemoveRange(index, open.Count - index);
        return taken;
    }

    private void Enter(Compilation compilation)
    {
        if (!_done.TryGetValue(compilation.MethodId, out List<Compilation>? bodies))
            _done[compilation.MethodId] = bodies = [];
        bodies.Add(compilation);
    }

    /// <summary>A compilation that a thread is in.</summary>
    private sealed record OpenCompilation(ulong? Method, MethodName Name, long? Begun, List<InliningDecision> Decisions);
}
