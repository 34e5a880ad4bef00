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
    private readonly Dictionary<long, List<Compilation>> _open = [];
    private readonly List<Compilation> _done = [];
    private readonly Dictionary<ulong, List<Compilation>> _byMethod = [];
    private long _stray;

    /// <summary>What was compiled so far, in the order in which it was told.</summary>
    public IReadOnlyList<Compilation> Compilations
    {
        get
        {
            lock (_gate)
                return [.. _done];
        }
    }

    /// <summary>Whether a method of a name was compiled that no other has.</summary>
    public bool HasSeen(string name)
    {
        lock (_gate)
            return _done.FindLast(c => string.Equals(c.Name.Name, name, StringComparison.Ordinal)) is not null;
    }

    /// <summary>How many decisions about inlining belong to a compilation whose beginning was lost.</summary>
    public long Stray => Interlocked.Read(ref _stray);

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
                case MethodJittingStarted when payload is [ulong method, ulong module, uint token, _, string type, string name, string signature, ..]:
                    OpenOn(eventData.OSThreadId).Add(new Compilation
                    {
                        MethodId = method, ModuleId = module, Token = (int)token, Name = Known(type, name, signature), Begun = eventData.TimeStamp.Ticks,
                    });
                    break;
                case InliningSucceeded when payload is [string rootType, string rootName, string rootSignature, _, _, _, string type, string name, string signature, ..]:
                    Decide(eventData.OSThreadId, Known(rootType, rootName, rootSignature), new InliningDecision(Known(type, name, signature), null));
                    break;
                case InliningFailed when payload is [string rootType, string rootName, string rootSignature, _, _, _, string type, string name, string signature, _, string reason, ..]:
                    Decide(eventData.OSThreadId, Known(rootType, rootName, rootSignature), new InliningDecision(Known(type, name, signature), reason));
                    break;
                case MethodLoadVerbose when payload is [ulong method, ulong module, ulong address, uint size, uint token, uint flags, string type, string name, string signature, ..]:
                    Compilation begun = TakenFrom(eventData.OSThreadId, method)
                        ?? new Compilation { MethodId = method, ModuleId = module, Token = (int)token, Name = Known(type, name, signature) };
                    Enter(begun.Done(eventData.TimeStamp.Ticks, (CodeTier)((flags >> 7) & 7), (nint)address, (int)size));
                    break;
                case R2RGetEntryPoint when payload is [ulong method, string type, string name, string signature, ulong address, ..]:
                    Enter(new Compilation { MethodId = method, Name = Known(type, name, signature) }.Done(eventData.TimeStamp.Ticks, CodeTier.ReadyToRun, (nint)address, 0));
                    break;
                case MethodUnloadVerbose when payload is [ulong method, ..] && _byMethod.Remove(method, out List<Compilation>? freed):
                    freed.ForEach(c => c.IsFreed = true); // the number may come again, for another method
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
    private List<Compilation> OpenOn(long thread)
    {
        if (!_open.TryGetValue(thread, out List<Compilation>? open))
            _open[thread] = open = [];
        return open;
    }

    private void Decide(long thread, MethodName root, InliningDecision decision)
    {
        if (OpenOn(thread).FindLast(c => ReferenceEquals(c.Name, root)) is { } compilation)
            compilation.Add(decision);
        else
            _stray++;
    }

    /// <summary>Ends a compilation, and those begun after it on the same thread: they came to nothing.</summary>
    private Compilation? TakenFrom(long thread, ulong method)
    {
        List<Compilation> open = OpenOn(thread);
        int index = open.FindLastIndex(c => c.MethodId == method);
        if (index < 0)
            return null;
        Compilation taken = open[index];
        open.RemoveRange(index, open.Count - index);
        return taken;
    }

    private void Enter(Compilation compilation)
    {
        _done.Add(compilation);
        if (!_byMethod.TryGetValue(compilation.MethodId, out List<Compilation>? bodies))
            _byMethod[compilation.MethodId] = bodies = [];
        bodies.Add(compilation);
    }
}
