using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Segmentation;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>IRET in all modes: to the same or an outer level, to virtual-8086 mode, to the task before (Intel SDM vol. 2, IRET).</summary>
internal static unsafe class InterruptReturns
{
    private const int VirtualFrame = 9;

    public static DecodedInstruction* Return<T>(CpuState* cpu, DecodedInstruction* u)
    {
        // NMIs come again from here on, whatever becomes of this instruction (Intel SDM vol. 3, 6.7.1).
        cpu->Interruptibility &= ~Interruptibility.BlockedByNmi;
        if (ProcessorMode.IsVirtual8086(cpu) && FlagsRegister.IoPrivilegeLevel(cpu) < 3)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        bool paragraphs = ProcessorMode.SelectorsAreParagraphs(cpu);
        if (!paragraphs && (cpu->RFlags & RFlags.NestedTask) != 0)
            return ReturnToTask(cpu, u);

        uint size = (uint)sizeof(T);
        if (!FarReturns.TryPeek<T>(cpu, u, 0, out ulong rip) ||
            !FarReturns.TryPeek<T>(cpu, u, size, out ulong popped) ||
            !FarReturns.TryPeek<T>(cpu, u, 2 * size, out ulong flags))
        {
            return null;
        }

        ushort selector = (ushort)popped;
        if (paragraphs)
        {
            DecodedInstruction* next = FarReturns.ToParagraph(cpu, u, selector, rip, 3 * size);
            if (Execution.Of(cpu)->Cause != LeaveCause.Fault)
                LoadFlags(cpu, flags, sizeof(T));
            return next;
        }

        bool toVirtual8086 = (flags & RFlags.Virtual8086) != 0 && sizeof(T) == sizeof(uint) && PrivilegeLevel.Of(cpu) == 0 && !ProcessorMode.IsLong(cpu);
        return toVirtual8086 ? ToVirtual8086(cpu, u, rip, selector, flags) : ToCode<T>(cpu, u, rip, selector, flags);
    }

    private static DecodedInstruction* ToCode<T>(CpuState* cpu, DecodedInstruction* u, ulong rip, ushort selector, ulong flags)
    {
        if (!FarReturns.TryCode(cpu, selector, out Descriptor descriptor, out MemoryFault fault))
            return Execution.Refuse(cpu, u, fault);
        Segment code;
        uint size = (uint)sizeof(T);
        int level = Selector.RequestedPrivilege(selector);
        bool withStack = (u->Marks & Marks.Code64) != Marks.None || level > PrivilegeLevel.Of(cpu);
        if (!withStack)
        {
            if (!FarReturns.TryTake(cpu, u, selector, descriptor, rip, out code))
                return null;
            LoadFlags(cpu, flags, sizeof(T));
            Stack.Move(cpu, u, 3 * size);
            cpu->Cs = code;
            return Execution.Leave(cpu, rip, LeaveCause.Changed);
        }

        if (!FarReturns.TryPeek<T>(cpu, u, 3 * size, out ulong pointer) || !FarReturns.TryPeek<T>(cpu, u, 4 * size, out ulong stackSelector))
            return null;
        if (!FarReturns.TryStack(cpu, descriptor, (ushort)stackSelector, level, out Segment stack, out fault))
            return Execution.Refuse(cpu, u, fault);
        if (!FarReturns.TryTake(cpu, u, selector, descriptor, rip, out code))
            return null;

        // What the flags may become depends on the level of before.
        LoadFlags(cpu, flags, sizeof(T));
        FarReturns.Enter(cpu, code, stack, pointer);
        return Execution.Leave(cpu, rip, LeaveCause.Changed);
    }

    private static void LoadFlags(CpuState* cpu, ulong flags, int size)
    {
        ulong wide = size == sizeof(ushort) ? 0 : RFlags.Resume;
        if (size != sizeof(ushort) && PrivilegeLevel.Of(cpu) == 0 && !ProcessorMode.IsReal(cpu))
            wide |= RFlags.VirtualInterrupt | RFlags.VirtualInterruptPending;
        FlagsRegister.Load(cpu, flags, size == sizeof(ushort) ? ushort.MaxValue : ulong.MaxValue);
        cpu->RFlags = (cpu->RFlags & ~wide) | (flags & wide);
    }

    private static DecodedInstruction* ToVirtual8086(CpuState* cpu, DecodedInstruction* u, ulong rip, ushort selector, ulong flags)
    {
        uint* frame = stackalloc uint[VirtualFrame];
        for (int i = 3; i < VirtualFrame; i++)
        {
            if (!Stack.TryPeek(cpu, u, (ulong)i * sizeof(uint), out frame[i]))
                return null;
        }

        if (rip > ushort.MaxValue)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        LoadFlags(cpu, flags, sizeof(uint));
        cpu->RFlags |= RFlags.Virtual8086;
        cpu->Rsp = frame[3];
        cpu->Cs = SegmentLoads.Virtual8086(selector);
        cpu->Ss = SegmentLoads.Virtual8086((ushort)frame[4]);
        cpu->Es = SegmentLoads.Virtual8086((ushort)frame[5]);
        cpu->Ds = SegmentLoads.Virtual8086((ushort)frame[6]);
        cpu->Fs = SegmentLoads.Virtual8086((ushort)frame[7]);
        cpu->Gs = SegmentLoads.Virtual8086((ushort)frame[8]);
        return Execution.Leave(cpu, rip, LeaveCause.Changed);
    }

    /// <summary>NT is set: back to the task that the current TSS links to. Long mode has no tasks.</summary>
    private static DecodedInstruction* ReturnToTask(CpuState* cpu, DecodedInstruction* u)
    {
        if (ProcessorMode.IsLong(cpu))
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        if (!LinearMemory.TryLoad(cpu, cpu->Tr.Base, AccessMode.Supervisor, out ushort link, out MemoryFault fault))
            return Execution.Refuse(cpu, u, fault);
        uint code = Selector.ErrorCode(link);
        if (Selector.IsLocal(link))
            return Execution.Raise(cpu, u, Vectors.InvalidTss, code);
        if (!DescriptorTables.TryRead(cpu, link, Vectors.InvalidTss, 0, out Descriptor task, out fault))
            return Execution.Refuse(cpu, u, fault);
        if (!task.Is(SystemType.BusyTss, SystemType.BusyTss16))
            return Execution.Raise(cpu, u, Vectors.InvalidTss, code);
        return task.IsPresent
            ? FarTransfers.ToTask(cpu, u, link, task, TaskSwitchCause.Return)
            : Execution.Raise(cpu, u, Vectors.SegmentNotPresent, code);
    }
}
