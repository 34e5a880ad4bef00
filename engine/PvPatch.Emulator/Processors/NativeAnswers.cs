using PvPatch.Emulator.State;
using PvPatch.Engine.Ops;

namespace PvPatch.Emulator.Processors;

/// <summary>The processor's own answers to the sensitive instructions that a platform is asked about: for one that has none of its own.</summary>
public static unsafe class NativeAnswers
{
    /// <summary>CPUID.</summary>
    public static PvTarget Cpuid { get; } = Method(nameof(ReadCpuid));

    /// <summary>RDMSR.</summary>
    public static PvTarget ReadMsr { get; } = Method(nameof(ReadOwnMsr));

    /// <summary>WRMSR.</summary>
    public static PvTarget WriteMsr { get; } = Method(nameof(WriteOwnMsr));

    /// <summary>IN: the devices.</summary>
    public static PvTarget In { get; } = Method(nameof(ReadDevice));

    private static PvTarget Method(string name) => PvTarget.Method(typeof(NativeAnswers), name);

    private static void ReadCpuid(CpuState* cpu, uint leaf, uint subleaf, CpuidRegisters* result)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            *result = vcpu.Board.ProcessorId.Read(cpu, leaf, subleaf);
            vcpu.Resume();
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
        }
    }

    private static uint ReadOwnMsr(CpuState* cpu, uint msr, ulong* value)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            return MachineOps.Done(vcpu, vcpu.Msrs.Read(msr, out *value));
        }
        catch (Exception exception)
        {
            return MachineOps.Failed(vcpu, exception);
        }
    }

    private static uint WriteOwnMsr(CpuState* cpu, uint msr, ulong value)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            bool done = vcpu.Msrs.Write(msr, value);
            vcpu.PrioritiesChanged();
            return MachineOps.Done(vcpu, done);
        }
        catch (Exception exception)
        {
            return MachineOps.Failed(vcpu, exception);
        }
    }

    private static uint ReadDevice(CpuState* cpu, ushort port, uint size)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            uint value = vcpu.Board.Ports.In(port, size);
            vcpu.Resume();
            return value;
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
            return uint.MaxValue;
        }
    }
}
