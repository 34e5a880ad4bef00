using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Segmentation;
using PvPatch.Emulator.State;
using static PvPatch.Emulator.Segmentation.DescriptorTables;

namespace PvPatch.Emulator.Instructions;

/// <summary>RETF, and what IRET shares with it: the checks of a return to the same or an outer level (Intel SDM vol. 2, RET and IRET).</summary>
internal static unsafe class FarReturns
{
    /// <summary>RETF: to the same level two values, to an outer one four.</summary>
    public static DecodedInstruction* Return<T>(CpuState* cpu, DecodedInstruction* u)
    {
        uint size = (uint)sizeof(T);
        ulong released = (ushort)u->Immediate;
        if (!TryPeek<T>(cpu, u, 0, out ulong rip) || !TryPeek<T>(cpu, u, size, out ulong popped))
            return null;
        ushort selector = (ushort)popped;
        if (ProcessorMode.SelectorsAreParagraphs(cpu))
            return ToParagraph(cpu, u, selector, rip, (2 * size) + released);
        if (!TryCode(cpu, selector, out Descriptor descriptor, out MemoryFault fault))
            return Execution.Refuse(cpu, u, fault);
        Segment code;
        int level = Selector.RequestedPrivilege(selector);
        if (level == PrivilegeLevel.Of(cpu))
        {
            if (!TryTake(cpu, u, selector, descriptor, rip, out code))
                return null;
            Stack.Move(cpu, u, (long)((2 * size) + released));
            cpu->Cs = code;
            return Execution.Leave(cpu, rip, LeaveCause.Changed);
        }

        ulong outer = (2 * size) + released;
        if (!TryPeek<T>(cpu, u, outer, out ulong pointer) || !TryPeek<T>(cpu, u, outer + size, out ulong stackSelector))
            return null;
        if (!TryStack(cpu, descriptor, (ushort)stackSelector, level, out Segment stack, out fault))
            return Execution.Refuse(cpu, u, fault);
        if (!TryTake(cpu, u, selector, descriptor, rip, out code))
            return null;
        Enter(cpu, code, stack, pointer + released);
        return Execution.Leave(cpu, rip, LeaveCause.Changed);
    }

    /// <summary>Reads a value of the stack and leaves the pointer.</summary>
    public static bool TryPeek<T>(CpuState* cpu, DecodedInstruction* u, ulong above, out ulong value)
    {
        bool done = Stack.TryPeek(cpu, u, above, out T found);
        value = Integer.ZeroExtend(found);
        return done;
    }

    /// <summary>A return in real or virtual-8086 mode.</summary>
    public static DecodedInstruction* ToParagraph(CpuState* cpu, DecodedInstruction* u, ushort selector, ulong rip, ulong popped)
    {
        if (rip > cpu->Cs.Limit)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        Stack.Move(cpu, u, (long)popped);
        cpu->Cs.Selector = selector;
        cpu->Cs.Base = (ulong)selector << 4;
        return Execution.Leave(cpu, rip, LeaveCause.Changed);
    }

    /// <summary>The code segment of a return, whose level is the selector's RPL and may not be an inner one.</summary>
    public static bool TryCode(CpuState* cpu, ushort selector, out Descriptor descriptor, out MemoryFault fault)
    {
        descriptor = default;
        if (Selector.IsNull(selector))
            return Refuse(Vectors.GeneralProtection, 0, out fault);
        if (!TryRead(cpu, selector, Vectors.GeneralProtection, 0, out descriptor, out fault))
            return false;
        int level = Selector.RequestedPrivilege(selector);
        bool allowed = level >= PrivilegeLevel.Of(cpu) &&
            (descriptor.IsConforming ? descriptor.Privilege <= level : descriptor.Privilege == level);
        if (!SegmentLoads.IsCode(cpu, descriptor) || !allowed)
            return Refuse(Vectors.GeneralProtection, Selector.ErrorCode(selector), out fault);
        return descriptor.IsPresent || Refuse(Vectors.SegmentNotPresent, Selector.ErrorCode(selector), out fault);
    }

    /// <summary>Takes the code segment once everything else is checked: RIP must lie in it.</summary>
    public static bool TryTake(CpuState* cpu, DecodedInstruction* u, ushort selector, Descriptor descriptor, ulong rip, out Segment code)
    {
        if (!SegmentLoads.TryTakeCode(cpu, selector, descriptor, Selector.RequestedPrivilege(selector), out code, out MemoryFault fault) ||
            (!SegmentLoads.Contains(cpu, code, rip) && !Refuse(Vectors.GeneralProtection, 0, out fault)))
        {
            Execution.Refuse(cpu, u, fault);
            return false;
        }

        return true;
    }

    /// <summary>The stack segment of a return: null only in 64-bit code below level 3.</summary>
    public static bool TryStack(CpuState* cpu, Descriptor code, ushort selector, int level, out Segment stack, out MemoryFault fault)
    {
        fault = default;
        stack = new Segment { Selector = selector };
        bool longCode = code.IsLong && ProcessorMode.IsLong(cpu);
        if (Selector.IsNull(selector) && longCode && level != 3)
            return true;
        return SegmentLoads.TryReadStack(cpu, selector, level, Vectors.GeneralProtection, 0, out stack, out fault);
    }

    /// <summary>Loads CS, SS and the stack pointer in the width that the new segments give it.</summary>
    public static void Enter(CpuState* cpu, in Segment code, in Segment stack, ulong pointer)
    {
        bool outward = (code.Selector & 3) > PrivilegeLevel.Of(cpu);
        cpu->Cs = code;
        cpu->Ss = stack;
        if ((code.Attributes & SegmentAttributes.Long) != 0)
            cpu->Rsp = pointer;
        else if ((stack.Attributes & SegmentAttributes.Big) != 0)
            cpu->Rsp = (uint)pointer;
        else
            cpu->Rsp = (cpu->Rsp & ~0xfffful) | (ushort)pointer;
        if (outward)
            SegmentLoads.ForgetInnerData(cpu, code.Selector & 3);
    }
}
