using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;
using PvPatch.Engine.Ops;

namespace PvPatch.Emulator.Processors;

/// <summary>
/// The machine's side of <see cref="SensitiveOps"/>. Each op finds its vCPU through the state it is given, asks the
/// platform, then the processor or a device, and takes events that became deliverable. Nothing is thrown through an
/// unmanaged frame: an exception is an exit of the machine.
/// </summary>
internal static unsafe class MachineOps
{
    /// <summary>What the slots hold if the platform installs nothing else: it is asked.</summary>
    public static IReadOnlyDictionary<string, PvTarget> Targets { get; } = new Dictionary<string, PvTarget>(ProcessorOps.Targets, StringComparer.Ordinal)
    {
        ["cpu.cpuid"] = Method(nameof(Cpuid)),
        ["cpu.read_msr"] = Method(nameof(ReadMsr)),
        ["cpu.write_msr"] = Method(nameof(WriteMsr)),
        ["cpu.write_cr8"] = Method(nameof(WriteCr8)),
        ["io.in"] = Method(nameof(In)),
        ["io.out"] = Method(nameof(Out)),
        ["cpu.read_tsc"] = Method(nameof(ReadTsc)),
        ["cpu.random"] = Method(nameof(Random)),
        ["cpu.relax"] = Method(nameof(Relax)),
        ["mmu.flush_tlb_one_user"] = Method(nameof(FlushTlbOneUser)),
        ["cpu.write_cr0"] = Method(nameof(WriteCr0)),
        ["mmu.write_cr3"] = Method(nameof(WriteCr3)),
        ["cpu.write_cr4"] = Method(nameof(WriteCr4)),
        ["cpu.hypercall"] = Method(nameof(Hypercall)),
        ["irq.halt"] = Method(nameof(Halt)),
        ["irq.window"] = Method(nameof(InterruptWindow)),
        ["irq.raise"] = Method(nameof(RaiseException)),
    };

    /// <summary>While ports are hooked.</summary>
    public static IReadOnlyDictionary<string, PvTarget> PortHooks { get; } = new Dictionary<string, PvTarget>(StringComparer.Ordinal)
    {
        ["io.in"] = Method(nameof(HookedIn)),
        ["io.out"] = Method(nameof(HookedOut)),
    };

    /// <summary>While MSRs are hooked.</summary>
    public static IReadOnlyDictionary<string, PvTarget> MsrHooks { get; } = new Dictionary<string, PvTarget>(StringComparer.Ordinal)
    {
        ["cpu.read_msr"] = Method(nameof(HookedReadMsr)),
        ["cpu.write_msr"] = Method(nameof(HookedWriteMsr)),
    };

    /// <summary>CPUID.</summary>
    public static void Cpuid(CpuState* cpu, uint leaf, uint subleaf, CpuidRegisters* result)
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

    /// <summary>RDMSR.</summary>
    public static uint ReadMsr(CpuState* cpu, uint msr, ulong* value)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            return Done(vcpu, TryReadMsr(vcpu, msr, out *value));
        }
        catch (Exception exception)
        {
            return Failed(vcpu, exception);
        }
    }

    /// <summary>WRMSR.</summary>
    public static uint WriteMsr(CpuState* cpu, uint msr, ulong value)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            return Done(vcpu, TryWriteMsr(vcpu, msr, value));
        }
        catch (Exception exception)
        {
            return Failed(vcpu, exception);
        }
    }

    /// <summary>IN.</summary>
    public static uint In(CpuState* cpu, ushort port, uint size)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            uint value = Read(vcpu, port, size);
            vcpu.Resume();
            return value;
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
            return uint.MaxValue;
        }
    }

    /// <summary>OUT.</summary>
    public static void Out(CpuState* cpu, ushort port, uint size, uint value)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            vcpu.Board.Ports.Out(port, size, value);
            vcpu.Resume();
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
        }
    }

    private static uint HookedReadMsr(CpuState* cpu, uint msr, ulong* value)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            bool done = TryReadMsr(vcpu, msr, out *value);
            if (done) vcpu.Board.Hooks.Msr(cpu, msr, *value, isWrite: false);
            vcpu.Interpreter?.LookAgain();
            return Done(vcpu, done);
        }
        catch (Exception exception)
        {
            return Failed(vcpu, exception);
        }
    }

    private static uint HookedWriteMsr(CpuState* cpu, uint msr, ulong value)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            vcpu.Board.Hooks.Msr(cpu, msr, value, isWrite: true);
            return Done(vcpu, TryWriteMsr(vcpu, msr, value));
        }
        catch (Exception exception)
        {
            return Failed(vcpu, exception);
        }
    }

    private static uint HookedIn(CpuState* cpu, ushort port, uint size)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            uint value = Read(vcpu, port, size);
            vcpu.Board.Hooks.Port(cpu, port, size, value, isWrite: false);
            vcpu.Interpreter?.LookAgain();
            vcpu.Resume();
            return value;
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
            return uint.MaxValue;
        }
    }

    private static void HookedOut(CpuState* cpu, ushort port, uint size, uint value)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            vcpu.Board.Hooks.Port(cpu, port, size, value, isWrite: true);
            vcpu.Interpreter?.LookAgain();
            vcpu.Board.Ports.Out(port, size, value);
            vcpu.Resume();
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
        }
    }

    private static ulong ReadTsc(CpuState* cpu)
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

    private static void Halt(CpuState* cpu)
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

    private static void Relax(CpuState* cpu)
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

    private static void FlushTlbOneUser(CpuState* cpu, ulong linear)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            ProcessorOps.FlushTlbOneUser(cpu, linear);
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
        }
    }

    private static uint WriteCr0(CpuState* cpu, ulong value) => WriteControlRegister(cpu, 0, value);

    private static uint WriteCr3(CpuState* cpu, ulong value) => WriteControlRegister(cpu, 3, value);

    private static uint WriteCr4(CpuState* cpu, ulong value) => WriteControlRegister(cpu, 4, value);

    private static uint WriteCr8(CpuState* cpu, ulong value) => WriteControlRegister(cpu, 8, value);

    private static uint WriteControlRegister(CpuState* cpu, uint number, ulong value)
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
            return Failed(vcpu, exception);
        }
    }

    private static uint Hypercall(CpuState* cpu)
    {
        Vcpu vcpu = Vcpu.Of(cpu);
        try
        {
            vcpu.SettleLazyEoi();
            bool done = vcpu.Board.Platform.Hypercall(cpu) || vcpu.Board.AsksOwner(cpu);
            vcpu.Resume();
            return done ? 0 : Vectors.InvalidOpcode;
        }
        catch (Exception exception)
        {
            vcpu.Fail(exception);
            return Vectors.InvalidOpcode;
        }
    }

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

    private static PvTarget Method(string name) => PvTarget.Method(typeof(MachineOps), name);

    private static bool TryReadMsr(Vcpu vcpu, uint msr, out ulong value)
    {
        vcpu.SettleLazyEoi();
        return vcpu.Board.Platform.ReadMsr(vcpu.State, msr, out value) switch
        {
            MsrAnswer.Done => true,
            MsrAnswer.Fault => false,
            _ => vcpu.Msrs.Read(msr, out value),
        };
    }

    private static bool TryWriteMsr(Vcpu vcpu, uint msr, ulong value)
    {
        vcpu.SettleLazyEoi();
        bool done = vcpu.Board.Platform.WriteMsr(vcpu.State, msr, value) switch
        {
            MsrAnswer.Done => true,
            MsrAnswer.Fault => false,
            _ => vcpu.Msrs.Write(msr, value),
        };
        vcpu.PrioritiesChanged();
        return done;
    }

    private static uint Read(Vcpu vcpu, ushort port, uint size) =>
        vcpu.Board.Platform.In(vcpu.State, port, size, out uint value) ? value : vcpu.Board.Ports.In(port, size);

    /// <summary>What an op of an MSR returns: 0, or the fault's vector.</summary>
    public static uint Done(Vcpu vcpu, bool done)
    {
        vcpu.Resume();
        return done ? 0 : Vectors.GeneralProtection;
    }

    /// <summary>What an op of an MSR returns when a device, hook or platform threw.</summary>
    public static uint Failed(Vcpu vcpu, Exception exception)
    {
        vcpu.Fail(exception);
        return Vectors.GeneralProtection;
    }
}
