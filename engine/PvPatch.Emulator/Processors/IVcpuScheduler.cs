namespace PvPatch.Emulator.Processors;

/// <summary>Shares the machine's one host thread among its vCPUs.</summary>
internal interface IVcpuScheduler
{
    /// <summary>The vCPU that has the thread.</summary>
    Vcpu Running { get; }

    /// <summary>PAUSE.</summary>
    void Pause(Vcpu vcpu);

    /// <summary>HLT of a C# guest; the interpreter tells it by its stop reason.</summary>
    void Halt(Vcpu vcpu);

    /// <summary>A directed yield: another vCPU runs for a slice if it can.</summary>
    void YieldTo(int from, int index);
}
