using System.Diagnostics.Tracing;

namespace PvPatch.Engine.RuntimeEvents;

/// <summary>
/// Listens to what the runtime compiles in this process, as it tells by the events of <c>Microsoft-Windows-DotNETRuntime</c>
/// (dotnet/runtime, src/coreclr/vm/ClrEtwAll.man). They come late, from a thread of the runtime, and some may be lost.
/// </summary>
/// <param name="log">Takes them down.</param>
internal sealed class CompilationListener(CompilationLog log) : EventListener
{
    /// <summary>Name of the runtime's own event source.</summary>
    public const string Runtime = "Microsoft-Windows-DotNETRuntime";

    private const EventKeywords Jit = (EventKeywords)0x10, JitTracing = (EventKeywords)0x1000, CompilationDiagnostic = (EventKeywords)0x2000000000;

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
        long thread = eventData.OSThreadId, time = eventData.TimeStamp.Ticks;
        switch (eventData.EventId)
        {
            case MethodJittingStarted when payload is [ulong method, _, _, _, string type, string name, string signature, ..]:
                log.Begin(thread, time, method, new MethodName(type, name, signature));
                break;
            case InliningSucceeded when payload is [string rootType, string rootName, string rootSignature, _, _, _, string type, string name, string signature, ..]:
                log.Decide(thread, new MethodName(rootType, rootName, rootSignature), new MethodName(type, name, signature), refusal: null);
                break;
            case InliningFailed when payload is [string rootType, string rootName, string rootSignature, _, _, _, string type, string name, string signature, _, string reason, ..]:
                log.Decide(thread, new MethodName(rootType, rootName, rootSignature), new MethodName(type, name, signature), reason);
                break;
            case MethodLoadVerbose when payload is [ulong method, ulong module, ulong address, uint size, uint token, uint flags, string type, string name, string signature, ..]:
                log.End(thread, new Compilation
                {
                    MethodId = method,
                    ModuleId = module,
                    Token = (int)token,
                    Name = new MethodName(type, name, signature),
                    Ready = time,
                    Tier = (CodeTier)((flags >> 7) & 7),
                    Address = (nint)address,
                    Size = (int)size,
                });
                break;
            case R2RGetEntryPoint when payload is [ulong method, string type, string name, string signature, ulong address, ..]:
                log.Fetch(new Compilation { MethodId = method, Name = new MethodName(type, name, signature), Ready = time, Tier = CodeTier.ReadyToRun, Address = (nint)address });
                break;
            case MethodUnloadVerbose when payload is [ulong method, ..]:
                log.Free(method);
                break;
        }
    }
}
