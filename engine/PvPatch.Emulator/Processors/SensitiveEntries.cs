using System.Runtime.InteropServices;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Processors;

/// <summary>
/// The machine's side of <see cref="SensitiveOps"/>. Each entry finds its vCPU through the state it is given, asks the
/// platform, then the processor or a device, and takes events that became deliverable. Nothing is thrown through the
/// unmanaged frame: an exception is an exit of the machine.
/// </summary>
internal static unsafe class SensitiveEntries
{
    private const uint InvalidOpcode = 6;
    private const uint GeneralProtection = 13;

    public static void Fill(SensitiveOps* ops)
    {
        ops->Cpuid = &Cpuid;
        ops->Rdmsr = &Rdmsr;
        ops->Wrmsr = &Wrmsr;
        ops->In = &In;
        ops->Out = &Out;
        ops->Rdtsc = &Rdtsc;
        ops->Random = &Random;
        ops->Hlt = &Hlt;
        ops->Pause = &Pause;
        ops->Wbinvd = &Wbinvd;
        ops->Invlpg = &Invlpg;
        ops->MovToCr = &MovToCr;
        ops->Vmcall = &Vmcall;
        ops->InterruptWindow = &InterruptWindow;
        ops->RaiseException = &RaiseException;
    }

    [UnmanagedCallersOnly]
    private static void Cpuid(CpuState* cpu, uint leaf, uint subleaf, CpuidRegisters* result)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            *result = vcpu.Board.Platform.Cpuid(cpu, leaf, subleaf, vcpu.Board.ProcessorId.Read(cpu, leaf, subleaf));
            vcpu.Resume();
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static uint Rdmsr(CpuState* cpu, uint msr, ulong* value)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            vcpu.SettleLazyEoi();
            bool done = vcpu.Board.Platform.ReadMsr(cpu, msr, out *value) switch
            {
                MsrAnswer.Done => true,
                MsrAnswer.Fault => false,
                _ => vcpu.Msrs.Read(msr, out *value),
            };
            if (done) vcpu.Board.Hooks.Msr(cpu, msr, *value, isWrite: false);
            vcpu.Resume();
            return done ? 0 : GeneralProtection;
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
            return GeneralProtection;
        }
    }

    [UnmanagedCallersOnly]
    private static uint Wrmsr(CpuState* cpu, uint msr, ulong value)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            vcpu.Board.Hooks.Msr(cpu, msr, value, isWrite: true);
            vcpu.SettleLazyEoi();
            bool done = vcpu.Board.Platform.WriteMsr(cpu, msr, value) switch
            {
                MsrAnswer.Done => true,
                MsrAnswer.Fault => false,
                _ => vcpu.Msrs.Write(msr, value),
            };
            vcpu.PrioritiesChanged();
            vcpu.Resume();
            return done ? 0 : GeneralProtection;
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
            return GeneralProtection;
        }
    }

    [UnmanagedCallersOnly]
    private static uint In(CpuState* cpu, ushort port, uint size)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            if (!vcpu.Board.Platform.In(cpu, port, size, out uint value)) value = vcpu.Board.Ports.In(port, size);
            vcpu.Board.Hooks.Port(cpu, port, size, value, isWrite: false);
            vcpu.Resume();
            return value;
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
            return uint.MaxValue;
        }
    }

    [UnmanagedCallersOnly]
    private static void Out(CpuState* cpu, ushort port, uint size, uint value)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            vcpu.Board.Hooks.Port(cpu, port, size, value, isWrite: true);
            vcpu.Board.Ports.Out(port, size, value);
            vcpu.Resume();
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static ulong Rdtsc(CpuState* cpu)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            ulong value = vcpu.Tsc.Read();
            vcpu.Resume();
            return value;
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static ulong Random(CpuState* cpu)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            return vcpu.Board.Random.Next();
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static void Hlt(CpuState* cpu)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            vcpu.SettleLazyEoi();
            vcpu.Board.Scheduler.Halt(vcpu);
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static void Pause(CpuState* cpu)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            vcpu.Board.Scheduler.Pause(vcpu);
            vcpu.Resume();
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
        }
    }

    /// <summary>Guest memory is the host's, whose caches are coherent: nothing is ever left to write back.</summary>
    [UnmanagedCallersOnly]
    private static void Wbinvd(CpuState* cpu) => Thread.MemoryBarrier();

    [UnmanagedCallersOnly]
    private static void Invlpg(CpuState* cpu, ulong linear)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            Tlb.FlushPage(cpu, linear);
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static uint MovToCr(CpuState* cpu, uint number, ulong value)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            uint fault = vcpu.WriteControlRegister(number, value);
            vcpu.Resume();
            return fault;
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
            return GeneralProtection;
        }
    }

    [UnmanagedCallersOnly]
    private static uint Vmcall(CpuState* cpu)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            vcpu.SettleLazyEoi();
            bool done = vcpu.Board.Platform.Hypercall(cpu) || vcpu.Board.AsksOwner(cpu);
            vcpu.Resume();
            return done ? 0 : InvalidOpcode;
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
            return InvalidOpcode;
        }
    }

    [UnmanagedCallersOnly]
    private static void InterruptWindow(CpuState* cpu)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            vcpu.TakeEvents();
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static void RaiseException(CpuState* cpu, uint vector, uint errorCode)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            vcpu.RaiseException((byte)vector, errorCode);
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
        }
    }
}
