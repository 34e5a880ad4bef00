using System.Runtime.CompilerServices;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Instructions that only CPL 0 may execute, or that a machine or hypervisor answers through <see cref="SensitiveOps"/>
/// (Intel SDM vol. 3, 2.8 and 5.9). A CPU without a machine around it has none of the latter: #UD.
/// </summary>
internal static unsafe class Privileged
{
    private const ulong Dr7GeneralDetect = 1 << 13;
    private const ulong Dr6DebugRegisterAccess = 1 << 13;
    private const ulong Dr6Ones = 0xffff_0ff0;
    private const ulong Dr6Writable = 0xe00f;
    private const ulong NarrowBase = 0xff_ffff;
    private const ulong Dr7One = 1 << 10;
    private const ulong Dr7Writable = 0xffff_2bff;

    public static DecodedInstruction* Cli(CpuState* cpu, DecodedInstruction* u)
    {
        if (!SensitiveSteps.MayChangeInterrupts(cpu))
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        if (cpu->Sensitive != null)
            cpu->Sensitive->IrqDisable(cpu);
        else
            ProcessorOps.IrqDisable(cpu);
        return u + 1;
    }

    /// <summary>STI: if interrupts were disabled, one more instruction comes before any of them.</summary>
    public static DecodedInstruction* Sti(CpuState* cpu, DecodedInstruction* u)
    {
        if (!SensitiveSteps.MayChangeInterrupts(cpu))
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        if (cpu->Sensitive != null)
            cpu->Sensitive->IrqEnable(cpu);
        else
            ProcessorOps.IrqEnable(cpu);
        return (cpu->Interruptibility & Interruptibility.BlockedBySti) == Interruptibility.None ? u + 1 : Done(cpu, u);
    }

    public static DecodedInstruction* Hlt(CpuState* cpu, DecodedInstruction* u) =>
        IsSupervisor(cpu, u) ? Execution.Leave(cpu, ControlFlow.Next(u), LeaveCause.Halt) : null;

    public static DecodedInstruction* Cpuid(CpuState* cpu, DecodedInstruction* u)
    {
        if (!SensitiveSteps.Begin(cpu, u))
            return null;
        CpuidRegisters answer;
        cpu->Sensitive->Cpuid(cpu, (uint)cpu->Rax, (uint)cpu->Rcx, &answer);
        return SensitiveSteps.EndCpuid(cpu, u, &answer);
    }

    public static DecodedInstruction* Rdmsr(CpuState* cpu, DecodedInstruction* u)
    {
        if (!SensitiveSteps.BeginSupervisor(cpu, u))
            return null;
        ulong value;
        uint vector = cpu->Sensitive->Rdmsr(cpu, (uint)cpu->Rcx, &value);
        return SensitiveSteps.EndRdmsr(cpu, u, vector, value);
    }

    public static DecodedInstruction* Wrmsr(CpuState* cpu, DecodedInstruction* u)
    {
        if (!SensitiveSteps.BeginSupervisor(cpu, u))
            return null;
        return SensitiveSteps.EndChanged(cpu, u, cpu->Sensitive->Wrmsr(cpu, (uint)cpu->Rcx, (cpu->Rdx << 32) | (uint)cpu->Rax));
    }

    public static DecodedInstruction* Rdtsc(CpuState* cpu, DecodedInstruction* u) =>
        SensitiveSteps.BeginTime(cpu, u) ? SensitiveSteps.EndRdtsc(cpu, u, cpu->Sensitive->Rdtsc(cpu)) : null;

    /// <summary>RDTSCP: IA32_TSC_AUX comes with the time.</summary>
    public static DecodedInstruction* Rdtscp(CpuState* cpu, DecodedInstruction* u)
    {
        if (!SensitiveSteps.BeginTime(cpu, u))
            return null;
        ulong time = cpu->Sensitive->Rdtsc(cpu);
        cpu->Rcx = (uint)TscAux(cpu);
        return SensitiveSteps.EndRdtsc(cpu, u, time);
    }

    /// <summary>RDPID: IA32_TSC_AUX alone.</summary>
    public static DecodedInstruction* Rdpid(CpuState* cpu, DecodedInstruction* u)
    {
        if (!HasMachine(cpu, u))
            return null;
        Operands.SetRegister(cpu, u->Op0, TscAux(cpu));
        return u + 1;
    }

    /// <summary>RDPMC: there are no performance counters, so any number is #GP (Intel SDM vol. 2, RDPMC).</summary>
    public static DecodedInstruction* Rdpmc(CpuState* cpu, DecodedInstruction* u) => Execution.Raise(cpu, u, Vectors.GeneralProtection);

    public static DecodedInstruction* Pause(CpuState* cpu, DecodedInstruction* u)
    {
        if (cpu->Sensitive == null)
            return u + 1;
        SensitiveSteps.Begin(cpu, u);
        cpu->Sensitive->Pause(cpu);
        return SensitiveSteps.End(cpu, u);
    }

    public static DecodedInstruction* Wbinvd(CpuState* cpu, DecodedInstruction* u)
    {
        if (!SensitiveSteps.BeginSupervisor(cpu, u))
            return null;
        cpu->Sensitive->Wbinvd(cpu);
        return SensitiveSteps.End(cpu, u);
    }

    public static DecodedInstruction* Invlpg(CpuState* cpu, DecodedInstruction* u)
    {
        if (!SensitiveSteps.BeginSupervisor(cpu, u))
            return null;
        ulong effective = Operands.Effective(cpu, u);
        ulong linear = u->Addressing == Addressing.Flat ? effective : Operands.InSegment(cpu, u, effective, 1, write: false);
        cpu->Sensitive->Invlpg(cpu, linear);
        return Done(cpu, u);
    }

    public static DecodedInstruction* Vmcall(CpuState* cpu, DecodedInstruction* u)
    {
        return SensitiveSteps.Begin(cpu, u) ? SensitiveSteps.EndChanged(cpu, u, cpu->Sensitive->Vmcall(cpu)) : null;
    }

    /// <summary>MOV from a control register.</summary>
    public static DecodedInstruction* FromControl(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsSupervisor(cpu, u))
            return null;
        if (u->Op1 is not (0 or 2 or 3 or 4 or 8))
            return Execution.Raise(cpu, u, Vectors.InvalidOpcode);
        WriteNatural(cpu, u, u->Op0, cpu->Sensitive != null ? cpu->Sensitive->MovFromCr(cpu, u->Op1) : ReadControl(cpu, u->Op1));
        return u + 1;
    }

    /// <summary>MOV to a control register.</summary>
    public static DecodedInstruction* ToControl(CpuState* cpu, DecodedInstruction* u)
    {
        if (!SensitiveSteps.BeginSupervisor(cpu, u))
            return null;
        if (u->Op0 is not (0 or 2 or 3 or 4 or 8))
            return Execution.Raise(cpu, u, Vectors.InvalidOpcode);
        uint vector = cpu->Sensitive->MovToCr(cpu, u->Op0, ReadNatural(cpu, u, u->Op1));
        return u->Op0 is 2 or 8 ? SensitiveSteps.EndChecked(cpu, u, vector) : SensitiveSteps.EndChanged(cpu, u, vector);
    }

    /// <summary>CLTS.</summary>
    public static DecodedInstruction* Clts(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsSupervisor(cpu, u))
            return null;
        cpu->Cr0 &= ~Cr0Bits.TaskSwitched;
        return Done(cpu, u);
    }

    /// <summary>MOV from a debug register.</summary>
    public static DecodedInstruction* FromDebug(CpuState* cpu, DecodedInstruction* u)
    {
        if (!TryDebugRegister(cpu, u, u->Op1, out int number))
            return null;
        WriteNatural(cpu, u, u->Op0, cpu->Dr[number]);
        return u + 1;
    }

    /// <summary>MOV to a debug register.</summary>
    public static DecodedInstruction* ToDebug(CpuState* cpu, DecodedInstruction* u)
    {
        if (!TryDebugRegister(cpu, u, u->Op0, out int number))
            return null;
        ulong value = ReadNatural(cpu, u, u->Op1);
        if (number >= 6 && value >> 32 != 0)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        if (number == 6)
            cpu->Dr[6] = (value & Dr6Writable) | Dr6Ones;
        else
            Breakpoints.Write(cpu, number, number == 7 ? (value & Dr7Writable) | Dr7One : value);
        return Done(cpu, u);
    }

    /// <summary>LGDT.</summary>
    public static DecodedInstruction* LoadGdt(CpuState* cpu, DecodedInstruction* u) => LoadGdt(cpu, u, ulong.MaxValue);

    /// <summary>LGDT with an operand size of 16 bits: 24 bits of base.</summary>
    public static DecodedInstruction* LoadNarrowGdt(CpuState* cpu, DecodedInstruction* u) => LoadGdt(cpu, u, NarrowBase);

    /// <summary>LIDT.</summary>
    public static DecodedInstruction* LoadIdt(CpuState* cpu, DecodedInstruction* u) => LoadIdt(cpu, u, ulong.MaxValue);

    /// <summary>LIDT with an operand size of 16 bits: 24 bits of base.</summary>
    public static DecodedInstruction* LoadNarrowIdt(CpuState* cpu, DecodedInstruction* u) => LoadIdt(cpu, u, NarrowBase);

    /// <summary>SGDT.</summary>
    public static DecodedInstruction* StoreGdt(CpuState* cpu, DecodedInstruction* u) => Store(cpu, u, cpu->Gdtr);

    /// <summary>SIDT.</summary>
    public static DecodedInstruction* StoreIdt(CpuState* cpu, DecodedInstruction* u) => Store(cpu, u, cpu->Idtr);

    /// <summary>Whether CPL is 0; else #GP.</summary>
    public static bool IsSupervisor(CpuState* cpu, DecodedInstruction* u)
    {
        if (PrivilegeLevel.Of(cpu) == 0)
            return true;
        Execution.Raise(cpu, u, Vectors.GeneralProtection);
        return false;
    }

    /// <summary>Whether a machine answers; else #UD. It needs an exact clock, so the instruction must run alone.</summary>
    public static bool HasMachine(CpuState* cpu, DecodedInstruction* u)
    {
        if (cpu->Sensitive != null && cpu->RunsMany == 0)
            return true;
        Execution.Raise(cpu, u, cpu->Sensitive == null ? Vectors.InvalidOpcode : MemoryFault.RunAlone);
        return false;
    }

    /// <summary>UMIP: whether SGDT and its kind may run here; else #GP.</summary>
    public static bool MayStoreSystem(CpuState* cpu, DecodedInstruction* u) =>
        (cpu->Cr4 & Cr4Bits.UserModeInstructionPrevention) == 0 || IsSupervisor(cpu, u);

    /// <summary>The instruction is done; whatever the loop holds is looked at again.</summary>
    public static DecodedInstruction* Done(CpuState* cpu, DecodedInstruction* u) =>
        Execution.Leave(cpu, ControlFlow.Next(u), LeaveCause.Changed);

    private static ulong ReadControl(CpuState* cpu, uint number) => number switch
    {
        0 => cpu->Cr0,
        2 => cpu->Cr2,
        3 => cpu->Cr3,
        4 => cpu->Cr4,
        _ => cpu->Cr8,
    };

    /// <summary>Zero on a machine without the register.</summary>
    private static ulong TscAux(CpuState* cpu)
    {
        ulong value = 0;
        return cpu->Sensitive->Rdmsr(cpu, Msr.TscAux, &value) == 0 ? value : 0;
    }

    private static void WriteNatural(CpuState* cpu, DecodedInstruction* u, ushort place, ulong value) =>
        Operands.SetRegister(cpu, place, (u->Marks & Marks.Code64) != Marks.None ? value : (uint)value);

    private static ulong ReadNatural(CpuState* cpu, DecodedInstruction* u, ushort place)
    {
        ulong value = Operands.Register<ulong>(cpu, place);
        return (u->Marks & Marks.Code64) != Marks.None ? value : (uint)value;
    }

    private static bool TryDebugRegister(CpuState* cpu, DecodedInstruction* u, int asked, out int number)
    {
        number = asked is 4 or 5 ? asked + 2 : asked;
        if (asked > 7 || (number != asked && (cpu->Cr4 & Cr4Bits.DebuggingExtensions) != 0))
        {
            Execution.Raise(cpu, u, Vectors.InvalidOpcode);
            return false;
        }

        if (!IsSupervisor(cpu, u))
            return false;
        if ((cpu->Dr[7] & Dr7GeneralDetect) == 0)
            return true;
        cpu->Dr[6] |= Dr6DebugRegisterAccess;
        Execution.Raise(cpu, u, Vectors.Debug);
        return false;
    }

    private static bool TryTable(CpuState* cpu, DecodedInstruction* u, out DescriptorTable table)
    {
        table = default;
        if (!IsSupervisor(cpu, u))
            return false;
        int size = (u->Marks & Marks.Code64) != Marks.None ? 10 : 6;
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, size, write: false), size);
        if (host == null)
            return false;
        // SAFETY: Read gave size readable bytes: a limit of 2 and a base of the rest.
        table.Limit = Unsafe.ReadUnaligned<ushort>(host);
        table.Base = size == 10 ? Unsafe.ReadUnaligned<ulong>(host + 2) : Unsafe.ReadUnaligned<uint>(host + 2);
        if (PageWalk.IsCanonical(table.Base))
            return true;
        Execution.Raise(cpu, u, Vectors.GeneralProtection);
        return false;
    }

    private static DecodedInstruction* LoadGdt(CpuState* cpu, DecodedInstruction* u, ulong baseBits)
    {
        if (!TryTable(cpu, u, out DescriptorTable table))
            return null;
        if (cpu->Sensitive != null)
            cpu->Sensitive->LoadGdt(cpu, table.Limit, table.Base & baseBits);
        else
            ProcessorOps.LoadGdt(cpu, table.Limit, table.Base & baseBits);
        return Done(cpu, u);
    }

    private static DecodedInstruction* LoadIdt(CpuState* cpu, DecodedInstruction* u, ulong baseBits)
    {
        if (!TryTable(cpu, u, out DescriptorTable table))
            return null;
        if (cpu->Sensitive != null)
            cpu->Sensitive->LoadIdt(cpu, table.Limit, table.Base & baseBits);
        else
            ProcessorOps.LoadIdt(cpu, table.Limit, table.Base & baseBits);
        return Done(cpu, u);
    }

    private static DecodedInstruction* Store(CpuState* cpu, DecodedInstruction* u, DescriptorTable table)
    {
        if (!MayStoreSystem(cpu, u))
            return null;
        int size = (u->Marks & Marks.Code64) != Marks.None ? 10 : 6;
        ulong linear = Operands.Linear(cpu, u, size, write: true);
        byte* host = Operands.Modify(cpu, u, linear, size, out bool slow);

        // Limit and base are two values: the base must be aligned, at an odd word (Intel SDM vol. 3, 3.5.1).
        if (host == null || !Operands.IsAligned(cpu, u, linear, 2) || !Operands.IsAligned(cpu, u, linear + 2, size == 10 ? 8 : 4))
            return null;
        // SAFETY: Modify gave size bytes that may be changed.
        Unsafe.WriteUnaligned(host, table.Limit);
        if (size == 10)
            Unsafe.WriteUnaligned(host + 2, table.Base);
        else
            Unsafe.WriteUnaligned(host + 2, (uint)table.Base);
        return slow ? Operands.Finish(cpu, u) : u + 1;
    }
}
