using PvPatch.Emulator.Hooks;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Interpreter;

/// <summary>
/// Delivers events to emulated code through the IDT of long mode (Intel SDM vol. 3, 6.14): gate, code segment, stack from TSS
/// or IST, frame, error code; contributory faults make a double fault, and a fault on that a shutdown.
/// </summary>
internal static unsafe class GateDelivery
{
    private const uint ExternalBit = 1;
    private const uint IdtBit = 2;
    private const int InterruptGate = 14;
    private const int TrapGate = 15;
    private const uint FirstStackInTss = 4;
    private const uint FirstIstInTss = 0x24;
    private const ulong ClearedFlags = RFlags.Trap | RFlags.NestedTask | RFlags.Resume | RFlags.Virtual8086;

    /// <summary>Enters the handler of an event; false is a triple fault.</summary>
    public static bool TryDeliver(CpuState* cpu, uint vector, uint errorCode, EventSource source)
    {
        while (true)
        {
            if (TryEnter(cpu, vector, errorCode, source, out MemoryFault second))
                return true;
            if (vector == Vectors.DoubleFault)
                return false;
            if (source == EventSource.Software)
                cpu->Rip = Execution.Of(cpu)->TrapRip;
            if (second.Vector == Vectors.PageFault)
                cpu->Cr2 = second.Address;
            bool doubles = source == EventSource.Exception &&
                ((IsContributory(vector) && IsContributory(second.Vector)) ||
                (vector == Vectors.PageFault && (IsContributory(second.Vector) || second.Vector == Vectors.PageFault)));
            vector = doubles ? Vectors.DoubleFault : second.Vector;
            errorCode = doubles ? 0 : second.ErrorCode;
            source = EventSource.Exception;
        }
    }

    /// <summary>Whether an exception pushes an error code.</summary>
    public static bool HasErrorCode(uint vector) => vector is Vectors.DoubleFault or (>= Vectors.InvalidTss and <= Vectors.PageFault) or Vectors.AlignmentCheck;

    private static bool IsContributory(uint vector) => vector is Vectors.DivideError or (>= Vectors.InvalidTss and <= Vectors.GeneralProtection);

    private static bool TryEnter(CpuState* cpu, uint vector, uint errorCode, EventSource source, out MemoryFault fault)
    {
        uint external = source == EventSource.Software ? 0 : ExternalBit;
        uint gateCode = (vector * 8) | IdtBit | external;
        if ((vector * 16) + 15 > cpu->Idtr.Limit)
            return Refuse(Vectors.GeneralProtection, gateCode, out fault);
        ulong place = cpu->Idtr.Base + (vector * 16);
        if (!LinearMemory.TryLoad(cpu, place, AccessMode.Supervisor, out ulong low, out fault) ||
            !LinearMemory.TryLoad(cpu, place + 8, AccessMode.Supervisor, out ulong high, out fault))
        {
            return false;
        }

        int type = (int)(low >> 40) & 0x1f;
        int gatePrivilege = (int)(low >> 45) & 3;
        int before = PrivilegeLevel.Of(cpu);
        bool forbidden = source == EventSource.Software && gatePrivilege < before;
        if (type is not (InterruptGate or TrapGate) || forbidden)
            return Refuse(Vectors.GeneralProtection, gateCode, out fault);
        if ((low >> 47 & 1) == 0)
            return Refuse(Vectors.SegmentNotPresent, gateCode, out fault);

        ushort selector = (ushort)(low >> 16);
        if (!TryCode(cpu, selector, external, out Segment code, out fault))
            return false;
        bool conforming = (code.Attributes & SegmentAttributes.DownOrConforming) != 0;
        int level = conforming ? before : Descriptors.Privilege(code);
        ulong stack = cpu->Rsp;
        uint ist = (uint)(low >> 32) & 7;
        if ((ist != 0 || level < before) && !TryStackPointer(cpu, ist, level, external, out stack, out fault))
            return false;
        stack &= ~15ul;
        if (!TryPushFrame(cpu, ref stack, level, vector, errorCode, source, out fault))
            return false;

        cpu->Rsp = stack;
        if (level < before)
            cpu->Ss = new Segment { Selector = (ushort)level };
        code.Selector = (ushort)((selector & ~3) | level);
        cpu->Cs = code;
        cpu->Rip = (low & 0xffff) | ((low >> 32) & 0xffff_0000) | (high << 32);
        cpu->RFlags &= ~(ClearedFlags | (type == InterruptGate ? RFlags.InterruptEnable : 0));
        return true;
    }

    private static bool TryCode(CpuState* cpu, ushort selector, uint external, out Segment code, out MemoryFault fault)
    {
        code = default;
        bool local = (selector & 4) != 0;
        ulong tableBase = local ? cpu->Ldtr.Base : cpu->Gdtr.Base;
        uint limit = local ? cpu->Ldtr.Limit : cpu->Gdtr.Limit;
        if ((selector & ~3) == 0)
            return Refuse(Vectors.GeneralProtection, external, out fault);
        uint errorCode = (selector & ~3u) | external;
        if ((selector | 7u) > limit)
            return Refuse(Vectors.GeneralProtection, errorCode, out fault);
        if (!LinearMemory.TryLoad(cpu, tableBase + (selector & ~7u), AccessMode.Supervisor, out ulong descriptor, out fault))
            return false;
        code = Descriptors.Decode(selector, descriptor);
        const ushort Kind = SegmentAttributes.CodeOrData | SegmentAttributes.Code | SegmentAttributes.Long | SegmentAttributes.Big;
        const ushort LongCode = SegmentAttributes.CodeOrData | SegmentAttributes.Code | SegmentAttributes.Long;
        if ((code.Attributes & Kind) != LongCode || Descriptors.Privilege(code) > PrivilegeLevel.Of(cpu))
            return Refuse(Vectors.GeneralProtection, errorCode, out fault);
        return (code.Attributes & SegmentAttributes.Present) != 0 || Refuse(Vectors.SegmentNotPresent, errorCode, out fault);
    }

    private static bool TryStackPointer(CpuState* cpu, uint ist, int level, uint external, out ulong stack, out MemoryFault fault)
    {
        stack = 0;
        uint offset = ist != 0 ? FirstIstInTss + ((ist - 1) * 8) : FirstStackInTss + ((uint)level * 8);
        if (offset + 7 > cpu->Tr.Limit)
            return Refuse(Vectors.InvalidTss, (cpu->Tr.Selector & ~3u) | external, out fault);
        if (!LinearMemory.TryLoad(cpu, cpu->Tr.Base + offset, AccessMode.Supervisor, out stack, out fault))
            return false;
        return PageWalk.IsCanonical(stack) || Refuse(Vectors.StackFault, external, out fault);
    }

    /// <summary>Writes SS, RSP, RFLAGS, CS, RIP and the error code; nothing else changes before all of them are written.</summary>
    private static bool TryPushFrame(CpuState* cpu, ref ulong stack, int level, uint vector, uint errorCode, EventSource source, out MemoryFault fault)
    {
        bool withCode = source == EventSource.Exception && HasErrorCode(vector);
        bool restarts = source == EventSource.Exception && vector is not (Vectors.Debug or Vectors.Breakpoint or Vectors.Overflow or Vectors.DoubleFault);
        ulong flags = cpu->RFlags | (restarts ? RFlags.Resume : 0);
        ulong* words = stackalloc ulong[6];
        int count = 0;
        if (withCode)
            words[count++] = errorCode;
        words[count++] = cpu->Rip;
        words[count++] = cpu->Cs.Selector;
        words[count++] = flags;
        words[count++] = cpu->Rsp;
        words[count++] = cpu->Ss.Selector;
        stack -= (ulong)count * 8;
        AccessMode mode = level == 3 ? AccessMode.User : AccessMode.Supervisor;
        if (!ReservedBytes.TryReserve(cpu, stack, count * 8, AccessKind.Write, mode, out ReservedBytes frame, out fault))
        {
            if (fault.Vector == Vectors.GeneralProtection)
                fault = new MemoryFault((byte)Vectors.StackFault, 0, stack);
            return false;
        }

        frame.CopyFrom(cpu, words);
        return true;
    }

    private static bool Refuse(uint vector, uint errorCode, out MemoryFault fault)
    {
        fault = new MemoryFault((byte)vector, errorCode, 0);
        return false;
    }
}
