using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Segmentation;
using PvPatch.Emulator.State;
using static PvPatch.Emulator.Segmentation.DescriptorTables;

namespace PvPatch.Emulator.Interpreter;

/// <summary>An event on its way through the IDT.</summary>
/// <param name="Vector">The vector.</param>
/// <param name="ErrorCode">What is pushed as error code, null for none.</param>
/// <param name="External">The EXT bit of error codes that the delivery itself raises.</param>
/// <param name="ChecksPrivilege">A software interrupt, for which the gate's DPL counts.</param>
/// <param name="Flags">The RFLAGS that the handler finds on its stack.</param>
internal readonly record struct GateEvent(uint Vector, uint? ErrorCode, uint External, bool ChecksPrivilege, ulong Flags);

/// <summary>
/// Enters handlers through interrupt, trap and task gates: 16, 32 or 64-bit, from virtual-8086 mode too (Intel SDM vol. 3, 6.12,
/// 6.14 and 20.3; vol. 2, INT n). Until everything is checked and pushed, the CPU is as it was.
/// </summary>
internal static unsafe class ProtectedGates
{
    /// <summary>The bit of an error code that says that it names an IDT entry.</summary>
    public const uint InIdt = 2;

    private const ulong ClearedFlags = RFlags.Trap | RFlags.NestedTask | RFlags.Resume | RFlags.Virtual8086;

    /// <summary>Enters a handler.</summary>
    public static bool TryEnter(CpuState* cpu, in GateEvent entering, out bool taskSwitched, out MemoryFault fault)
    {
        taskSwitched = false;
        bool longMode = ProcessorMode.IsLong(cpu);
        uint gateCode = (entering.Vector * 8) | InIdt | entering.External;
        uint size = longMode ? 16u : 8u;
        uint offset = entering.Vector * size;
        if (offset + size - 1 > cpu->Idtr.Limit)
            return Refuse(Vectors.GeneralProtection, gateCode, out fault);
        if (!LinearMemory.TryLoad(cpu, cpu->Idtr.Base + offset, AccessMode.Supervisor, out ulong raw, out fault))
            return false;
        ulong upper = 0;
        if (longMode && !LinearMemory.TryLoad(cpu, cpu->Idtr.Base + offset + 8, AccessMode.Supervisor, out upper, out fault))
            return false;

        var gate = new Descriptor(raw);
        if (!IsGate(gate, longMode) || (entering.ChecksPrivilege && gate.Privilege < PrivilegeLevel.Of(cpu)))
            return Refuse(Vectors.GeneralProtection, gateCode, out fault);
        if (!gate.IsPresent)
            return Refuse(Vectors.SegmentNotPresent, gateCode, out fault);
        if (gate.SystemType == SystemType.TaskGate)
            return TryEnterTask(cpu, entering, gate.TargetSelector, out taskSwitched, out fault);
        if (!TryReadCode(cpu, gate.TargetSelector, entering.External, out Descriptor code, out fault))
            return false;
        return longMode
            ? TryEnterLong(cpu, entering, gate, code, gate.TargetOffset | (upper << 32), out fault)
            : TryEnterLegacy(cpu, entering, gate, code, out fault);
    }

    private static bool IsGate(Descriptor gate, bool longMode) => !gate.IsCodeOrData && (longMode
        ? gate.SystemType is SystemType.InterruptGate or SystemType.TrapGate
        : gate.SystemType is SystemType.TaskGate or SystemType.InterruptGate16 or SystemType.TrapGate16 or SystemType.InterruptGate or SystemType.TrapGate);

    private static bool TryEnterTask(CpuState* cpu, in GateEvent entering, ushort selector, out bool taskSwitched, out MemoryFault fault)
    {
        taskSwitched = false;
        uint code = Selector.ErrorCode(selector) | entering.External;
        if (Selector.IsLocal(selector))
            return Refuse(Vectors.GeneralProtection, code, out fault);
        if (!TryRead(cpu, selector, Vectors.GeneralProtection, entering.External, out Descriptor task, out fault))
            return false;
        if (!task.Is(SystemType.AvailableTss, SystemType.AvailableTss16))
            return Refuse(Vectors.GeneralProtection, code, out fault);
        if (!task.IsPresent)
            return Refuse(Vectors.SegmentNotPresent, code, out fault);
        if (!TaskSwitch.TrySwitch(cpu, selector, task, TaskSwitchCause.Nesting, cpu->Rip, entering.Flags, entering.External, out taskSwitched, out fault))
            return false;
        if (entering.ErrorCode is not { } errorCode)
            return true;
        AccessMode mode = PrivilegeLevel.Of(cpu) == 3 ? AccessMode.User : AccessMode.Supervisor;
        var stack = new PushTarget(cpu->Ss, cpu->Rsp, flat: false, mode, entering.External);
        if (!stack.TryPush(cpu, [errorCode], TaskState.IsWide(cpu) ? sizeof(uint) : sizeof(ushort), out fault))
            return false;
        cpu->Rsp = stack.Pointer;
        return true;
    }

    private static bool TryReadCode(CpuState* cpu, ushort selector, uint external, out Descriptor code, out MemoryFault fault)
    {
        code = default;
        if (Selector.IsNull(selector))
            return Refuse(Vectors.GeneralProtection, external, out fault);
        if (!TryRead(cpu, selector, Vectors.GeneralProtection, external, out code, out fault))
            return false;
        uint errorCode = Selector.ErrorCode(selector) | external;
        bool right = code.IsCode && code.Privilege <= PrivilegeLevel.Of(cpu) && (!ProcessorMode.IsLong(cpu) || (code.IsLong && !code.IsBig));
        if (!right)
            return Refuse(Vectors.GeneralProtection, errorCode, out fault);
        return code.IsPresent || Refuse(Vectors.SegmentNotPresent, errorCode, out fault);
    }

    private static bool TryEnterLong(CpuState* cpu, in GateEvent entering, Descriptor gate, Descriptor code, ulong target, out MemoryFault fault)
    {
        int before = PrivilegeLevel.Of(cpu);
        int level = code.IsConforming ? before : code.Privilege;
        ulong pointer = cpu->Rsp;
        if ((gate.InterruptStack != 0 || level < before) &&
            !TaskState.TryLongStack(cpu, level, gate.InterruptStack, entering.External, out pointer, out fault))
        {
            return false;
        }

        if (!PageWalk.IsCanonical(target))
            return Refuse(Vectors.GeneralProtection, entering.External, out fault);
        var stack = new PushTarget(default, pointer & ~15ul, flat: true, ModeOf(level), entering.External);
        ReadOnlySpan<ulong> frame = [cpu->Ss.Selector, cpu->Rsp, entering.Flags, cpu->Cs.Selector, cpu->Rip, entering.ErrorCode ?? 0];
        if (!stack.TryPush(cpu, entering.ErrorCode is null ? frame[..^1] : frame, sizeof(ulong), out fault) ||
            !SegmentLoads.TryTakeCode(cpu, gate.TargetSelector, code, level, out Segment segment, out fault))
        {
            return false;
        }

        if (level < before)
            cpu->Ss = new Segment { Selector = (ushort)level };
        Commit(cpu, gate, segment, target, stack.Pointer);
        return true;
    }

    private static bool TryEnterLegacy(CpuState* cpu, in GateEvent entering, Descriptor gate, Descriptor code, out MemoryFault fault)
    {
        int before = PrivilegeLevel.Of(cpu);
        bool virtual8086 = ProcessorMode.IsVirtual8086(cpu);
        int level = code.IsConforming ? before : code.Privilege;
        uint external = entering.External;
        if (virtual8086 && level != 0)
            return Refuse(Vectors.GeneralProtection, Selector.ErrorCode(gate.TargetSelector) | external, out fault);

        bool wide = gate.SystemType is SystemType.InterruptGate or SystemType.TrapGate;
        ulong target = wide ? gate.TargetOffset : (ushort)gate.TargetOffset;
        Segment stackSegment = cpu->Ss;
        ulong pointer = cpu->Rsp;
        uint stackCode = external;
        if (level < before)
        {
            if (!TaskState.TryStack(cpu, level, external, out stackSegment, out pointer, out fault))
                return false;
            stackCode |= Selector.ErrorCode(stackSegment.Selector);
        }

        if (target > code.Limit)
            return Refuse(Vectors.GeneralProtection, external, out fault);
        Span<ulong> frame = stackalloc ulong[10];
        int count = 0;
        if (virtual8086)
        {
            frame[count++] = cpu->Gs.Selector;
            frame[count++] = cpu->Fs.Selector;
            frame[count++] = cpu->Ds.Selector;
            frame[count++] = cpu->Es.Selector;
        }

        if (level < before)
        {
            frame[count++] = cpu->Ss.Selector;
            frame[count++] = cpu->Rsp;
        }

        frame[count++] = entering.Flags;
        frame[count++] = cpu->Cs.Selector;
        frame[count++] = cpu->Rip;
        if (entering.ErrorCode is { } errorCode)
            frame[count++] = errorCode;
        var stack = new PushTarget(stackSegment, pointer, flat: false, ModeOf(level), stackCode);
        if (!stack.TryPush(cpu, frame[..count], wide ? sizeof(uint) : sizeof(ushort), out fault) ||
            !SegmentLoads.TryTakeCode(cpu, gate.TargetSelector, code, level, out Segment segment, out fault))
        {
            return false;
        }

        if (level < before)
            cpu->Ss = stackSegment;
        if (virtual8086)
            cpu->Ds = cpu->Es = cpu->Fs = cpu->Gs = default;
        Commit(cpu, gate, segment, target, stack.Pointer);
        return true;
    }

    private static AccessMode ModeOf(int level) => level == 3 ? AccessMode.User : AccessMode.Supervisor;

    private static void Commit(CpuState* cpu, Descriptor gate, in Segment code, ulong target, ulong pointer)
    {
        bool closes = gate.SystemType is SystemType.InterruptGate or SystemType.InterruptGate16;
        cpu->Rsp = pointer;
        cpu->Cs = code;
        cpu->Rip = target;
        cpu->RFlags &= ~(ClearedFlags | (closes ? RFlags.InterruptEnable : 0));
    }
}
