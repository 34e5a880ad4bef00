using System.Runtime.CompilerServices;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Segmentation;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Moves to and from segment registers, LDTR, TR, the machine status word and the FS and GS bases (Intel SDM vol. 2).</summary>
internal static unsafe class SegmentMoves
{
    /// <summary>MOV from a segment register to a general one, zero-extended.</summary>
    public static DecodedInstruction* FromSegment<T>(CpuState* cpu, DecodedInstruction* u)
    {
        Operands.SetRegister(cpu, u->Op0, Integer.Truncate<T>(Operands.Register<ushort>(cpu, u->Op1)));
        return u + 1;
    }

    /// <summary>MOV from a segment register to memory: 16 bits whatever the operand size.</summary>
    public static DecodedInstruction* SegmentToMemory(CpuState* cpu, DecodedInstruction* u) =>
        Operands.Write(cpu, u, Operands.Linear(cpu, u, 2, write: true), Operands.Register<ushort>(cpu, u->Op1));

    /// <summary>MOV to a segment register.</summary>
    public static DecodedInstruction* ToSegment(CpuState* cpu, DecodedInstruction* u) => Load(cpu, u, Operands.Register<ushort>(cpu, u->Op1));

    /// <summary>MOV to a segment register from memory.</summary>
    public static DecodedInstruction* MemoryToSegment(CpuState* cpu, DecodedInstruction* u) =>
        TryWord(cpu, u, out ushort selector) ? Load(cpu, u, selector) : null;

    /// <summary>POP of a segment register.</summary>
    public static DecodedInstruction* Pop<T>(CpuState* cpu, DecodedInstruction* u)
    {
        ulong before = cpu->Rsp;
        if (!Stack.TryPop(cpu, u, out T popped))
            return null;
        DecodedInstruction* next = Load(cpu, u, (ushort)Integer.ZeroExtend(popped));
        if (next == null && Execution.Of(cpu)->Cause == LeaveCause.Fault)
            cpu->Rsp = before;
        return next;
    }

    public static DecodedInstruction* LoadLdt(CpuState* cpu, DecodedInstruction* u) =>
        MaySetSystem(cpu, u) ? LoadLdt(cpu, u, Operands.Register<ushort>(cpu, u->Op0)) : null;

    public static DecodedInstruction* LoadLdtFromMemory(CpuState* cpu, DecodedInstruction* u) =>
        MaySetSystem(cpu, u) && TryWord(cpu, u, out ushort selector) ? LoadLdt(cpu, u, selector) : null;

    public static DecodedInstruction* LoadTask(CpuState* cpu, DecodedInstruction* u) =>
        MaySetSystem(cpu, u) ? LoadTask(cpu, u, Operands.Register<ushort>(cpu, u->Op0)) : null;

    public static DecodedInstruction* LoadTaskFromMemory(CpuState* cpu, DecodedInstruction* u) =>
        MaySetSystem(cpu, u) && TryWord(cpu, u, out ushort selector) ? LoadTask(cpu, u, selector) : null;

    public static DecodedInstruction* StoreLdt<T>(CpuState* cpu, DecodedInstruction* u) =>
        IsProtected(cpu, u) ? StoreRegister<T>(cpu, u, cpu->Ldtr.Selector) : null;

    public static DecodedInstruction* StoreLdtToMemory(CpuState* cpu, DecodedInstruction* u) =>
        IsProtected(cpu, u) ? StoreMemory(cpu, u, cpu->Ldtr.Selector) : null;

    public static DecodedInstruction* StoreTask<T>(CpuState* cpu, DecodedInstruction* u) =>
        IsProtected(cpu, u) ? StoreRegister<T>(cpu, u, cpu->Tr.Selector) : null;

    public static DecodedInstruction* StoreTaskToMemory(CpuState* cpu, DecodedInstruction* u) =>
        IsProtected(cpu, u) ? StoreMemory(cpu, u, cpu->Tr.Selector) : null;

    /// <summary>SMSW: the low bits of CR0.</summary>
    public static DecodedInstruction* StoreStatus<T>(CpuState* cpu, DecodedInstruction* u) =>
        StoreRegister<T>(cpu, u, cpu->Cr0);

    public static DecodedInstruction* StoreStatusToMemory(CpuState* cpu, DecodedInstruction* u) => StoreMemory(cpu, u, (ushort)cpu->Cr0);

    /// <summary>LMSW: bits 0 to 3 of CR0; PE can't be cleared.</summary>
    public static DecodedInstruction* LoadStatus(CpuState* cpu, DecodedInstruction* u) => LoadStatus(cpu, u, Operands.Register<ushort>(cpu, u->Op0));

    public static DecodedInstruction* LoadStatusFromMemory(CpuState* cpu, DecodedInstruction* u) =>
        TryWord(cpu, u, out ushort status) ? LoadStatus(cpu, u, status) : null;

    /// <summary>RDFSBASE.</summary>
    public static DecodedInstruction* ReadFsBase<T>(CpuState* cpu, DecodedInstruction* u) =>
        ReadBase<T>(cpu, u, cpu->Fs.Base);

    /// <summary>RDGSBASE.</summary>
    public static DecodedInstruction* ReadGsBase<T>(CpuState* cpu, DecodedInstruction* u) =>
        ReadBase<T>(cpu, u, cpu->Gs.Base);

    /// <summary>WRFSBASE.</summary>
    public static DecodedInstruction* WriteFsBase<T>(CpuState* cpu, DecodedInstruction* u) =>
        WriteBase<T>(cpu, u, &cpu->Fs);

    /// <summary>WRGSBASE.</summary>
    public static DecodedInstruction* WriteGsBase<T>(CpuState* cpu, DecodedInstruction* u) =>
        WriteBase<T>(cpu, u, &cpu->Gs);

    /// <summary>STAC: suspends SMAP.</summary>
    public static DecodedInstruction* Stac(CpuState* cpu, DecodedInstruction* u) => SetAlignmentCheck(cpu, u, RFlags.AlignmentCheck);

    /// <summary>CLAC.</summary>
    public static DecodedInstruction* Clac(CpuState* cpu, DecodedInstruction* u) => SetAlignmentCheck(cpu, u, 0);

    private static DecodedInstruction* SetAlignmentCheck(CpuState* cpu, DecodedInstruction* u, ulong flag)
    {
        if (PrivilegeLevel.Of(cpu) != 0)
            return Execution.Raise(cpu, u, Vectors.InvalidOpcode);
        cpu->RFlags = (cpu->RFlags & ~RFlags.AlignmentCheck) | flag;
        return Privileged.Done(cpu, u);
    }

    /// <summary>A load of SS keeps interrupts away for one instruction; loads of CS don't exist.</summary>
    private static DecodedInstruction* Load(CpuState* cpu, DecodedInstruction* u, ushort selector)
    {
        // SAFETY: Op0 is the offset of a Segment inside CpuState.
        var target = (Segment*)((byte*)cpu + u->Op0);
        if (target == &cpu->Cs)
            return Execution.Raise(cpu, u, Vectors.InvalidOpcode);
        if (!SegmentLoads.TryLoad(cpu, target, selector, out MemoryFault fault))
            return Execution.Refuse(cpu, u, fault);
        if (target == &cpu->Ss)
            cpu->Interruptibility |= Interruptibility.BlockedByMovSs;
        return Privileged.Done(cpu, u);
    }

    /// <summary>Whether there are descriptors: neither in real nor in virtual-8086 mode; else #UD.</summary>
    public static bool IsProtected(CpuState* cpu, DecodedInstruction* u)
    {
        if (!ProcessorMode.SelectorsAreParagraphs(cpu))
            return true;
        Execution.Raise(cpu, u, Vectors.InvalidOpcode);
        return false;
    }

    /// <summary>Loads a segment register and a general one from a far pointer: LDS, LES, LFS, LGS, LSS.</summary>
    public static DecodedInstruction* LoadPointer<T>(CpuState* cpu, DecodedInstruction* u, Segment* target)
    {
        if (!FarTransfers.TryPointer<T>(cpu, u, out ulong offset, out ushort selector))
            return null;
        if (!SegmentLoads.TryLoad(cpu, target, selector, out MemoryFault fault))
            return Execution.Refuse(cpu, u, fault);
        Operands.SetRegister(cpu, u->Op0, Integer.Truncate<T>(offset));
        return Privileged.Done(cpu, u);
    }

    public static DecodedInstruction* LoadDs<T>(CpuState* cpu, DecodedInstruction* u) =>
        LoadPointer<T>(cpu, u, &cpu->Ds);

    public static DecodedInstruction* LoadEs<T>(CpuState* cpu, DecodedInstruction* u) =>
        LoadPointer<T>(cpu, u, &cpu->Es);

    public static DecodedInstruction* LoadFs<T>(CpuState* cpu, DecodedInstruction* u) =>
        LoadPointer<T>(cpu, u, &cpu->Fs);

    public static DecodedInstruction* LoadGs<T>(CpuState* cpu, DecodedInstruction* u) =>
        LoadPointer<T>(cpu, u, &cpu->Gs);

    /// <summary>LSS: loads the stack pointer with its segment, so nothing needs to be kept away.</summary>
    public static DecodedInstruction* LoadSs<T>(CpuState* cpu, DecodedInstruction* u) =>
        LoadPointer<T>(cpu, u, &cpu->Ss);

    private static bool MaySetSystem(CpuState* cpu, DecodedInstruction* u) => IsProtected(cpu, u) && Privileged.IsSupervisor(cpu, u);

    private static DecodedInstruction* LoadLdt(CpuState* cpu, DecodedInstruction* u, ushort selector) =>
        SegmentLoads.TryLoadLdt(cpu, selector, Vectors.GeneralProtection, out MemoryFault fault) ? u + 1 : Execution.Refuse(cpu, u, fault);

    private static DecodedInstruction* LoadTask(CpuState* cpu, DecodedInstruction* u, ushort selector) =>
        SegmentLoads.TryLoadTask(cpu, selector, out MemoryFault fault) ? u + 1 : Execution.Refuse(cpu, u, fault);

    /// <summary>Reads a selector or a machine status word from memory; false after a fault.</summary>
    public static bool TryWord(CpuState* cpu, DecodedInstruction* u, out ushort value)
    {
        value = 0;
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, 2, write: false), 2);
        if (host == null)
            return false;
        // SAFETY: Read gave the address of 2 readable bytes.
        value = Unsafe.ReadUnaligned<ushort>(host);
        return true;
    }

    private static DecodedInstruction* StoreRegister<T>(CpuState* cpu, DecodedInstruction* u, ulong value)
    {
        if (!Privileged.MayStoreSystem(cpu, u))
            return null;
        Operands.SetRegister(cpu, u->Op0, Integer.Truncate<T>(value));
        return u + 1;
    }

    private static DecodedInstruction* StoreMemory(CpuState* cpu, DecodedInstruction* u, ushort value) =>
        Privileged.MayStoreSystem(cpu, u) ? Operands.Write(cpu, u, Operands.Linear(cpu, u, 2, write: true), value) : null;

    private static DecodedInstruction* LoadStatus(CpuState* cpu, DecodedInstruction* u, ushort status)
    {
        if (!Privileged.IsSupervisor(cpu, u) || !Privileged.HasMachine(cpu, u))
            return null;
        ulong value = (cpu->Cr0 & ~0xeul) | (status & 0xful);
        uint vector = cpu->Sensitive->MovToCr(cpu, 0, value);
        return vector != 0 ? Execution.Raise(cpu, u, vector) : Privileged.Done(cpu, u);
    }

    private static DecodedInstruction* ReadBase<T>(CpuState* cpu, DecodedInstruction* u, ulong value)
    {
        if ((cpu->Cr4 & Cr4Bits.FsGsBase) == 0)
            return Execution.Raise(cpu, u, Vectors.InvalidOpcode);
        Operands.SetRegister(cpu, u->Op0, Integer.Truncate<T>(value));
        return u + 1;
    }

    private static DecodedInstruction* WriteBase<T>(CpuState* cpu, DecodedInstruction* u, Segment* segment)
    {
        if ((cpu->Cr4 & Cr4Bits.FsGsBase) == 0)
            return Execution.Raise(cpu, u, Vectors.InvalidOpcode);
        ulong value = Integer.ZeroExtend(Operands.Register<T>(cpu, u->Op0));
        if (!PageWalk.IsCanonical(value))
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        segment->Base = value;
        return u + 1;
    }
}
