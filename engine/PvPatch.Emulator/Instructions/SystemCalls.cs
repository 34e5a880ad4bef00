using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Segmentation;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// SYSCALL, SYSRET, SYSENTER, SYSEXIT and SWAPGS (Intel SDM vol. 2); the targets come from the MSRs that the machine keeps.
/// SYSCALL works in compatibility mode too, as AMD's manual has it (vol. 3, SYSCALL); Intel's raises #UD there.
/// </summary>
internal static unsafe class SystemCalls
{
    private const ulong SysretFlags = 0x3c_7fd7;
    private const ushort FlatCode = SegmentAttributes.Present | SegmentAttributes.CodeOrData | SegmentAttributes.Code |
        SegmentAttributes.WritableOrReadable | SegmentAttributes.Accessed | SegmentAttributes.Granularity;

    private const ushort FlatData = SegmentAttributes.Present | SegmentAttributes.CodeOrData | SegmentAttributes.WritableOrReadable |
        SegmentAttributes.Accessed | SegmentAttributes.Granularity | SegmentAttributes.Big;

    public static DecodedInstruction* Syscall(CpuState* cpu, DecodedInstruction* u)
    {
        if (Execution.Of(cpu)->SystemCallsLeave)
        {
            cpu->Rcx = u->NextRip;
            cpu->Gpr[11] = cpu->RFlags & ~RFlags.Resume;
            return Execution.Leave(cpu, u->NextRip, LeaveCause.SystemCall);
        }

        bool longCode = (u->Marks & Marks.Code64) != Marks.None;
        bool enabled = (cpu->Efer & EferBits.SyscallEnable) != 0 && (cpu->Efer & EferBits.LongModeActive) != 0;
        if (!enabled)
            return Execution.Raise(cpu, u, Vectors.InvalidOpcode);
        if (!Privileged.HasMachine(cpu, u))
            return null;
        ulong selectors = Read(cpu, Msr.Star) >> 32;
        ulong target = Read(cpu, longCode ? Msr.Lstar : Msr.Cstar);
        ulong cleared = Read(cpu, Msr.SyscallMask);
        cpu->Rcx = ControlFlow.Next(u);
        cpu->Gpr[11] = cpu->RFlags & ~RFlags.Resume;
        cpu->RFlags = (cpu->RFlags & ~(cleared | RFlags.Resume)) | RFlags.Fixed;
        cpu->Cs = Flat((ushort)(selectors & 0xfffc), FlatCode | SegmentAttributes.Long, 0);
        cpu->Ss = Flat((ushort)((selectors & 0xfffc) + 8), FlatData, 0);
        return Execution.Leave(cpu, target, LeaveCause.Changed);
    }

    /// <summary>SYSRET to 64-bit code.</summary>
    public static DecodedInstruction* Sysret64(CpuState* cpu, DecodedInstruction* u) => Sysret(cpu, u, longCode: true);

    /// <summary>SYSRET to compatibility mode.</summary>
    public static DecodedInstruction* Sysret32(CpuState* cpu, DecodedInstruction* u) => Sysret(cpu, u, longCode: false);

    public static DecodedInstruction* Sysenter(CpuState* cpu, DecodedInstruction* u)
    {
        if (ProcessorMode.IsReal(cpu))
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        if (!Privileged.HasMachine(cpu, u))
            return null;
        ushort selector = (ushort)(Read(cpu, Msr.SysenterCs) & 0xfffc);
        if (selector == 0)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        bool longMode = ProcessorMode.IsLong(cpu);
        ulong target = Read(cpu, Msr.SysenterEip);
        ulong pointer = Read(cpu, Msr.SysenterEsp);
        cpu->RFlags &= ~(RFlags.Virtual8086 | RFlags.InterruptEnable | RFlags.Resume);
        cpu->Cs = Flat(selector, FlatCode | (longMode ? SegmentAttributes.Long : SegmentAttributes.Big), 0);
        cpu->Ss = Flat((ushort)(selector + 8), FlatData, 0);
        cpu->Rsp = longMode ? pointer : (uint)pointer;
        return Execution.Leave(cpu, longMode ? target : (uint)target, LeaveCause.Changed);
    }

    /// <summary>SYSEXIT to 32-bit code.</summary>
    public static DecodedInstruction* Sysexit32(CpuState* cpu, DecodedInstruction* u) => Sysexit(cpu, u, longCode: false);

    /// <summary>SYSEXIT to 64-bit code.</summary>
    public static DecodedInstruction* Sysexit64(CpuState* cpu, DecodedInstruction* u) => Sysexit(cpu, u, longCode: true);

    public static DecodedInstruction* Swapgs(CpuState* cpu, DecodedInstruction* u)
    {
        if (!Privileged.IsSupervisor(cpu, u))
            return null;
        (cpu->Gs.Base, cpu->KernelGsBase) = (cpu->KernelGsBase, cpu->Gs.Base);
        return u + 1;
    }

    private static DecodedInstruction* Sysret(CpuState* cpu, DecodedInstruction* u, bool longCode)
    {
        bool enabled = (cpu->Efer & EferBits.SyscallEnable) != 0 && (u->Marks & Marks.Code64) != Marks.None;
        if (!enabled)
            return Execution.Raise(cpu, u, Vectors.InvalidOpcode);
        if (!Privileged.IsSupervisor(cpu, u) || !Privileged.HasMachine(cpu, u))
            return null;
        if (longCode && !PageWalk.IsCanonical(cpu->Rcx))
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        ulong selectors = Read(cpu, Msr.Star) >> 48;
        cpu->RFlags = (cpu->Gpr[11] & SysretFlags) | RFlags.Fixed;
        ushort width = longCode ? SegmentAttributes.Long : SegmentAttributes.Big;
        cpu->Cs = Flat((ushort)((selectors + (longCode ? 16u : 0u)) | 3), (ushort)(FlatCode | width), 3);
        cpu->Ss = Flat((ushort)((selectors + 8) | 3), FlatData, 3);
        return Execution.Leave(cpu, longCode ? cpu->Rcx : (uint)cpu->Rcx, LeaveCause.Changed);
    }

    private static DecodedInstruction* Sysexit(CpuState* cpu, DecodedInstruction* u, bool longCode)
    {
        if (ProcessorMode.IsReal(cpu))
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        if (!Privileged.IsSupervisor(cpu, u) || !Privileged.HasMachine(cpu, u))
            return null;
        ushort selector = (ushort)Read(cpu, Msr.SysenterCs);
        bool canonical = PageWalk.IsCanonical(cpu->Rcx) && PageWalk.IsCanonical(cpu->Rdx);
        if (Selector.IsNull(selector) || (longCode && !canonical))
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        uint code = selector + (longCode ? 32u : 16u);
        cpu->Cs = Flat((ushort)(code | 3), FlatCode | (longCode ? SegmentAttributes.Long : SegmentAttributes.Big), 3);
        cpu->Ss = Flat((ushort)((code + 8) | 3), FlatData, 3);
        cpu->Rsp = longCode ? cpu->Rcx : (uint)cpu->Rcx;
        return Execution.Leave(cpu, longCode ? cpu->Rdx : (uint)cpu->Rdx, LeaveCause.Changed);
    }

    private static Segment Flat(ushort selector, int attributes, int privilege) =>
        new() { Selector = selector, Attributes = (ushort)(attributes | (privilege << 5)), Limit = uint.MaxValue };

    private static ulong Read(CpuState* cpu, uint msr)
    {
        ulong value;
        return cpu->Sensitive->Rdmsr(cpu, msr, &value) == 0 ? value : 0;
    }
}
