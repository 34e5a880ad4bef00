using System.Runtime.CompilerServices;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Segmentation;
using PvPatch.Emulator.State;
using static PvPatch.Emulator.Segmentation.DescriptorTables;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Far jumps and calls: to code segments in every mode, through call gates, to tasks (Intel SDM vol. 2, JMP and CALL; vol. 3, 5.8
/// and 7.3).
/// </summary>
internal static unsafe class FarTransfers
{
    /// <summary>JMP far through memory.</summary>
    public static DecodedInstruction* Jump<T>(CpuState* cpu, DecodedInstruction* u) =>
        TryPointer<T>(cpu, u, out ulong target, out ushort selector) ? Jump(cpu, u, selector, target) : null;

    /// <summary>CALL far through memory.</summary>
    public static DecodedInstruction* Call<T>(CpuState* cpu, DecodedInstruction* u) =>
        TryPointer<T>(cpu, u, out ulong target, out ushort selector) ? Call(cpu, u, selector, target, sizeof(T)) : null;

    /// <summary>JMP far to the pointer in the instruction.</summary>
    public static DecodedInstruction* JumpDirect(CpuState* cpu, DecodedInstruction* u) => Jump(cpu, u, u->Immediate2, u->Immediate);

    /// <summary>CALL far to the pointer in the instruction.</summary>
    public static DecodedInstruction* CallDirect<T>(CpuState* cpu, DecodedInstruction* u) =>
        Call(cpu, u, u->Immediate2, u->Immediate, sizeof(T));

    /// <summary>A far pointer in memory: the offset, then the selector.</summary>
    public static bool TryPointer<T>(CpuState* cpu, DecodedInstruction* u, out ulong offset, out ushort selector)
    {
        offset = 0;
        selector = 0;
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(T) + 2, write: false), sizeof(T) + 2);
        if (host == null)
            return false;
        // SAFETY: Read gave the address of sizeof(T) + 2 readable bytes.
        offset = Integer.ZeroExtend(Unsafe.ReadUnaligned<T>(host));
        selector = Unsafe.ReadUnaligned<ushort>(host + sizeof(T));
        return true;
    }

    /// <summary>Goes on in the task that was switched to, or raises what went wrong, in the task that is then the current one.</summary>
    public static DecodedInstruction* ToTask(
        CpuState* cpu, DecodedInstruction* u, ushort selector, Descriptor descriptor, TaskSwitchCause cause)
    {
        // Half of a switch cannot be taken back, so none of it may find out in the middle that it must run alone.
        if (cpu->RunsMany != 0)
            return Execution.Raise(cpu, u, MemoryFault.RunAlone);
        ulong flags = cpu->RFlags;
        if (TaskSwitch.TrySwitch(cpu, selector, descriptor, cause, ControlFlow.Next(u), flags, 0, out bool committed, out MemoryFault fault))
            return Execution.Leave(cpu, cpu->Rip, LeaveCause.TaskSwitched);
        return committed ? Execution.RefuseInNewTask(cpu, u, fault) : Execution.Refuse(cpu, u, fault);
    }

    private static DecodedInstruction* Jump(CpuState* cpu, DecodedInstruction* u, ushort selector, ulong target)
    {
        if (ProcessorMode.SelectorsAreParagraphs(cpu))
            return target > cpu->Cs.Limit ? Execution.Raise(cpu, u, Vectors.GeneralProtection) : ToParagraph(cpu, selector, target);
        if (!TryRead(cpu, u, selector, out Descriptor descriptor))
            return null;
        if (!descriptor.IsCodeOrData)
            return ThroughSystem(cpu, u, selector, descriptor, TaskSwitchCause.Jump);
        int level = PrivilegeLevel.Of(cpu);
        if (!TryCheckCode(cpu, selector, descriptor, out MemoryFault fault) ||
            !SegmentLoads.TryTakeCode(cpu, selector, descriptor, level, out Segment code, out fault))
        {
            return Execution.Refuse(cpu, u, fault);
        }

        return SegmentLoads.Contains(cpu, code, target) ? To(cpu, code, target) : Execution.Raise(cpu, u, Vectors.GeneralProtection);
    }

    private static DecodedInstruction* Call(CpuState* cpu, DecodedInstruction* u, ushort selector, ulong target, int size)
    {
        MemoryFault fault;
        PushTarget stack = CurrentStack(cpu, (u->Marks & Marks.Code64) != Marks.None);
        ReadOnlySpan<ulong> frame = [cpu->Cs.Selector, ControlFlow.Next(u)];
        if (ProcessorMode.SelectorsAreParagraphs(cpu))
        {
            if (target > cpu->Cs.Limit)
                return Execution.Raise(cpu, u, Vectors.GeneralProtection);
            if (!stack.TryPush(cpu, frame, size, out fault))
                return Execution.Refuse(cpu, u, fault);
            cpu->Rsp = stack.Pointer;
            return ToParagraph(cpu, selector, target);
        }

        if (!TryRead(cpu, u, selector, out Descriptor descriptor))
            return null;
        if (!descriptor.IsCodeOrData)
            return ThroughSystem(cpu, u, selector, descriptor, TaskSwitchCause.Nesting);
        int level = PrivilegeLevel.Of(cpu);
        if (!TryCheckCode(cpu, selector, descriptor, out fault) ||
            !stack.TryPush(cpu, frame, size, out fault) ||
            !SegmentLoads.TryTakeCode(cpu, selector, descriptor, level, out Segment code, out fault))
        {
            return Execution.Refuse(cpu, u, fault);
        }

        if (!SegmentLoads.Contains(cpu, code, target))
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        cpu->Rsp = stack.Pointer;
        return To(cpu, code, target);
    }

    private static bool TryRead(CpuState* cpu, DecodedInstruction* u, ushort selector, out Descriptor descriptor)
    {
        descriptor = default;
        if (Selector.IsNull(selector))
        {
            Execution.Raise(cpu, u, Vectors.GeneralProtection);
            return false;
        }

        if (DescriptorTables.TryRead(cpu, selector, Vectors.GeneralProtection, 0, out descriptor, out MemoryFault fault))
            return true;
        Execution.Refuse(cpu, u, fault);
        return false;
    }

    /// <summary>A code segment reached without a gate: the level stays.</summary>
    private static bool TryCheckCode(CpuState* cpu, ushort selector, Descriptor code, out MemoryFault fault)
    {
        fault = default;
        int level = PrivilegeLevel.Of(cpu);
        bool allowed = code.IsConforming
            ? code.Privilege <= level
            : Selector.RequestedPrivilege(selector) <= level && code.Privilege == level;
        if (!SegmentLoads.IsCode(cpu, code) || !allowed)
            return Refuse(Vectors.GeneralProtection, Selector.ErrorCode(selector), out fault);
        return code.IsPresent || Refuse(Vectors.SegmentNotPresent, Selector.ErrorCode(selector), out fault);
    }

    /// <summary>A call gate, a task gate or a TSS, which both the selector's and the current level must be allowed to use.</summary>
    private static DecodedInstruction* ThroughSystem(
        CpuState* cpu, DecodedInstruction* u, ushort selector, Descriptor descriptor, TaskSwitchCause cause)
    {
        uint code = Selector.ErrorCode(selector);
        bool longMode = ProcessorMode.IsLong(cpu);
        bool isGate = descriptor.SystemType == SystemType.CallGate || (!longMode && descriptor.SystemType == SystemType.CallGate16);
        bool isTask = !longMode && !Selector.IsLocal(selector) && descriptor.SystemType is SystemType.AvailableTss or SystemType.AvailableTss16;
        bool isTaskGate = !longMode && descriptor.SystemType == SystemType.TaskGate;
        int level = Math.Max(PrivilegeLevel.Of(cpu), Selector.RequestedPrivilege(selector));
        if (!(isGate || isTask || isTaskGate) || descriptor.Privilege < level)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection, code);
        if (!descriptor.IsPresent)
            return Execution.Raise(cpu, u, Vectors.SegmentNotPresent, code);
        if (isTask)
            return ToTask(cpu, u, selector, descriptor, cause);
        return isTaskGate
            ? ThroughTaskGate(cpu, u, descriptor.TargetSelector, cause)
            : CallGates.Enter(cpu, u, selector, descriptor, isCall: cause == TaskSwitchCause.Nesting);
    }

    private static DecodedInstruction* ThroughTaskGate(CpuState* cpu, DecodedInstruction* u, ushort selector, TaskSwitchCause cause)
    {
        uint code = Selector.ErrorCode(selector);
        if (Selector.IsLocal(selector))
            return Execution.Raise(cpu, u, Vectors.GeneralProtection, code);
        if (!DescriptorTables.TryRead(cpu, selector, Vectors.GeneralProtection, 0, out Descriptor task, out MemoryFault fault))
            return Execution.Refuse(cpu, u, fault);
        if (!task.Is(SystemType.AvailableTss, SystemType.AvailableTss16))
            return Execution.Raise(cpu, u, Vectors.GeneralProtection, code);
        return task.IsPresent
            ? ToTask(cpu, u, selector, task, cause)
            : Execution.Raise(cpu, u, Vectors.SegmentNotPresent, code);
    }

    private static PushTarget CurrentStack(CpuState* cpu, bool flat) => new(cpu->Ss, cpu->Rsp, flat, Execution.Of(cpu)->Mode, 0);

    private static DecodedInstruction* ToParagraph(CpuState* cpu, ushort selector, ulong target)
    {
        cpu->Cs.Selector = selector;
        cpu->Cs.Base = (ulong)selector << 4;
        return Execution.Leave(cpu, target, LeaveCause.Changed);
    }

    private static DecodedInstruction* To(CpuState* cpu, in Segment code, ulong target)
    {
        cpu->Cs = code;
        return Execution.Leave(cpu, target, LeaveCause.Changed);
    }
}
