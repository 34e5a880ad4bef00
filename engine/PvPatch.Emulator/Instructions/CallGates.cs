using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Segmentation;
using PvPatch.Emulator.State;
using static PvPatch.Emulator.Segmentation.DescriptorTables;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Far calls and jumps through call gates; a call to an inner level changes to the stack that the TSS names and, outside long
/// mode, copies parameters there (Intel SDM vol. 3, 5.8.3 to 5.8.5).
/// </summary>
internal static unsafe class CallGates
{
    private const int MostParameters = 31;

    /// <summary>Enters the code that a present gate names, which the caller may use.</summary>
    public static DecodedInstruction* Enter(CpuState* cpu, DecodedInstruction* u, ushort selector, Descriptor gate, bool isCall)
    {
        ulong target = gate.SystemType == SystemType.CallGate16 ? (ushort)gate.TargetOffset : gate.TargetOffset;
        MemoryFault fault;
        if (ProcessorMode.IsLong(cpu))
        {
            if (!TryReadUpper(cpu, selector, Vectors.GeneralProtection, out uint upper, out fault))
                return Execution.Refuse(cpu, u, fault);
            target |= (ulong)upper << 32;
        }

        if (!TryReadCode(cpu, gate.TargetSelector, isCall, out Descriptor code, out fault))
            return Execution.Refuse(cpu, u, fault);
        int before = PrivilegeLevel.Of(cpu);
        int level = isCall && !code.IsConforming ? code.Privilege : before;
        Segment stack = cpu->Ss;
        ulong pointer = cpu->Rsp;
        if (isCall && !TryPushFrame(cpu, u, gate, level, ref stack, ref pointer, out fault))
            return Execution.Of(cpu)->Cause == LeaveCause.Fault ? null : Execution.Refuse(cpu, u, fault);
        if (!SegmentLoads.TryTakeCode(cpu, gate.TargetSelector, code, level, out Segment segment, out fault))
            return Execution.Refuse(cpu, u, fault);
        if (!SegmentLoads.Contains(cpu, segment, target))
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        cpu->Ss = stack;
        cpu->Rsp = pointer;
        cpu->Cs = segment;
        return Execution.Leave(cpu, target, LeaveCause.Changed);
    }

    private static bool TryReadCode(CpuState* cpu, ushort selector, bool isCall, out Descriptor code, out MemoryFault fault)
    {
        code = default;
        if (Selector.IsNull(selector))
            return Refuse(Vectors.GeneralProtection, 0, out fault);
        if (!TryRead(cpu, selector, Vectors.GeneralProtection, 0, out code, out fault))
            return false;
        int level = PrivilegeLevel.Of(cpu);
        bool allowed = code.IsConforming || isCall ? code.Privilege <= level : code.Privilege == level;
        bool right = code.IsCode && (!ProcessorMode.IsLong(cpu) || (code.IsLong && !code.IsBig));
        if (!right || !allowed)
            return Refuse(Vectors.GeneralProtection, Selector.ErrorCode(selector), out fault);
        return code.IsPresent || Refuse(Vectors.SegmentNotPresent, Selector.ErrorCode(selector), out fault);
    }

    /// <summary>Pushes what RETF takes back: on an inner stack the outer one's pointer and the parameters too.</summary>
    private static bool TryPushFrame(
        CpuState* cpu, DecodedInstruction* u, Descriptor gate, int level, ref Segment stack, ref ulong pointer, out MemoryFault fault)
    {
        bool longMode = ProcessorMode.IsLong(cpu);
        bool inward = level < PrivilegeLevel.Of(cpu);
        int size = longMode ? sizeof(ulong) : gate.SystemType == SystemType.CallGate16 ? sizeof(ushort) : sizeof(uint);
        Span<ulong> frame = stackalloc ulong[MostParameters + 4];
        int count = 0;
        uint stackCode = 0;
        if (inward)
        {
            frame[count++] = stack.Selector;
            frame[count++] = pointer;
            if (longMode)
            {
                if (!TaskState.TryLongStack(cpu, level, 0, 0, out pointer, out fault))
                    return false;
                stack = new Segment { Selector = (ushort)level };
            }
            else
            {
                if (!TryCopyParameters(cpu, u, gate.ParameterCount, size, frame, ref count, out fault) ||
                    !TaskState.TryStack(cpu, level, 0, out stack, out pointer, out fault))
                {
                    return false;
                }

                stackCode = Selector.ErrorCode(stack.Selector);
            }
        }

        frame[count++] = cpu->Cs.Selector;
        frame[count++] = ControlFlow.Next(u);
        AccessMode mode = level == 3 ? AccessMode.User : AccessMode.Supervisor;
        var target = new PushTarget(stack, pointer, longMode, mode, stackCode);
        if (!target.TryPush(cpu, frame[..count], size, out fault))
            return false;
        pointer = target.Pointer;
        return true;
    }

    private static bool TryCopyParameters(
        CpuState* cpu, DecodedInstruction* u, int parameters, int size, Span<ulong> frame, ref int count, out MemoryFault fault)
    {
        fault = default;
        for (int i = parameters - 1; i >= 0; i--)
        {
            uint value;
            if (size == sizeof(uint))
            {
                if (!Stack.TryPeek(cpu, u, (ulong)(i * size), out value))
                    return false;
            }
            else
            {
                if (!Stack.TryPeek(cpu, u, (ulong)(i * size), out ushort word))
                    return false;
                value = word;
            }

            frame[count++] = value;
        }

        return true;
    }
}
