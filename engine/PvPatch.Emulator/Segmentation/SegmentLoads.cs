using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using static PvPatch.Emulator.Segmentation.DescriptorTables;

namespace PvPatch.Emulator.Segmentation;

/// <summary>Loads of the segment registers, LDTR and TR with their checks (Intel SDM vol. 3, 5.5 to 5.8; vol. 2, MOV, LLDT, LTR).</summary>
internal static unsafe class SegmentLoads
{
    /// <summary>The attributes of every segment in virtual-8086 mode: writable data of level 3 (Intel SDM vol. 3, 20.2).</summary>
    private const ushort Virtual8086Attributes = 0xf3;

    /// <summary>Loads DS, ES, FS, GS or SS from a program's selector.</summary>
    public static bool TryLoad(CpuState* cpu, Segment* target, ushort selector, out MemoryFault fault)
    {
        fault = default;
        if (ProcessorMode.SelectorsAreParagraphs(cpu))
        {
            target->Selector = selector;
            target->Base = (ulong)selector << 4;
            return true;
        }

        return target == &cpu->Ss
            ? TryLoadStack(cpu, selector, out fault)
            : TryLoadData(cpu, target, selector, Vectors.GeneralProtection, out fault);
    }

    /// <summary>Loads DS, ES, FS or GS; what is wrong with the descriptor is <paramref name="vector"/>.</summary>
    public static bool TryLoadData(CpuState* cpu, Segment* target, ushort selector, uint vector, out MemoryFault fault)
    {
        fault = default;
        if (Selector.IsNull(selector))
        {
            *target = new Segment { Selector = selector };
            return true;
        }

        if (!TryRead(cpu, selector, vector, 0, out Descriptor descriptor, out fault))
            return false;
        int level = Math.Max(PrivilegeLevel.Of(cpu), Selector.RequestedPrivilege(selector));
        if (!descriptor.IsReadable || (!descriptor.IsConforming && descriptor.Privilege < level))
            return Refuse(vector, Selector.ErrorCode(selector), out fault);
        if (!descriptor.IsPresent)
            return Refuse(Vectors.SegmentNotPresent, Selector.ErrorCode(selector), out fault);
        if (!TryMarkAccessed(cpu, selector, descriptor, out fault))
            return false;
        *target = new Descriptor(descriptor.Raw | Descriptor.Accessed).ToSegment(selector);
        return true;
    }

    /// <summary>
    /// The stack segment of a level: writable data whose DPL and RPL are that level. What is wrong is <paramref name="vector"/>
    /// with the selector, #SS if it is not present.
    /// </summary>
    public static bool TryReadStack(CpuState* cpu, ushort selector, int level, uint vector, uint external, out Segment stack, out MemoryFault fault)
    {
        stack = default;
        if (Selector.IsNull(selector))
            return Refuse(vector, external, out fault);
        if (!TryRead(cpu, selector, vector, external, out Descriptor descriptor, out fault))
            return false;
        uint code = Selector.ErrorCode(selector) | external;
        if (Selector.RequestedPrivilege(selector) != level || descriptor.Privilege != level || !descriptor.IsWritable)
            return Refuse(vector, code, out fault);
        if (!descriptor.IsPresent)
            return Refuse(Vectors.StackFault, code, out fault);
        if (!TryMarkAccessed(cpu, selector, descriptor, out fault))
            return false;
        stack = new Descriptor(descriptor.Raw | Descriptor.Accessed).ToSegment(selector);
        return true;
    }

    /// <summary>A code segment of long mode has L or D, not both: what both would mean is reserved.</summary>
    public static bool IsCode(CpuState* cpu, Descriptor descriptor) =>
        descriptor.IsCode && !(ProcessorMode.IsLong(cpu) && descriptor.IsLong && descriptor.IsBig);

    /// <summary>The segment that a code descriptor gives at a level.</summary>
    public static bool TryTakeCode(CpuState* cpu, ushort selector, Descriptor descriptor, int level, out Segment code, out MemoryFault fault)
    {
        code = new Descriptor(descriptor.Raw | Descriptor.Accessed).ToSegment(Selector.WithPrivilege(selector, level));
        if (!ProcessorMode.IsLong(cpu))
            code.Attributes &= unchecked((ushort)~SegmentAttributes.Long);
        return TryMarkAccessed(cpu, selector, descriptor, out fault);
    }

    /// <summary>Whether an instruction pointer lies in a code segment: canonical in 64-bit code, else within the limit.</summary>
    public static bool Contains(CpuState* cpu, in Segment code, ulong rip) =>
        ProcessorMode.IsLong(cpu) && (code.Attributes & SegmentAttributes.Long) != 0 ? PageWalk.IsCanonical(rip) : rip <= code.Limit;

    /// <summary>A segment of virtual-8086 mode.</summary>
    public static Segment Virtual8086(ushort selector) =>
        new() { Selector = selector, Base = (ulong)selector << 4, Limit = ushort.MaxValue, Attributes = Virtual8086Attributes };

    /// <summary>After a return to an outer level: data segments that it may not use become null (Intel SDM vol. 2, RET and IRET).</summary>
    public static void ForgetInnerData(CpuState* cpu, int level)
    {
        Forget(&cpu->Ds, level);
        Forget(&cpu->Es, level);
        Forget(&cpu->Fs, level);
        Forget(&cpu->Gs, level);
    }

    /// <summary>LLDT, and the LDT of a new task, whose faults are <paramref name="vector"/>.</summary>
    public static bool TryLoadLdt(CpuState* cpu, ushort selector, uint vector, out MemoryFault fault)
    {
        fault = default;
        if (Selector.IsNull(selector))
        {
            cpu->Ldtr = new Segment { Selector = selector };
            return true;
        }

        if (Selector.IsLocal(selector))
            return Refuse(vector, Selector.ErrorCode(selector), out fault);
        if (!TryRead(cpu, selector, vector, 0, out Descriptor descriptor, out fault))
            return false;
        if (!descriptor.Is(SystemType.Ldt, SystemType.Ldt))
            return Refuse(vector, Selector.ErrorCode(selector), out fault);
        if (!descriptor.IsPresent)
        {
            uint absent = vector == Vectors.InvalidTss ? Vectors.InvalidTss : Vectors.SegmentNotPresent;
            return Refuse(absent, Selector.ErrorCode(selector), out fault);
        }

        if (!TryBase(cpu, selector, descriptor, out Segment loaded, out fault))
            return false;
        cpu->Ldtr = loaded;
        return true;
    }

    /// <summary>LTR: the TSS must be available and becomes busy.</summary>
    public static bool TryLoadTask(CpuState* cpu, ushort selector, out MemoryFault fault)
    {
        if (Selector.IsNull(selector))
            return Refuse(Vectors.GeneralProtection, 0, out fault);
        uint code = Selector.ErrorCode(selector);
        if (Selector.IsLocal(selector))
            return Refuse(Vectors.GeneralProtection, code, out fault);
        if (!TryRead(cpu, selector, Vectors.GeneralProtection, 0, out Descriptor descriptor, out fault))
            return false;
        SystemType narrow = ProcessorMode.IsLong(cpu) ? SystemType.AvailableTss : SystemType.AvailableTss16;
        if (!descriptor.Is(SystemType.AvailableTss, narrow))
            return Refuse(Vectors.GeneralProtection, code, out fault);
        if (!descriptor.IsPresent)
            return Refuse(Vectors.SegmentNotPresent, code, out fault);
        if (!TryBase(cpu, selector, new Descriptor(descriptor.Raw | Descriptor.Busy), out Segment loaded, out fault) ||
            !TryMarkBusy(cpu, selector, descriptor, busy: true, out fault))
        {
            return false;
        }

        cpu->Tr = loaded;
        return true;
    }

    /// <summary>The whole base of a system segment: in 64-bit mode its descriptor has 16 bytes, elsewhere 8 (Intel SDM vol. 2, LTR).</summary>
    private static bool TryBase(CpuState* cpu, ushort selector, Descriptor descriptor, out Segment loaded, out MemoryFault fault)
    {
        fault = default;
        loaded = descriptor.ToSegment(selector);
        if (!ProcessorMode.Is64Bit(cpu))
            return true;
        if (!TryReadUpper(cpu, selector, Vectors.GeneralProtection, out uint upper, out fault))
            return false;
        loaded.Base |= (ulong)upper << 32;
        return PageWalk.IsCanonical(loaded.Base) || Refuse(Vectors.GeneralProtection, Selector.ErrorCode(selector), out fault);
    }

    private static bool TryLoadStack(CpuState* cpu, ushort selector, out MemoryFault fault)
    {
        fault = default;
        int level = PrivilegeLevel.Of(cpu);
        if (Selector.IsNull(selector) && ProcessorMode.Is64Bit(cpu) && level != 3 && Selector.RequestedPrivilege(selector) == level)
        {
            cpu->Ss = new Segment { Selector = selector };
            return true;
        }

        if (!TryReadStack(cpu, selector, level, Vectors.GeneralProtection, 0, out Segment stack, out fault))
            return false;
        cpu->Ss = stack;
        return true;
    }

    private static void Forget(Segment* segment, int level)
    {
        const ushort ConformingCode = SegmentAttributes.Code | SegmentAttributes.DownOrConforming;
        bool conforming = (segment->Attributes & ConformingCode) == ConformingCode;
        bool usable = (segment->Attributes & SegmentAttributes.Present) != 0;
        if (usable && !conforming && ((segment->Attributes >> 5) & 3) < level)
            *segment = default;
    }
}
