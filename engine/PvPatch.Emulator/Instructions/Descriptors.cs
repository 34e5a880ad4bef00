using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Reads descriptors and loads segment registers with the checks of protected and long mode (Intel SDM vol. 3, 3.4 and 5.5 to 5.8).</summary>
internal static unsafe class Descriptors
{
    private const int SystemLdt = 2;
    private const int SystemTssAvailable = 9;
    private const ushort BusyBit = 2;

    /// <summary>The segment that an 8-byte descriptor describes.</summary>
    public static Segment Decode(ushort selector, ulong descriptor)
    {
        uint limit = (uint)(descriptor & 0xffff) | (uint)((descriptor >> 32) & 0xf_0000);
        ushort attributes = (ushort)((descriptor >> 40) & 0xf0ff);
        return new Segment
        {
            Selector = selector,
            Attributes = attributes,
            Limit = (attributes & SegmentAttributes.Granularity) != 0 ? (limit << 12) | 0xfff : limit,
            Base = ((descriptor >> 16) & 0xff_ffff) | ((descriptor >> 32) & 0xff00_0000),
        };
    }

    /// <summary>The privilege level of a descriptor.</summary>
    public static int Privilege(in Segment segment) => (segment.Attributes >> 5) & 3;

    /// <summary>Reads the descriptor of a selector; false after a fault, which is <paramref name="vector"/> when the selector lies beyond its table.</summary>
    public static bool TryRead(CpuState* cpu, DecodedInstruction* u, ushort selector, uint vector, out ulong descriptor)
    {
        descriptor = 0;
        bool local = (selector & 4) != 0;
        ulong tableBase = local ? cpu->Ldtr.Base : cpu->Gdtr.Base;
        uint limit = local ? cpu->Ldtr.Limit : cpu->Gdtr.Limit;
        bool noTable = local && (cpu->Ldtr.Selector & ~3) == 0;
        if (noTable || (selector | 7u) > limit)
        {
            Execution.Raise(cpu, u, vector, selector & ~3u);
            return false;
        }

        if (LinearMemory.TryLoad(cpu, tableBase + (selector & ~7u), AccessMode.Supervisor, out descriptor, out MemoryFault fault))
            return true;
        Execution.Raise(cpu, u, fault);
        return false;
    }

    /// <summary>MOV, POP and LxS into DS, ES, FS, GS or SS.</summary>
    public static bool TryLoadData(CpuState* cpu, DecodedInstruction* u, ushort place, ushort selector)
    {
        // SAFETY: place is the offset of a Segment inside CpuState.
        var target = (Segment*)((byte*)cpu + place);
        bool stack = target == &cpu->Ss;
        if ((cpu->Cr0 & Cr0Bits.ProtectionEnable) == 0 || (cpu->RFlags & RFlags.Virtual8086) != 0)
        {
            target->Selector = selector;
            target->Base = (ulong)selector << 4;
            return true;
        }

        int level = PrivilegeLevel.Of(cpu);
        int requested = selector & 3;
        if ((selector & ~3) == 0)
        {
            bool longCode = (u->Marks & Marks.Code64) != Marks.None;
            if (stack && (!longCode || level == 3 || requested != level))
            {
                Execution.Raise(cpu, u, Vectors.GeneralProtection);
                return false;
            }

            target->Selector = selector;
            target->Attributes = 0;
            return true;
        }

        if (!TryRead(cpu, u, selector, Vectors.GeneralProtection, out ulong descriptor))
            return false;
        Segment loaded = Decode(selector, descriptor);
        bool code = (loaded.Attributes & SegmentAttributes.Code) != 0;
        bool usable = (loaded.Attributes & SegmentAttributes.CodeOrData) != 0;
        bool permitted = (loaded.Attributes & SegmentAttributes.WritableOrReadable) != 0;
        bool conforming = code && (loaded.Attributes & SegmentAttributes.DownOrConforming) != 0;
        bool allowed = stack
            ? usable && !code && permitted && requested == level && Privilege(loaded) == level
            : usable && (!code || permitted) && (conforming || (Privilege(loaded) >= requested && Privilege(loaded) >= level));
        if (!allowed || (loaded.Attributes & SegmentAttributes.Present) == 0)
        {
            uint vector = !allowed ? Vectors.GeneralProtection : stack ? Vectors.StackFault : Vectors.SegmentNotPresent;
            Execution.Raise(cpu, u, vector, selector & ~3u);
            return false;
        }

        if (!TryMarkAccessed(cpu, u, selector, descriptor))
            return false;
        loaded.Attributes |= SegmentAttributes.Accessed;
        *target = loaded;
        return true;
    }

    /// <summary>The code segment of a far transfer to a level that is checked by the caller; false after a fault.</summary>
    public static bool TryReadCode(CpuState* cpu, DecodedInstruction* u, ushort selector, out Segment code)
    {
        code = default;
        if ((selector & ~3) == 0)
        {
            Execution.Raise(cpu, u, Vectors.GeneralProtection);
            return false;
        }

        if (!TryRead(cpu, u, selector, Vectors.GeneralProtection, out ulong descriptor))
            return false;
        code = Decode(selector, descriptor);
        const ushort Kind = SegmentAttributes.CodeOrData | SegmentAttributes.Code;
        bool bothWidths = (code.Attributes & (SegmentAttributes.Long | SegmentAttributes.Big)) == (SegmentAttributes.Long | SegmentAttributes.Big);
        bool wrong = (code.Attributes & Kind) != Kind || (bothWidths && (cpu->Efer & EferBits.LongModeActive) != 0);
        if (!wrong && (code.Attributes & SegmentAttributes.Present) != 0)
            return TryMarkAccessed(cpu, u, selector, descriptor);
        Execution.Raise(cpu, u, wrong ? Vectors.GeneralProtection : Vectors.SegmentNotPresent, selector & ~3u);
        return false;
    }

    /// <summary>LLDT.</summary>
    public static bool TryLoadLdt(CpuState* cpu, DecodedInstruction* u, ushort selector)
    {
        if ((selector & ~3) == 0)
        {
            cpu->Ldtr = new Segment { Selector = selector };
            return true;
        }

        if (!TryReadSystem(cpu, u, selector, SystemLdt, out Segment loaded, out _))
            return false;
        cpu->Ldtr = loaded;
        return true;
    }

    /// <summary>LTR: the TSS must be available and becomes busy.</summary>
    public static bool TryLoadTask(CpuState* cpu, DecodedInstruction* u, ushort selector)
    {
        if ((selector & ~3) == 0)
        {
            Execution.Raise(cpu, u, Vectors.GeneralProtection);
            return false;
        }

        if (!TryReadSystem(cpu, u, selector, SystemTssAvailable, out Segment loaded, out ulong descriptor))
            return false;
        ulong place = cpu->Gdtr.Base + (selector & ~7u);
        if (!LinearMemory.TryStore(cpu, place, AccessMode.Supervisor, descriptor | ((ulong)BusyBit << 40), out MemoryFault fault))
        {
            Execution.Raise(cpu, u, fault);
            return false;
        }

        loaded.Attributes |= BusyBit;
        cpu->Tr = loaded;
        return true;
    }

    /// <summary>A system descriptor in the GDT: 16 bytes in long mode.</summary>
    private static bool TryReadSystem(CpuState* cpu, DecodedInstruction* u, ushort selector, int type, out Segment loaded, out ulong descriptor)
    {
        loaded = default;
        descriptor = 0;
        if ((selector & 4) != 0)
        {
            Execution.Raise(cpu, u, Vectors.GeneralProtection, selector & ~3u);
            return false;
        }

        if (!TryRead(cpu, u, selector, Vectors.GeneralProtection, out descriptor))
            return false;
        loaded = Decode(selector, descriptor);
        bool wrong = (loaded.Attributes & 0x1f) != type;
        if (wrong || (loaded.Attributes & SegmentAttributes.Present) == 0)
        {
            Execution.Raise(cpu, u, wrong ? Vectors.GeneralProtection : Vectors.SegmentNotPresent, selector & ~3u);
            return false;
        }

        if ((cpu->Efer & EferBits.LongModeActive) == 0)
            return true;
        if ((selector | 15u) > cpu->Gdtr.Limit)
        {
            Execution.Raise(cpu, u, Vectors.GeneralProtection, selector & ~3u);
            return false;
        }

        if (!LinearMemory.TryLoad(cpu, cpu->Gdtr.Base + (selector & ~7u) + 8, AccessMode.Supervisor, out uint upper, out MemoryFault fault))
        {
            Execution.Raise(cpu, u, fault);
            return false;
        }

        loaded.Base |= (ulong)upper << 32;
        return true;
    }

    private static bool TryMarkAccessed(CpuState* cpu, DecodedInstruction* u, ushort selector, ulong descriptor)
    {
        const ulong Accessed = 1ul << 40;
        if ((descriptor & Accessed) != 0)
            return true;
        ulong place = ((selector & 4) != 0 ? cpu->Ldtr.Base : cpu->Gdtr.Base) + (selector & ~7u);
        if (LinearMemory.TryStore(cpu, place, AccessMode.Supervisor, descriptor | Accessed, out MemoryFault fault))
            return true;
        Execution.Raise(cpu, u, fault);
        return false;
    }
}
