using System.Runtime.CompilerServices;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Segmentation;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>LAR, LSL, VERR, VERW and ARPL: what a program may ask about selectors without a fault (Intel SDM vol. 2; vol. 3, 5.10).</summary>
internal static unsafe class DescriptorQueries
{
    /// <summary>The bits of a descriptor's second word that LAR gives; processors give the limit's upper bits too, which the manual leaves open.</summary>
    private const uint AccessRights = 0x00ff_ff00;

    /// <summary>LAR.</summary>
    public static DecodedInstruction* AccessRightsOf<T>(CpuState* cpu, DecodedInstruction* u) =>
        TrySelector(cpu, u, u->Op1, out ushort selector) ? Load<T>(cpu, u, selector, limits: false) : null;

    /// <summary>LAR with the selector in memory.</summary>
    public static DecodedInstruction* AccessRightsOfMemory<T>(CpuState* cpu, DecodedInstruction* u) =>
        TrySelectorInMemory(cpu, u, out ushort selector) ? Load<T>(cpu, u, selector, limits: false) : null;

    /// <summary>LSL.</summary>
    public static DecodedInstruction* LimitOf<T>(CpuState* cpu, DecodedInstruction* u) =>
        TrySelector(cpu, u, u->Op1, out ushort selector) ? Load<T>(cpu, u, selector, limits: true) : null;

    /// <summary>LSL with the selector in memory.</summary>
    public static DecodedInstruction* LimitOfMemory<T>(CpuState* cpu, DecodedInstruction* u) =>
        TrySelectorInMemory(cpu, u, out ushort selector) ? Load<T>(cpu, u, selector, limits: true) : null;

    /// <summary>VERR.</summary>
    public static DecodedInstruction* IsReadable(CpuState* cpu, DecodedInstruction* u) =>
        TrySelector(cpu, u, u->Op0, out ushort selector) ? Verify(cpu, u, selector, write: false) : null;

    /// <summary>VERR with the selector in memory.</summary>
    public static DecodedInstruction* IsReadableMemory(CpuState* cpu, DecodedInstruction* u) =>
        TrySelectorInMemory(cpu, u, out ushort selector) ? Verify(cpu, u, selector, write: false) : null;

    /// <summary>VERW.</summary>
    public static DecodedInstruction* IsWritable(CpuState* cpu, DecodedInstruction* u) =>
        TrySelector(cpu, u, u->Op0, out ushort selector) ? Verify(cpu, u, selector, write: true) : null;

    /// <summary>VERW with the selector in memory.</summary>
    public static DecodedInstruction* IsWritableMemory(CpuState* cpu, DecodedInstruction* u) =>
        TrySelectorInMemory(cpu, u, out ushort selector) ? Verify(cpu, u, selector, write: true) : null;

    /// <summary>ARPL: raises a selector's requested level to another's; ZF says whether it did.</summary>
    public static DecodedInstruction* Adjust(CpuState* cpu, DecodedInstruction* u)
    {
        if (!SegmentMoves.IsProtected(cpu, u))
            return null;
        ushort selector = Operands.Register<ushort>(cpu, u->Op0);
        if (TryAdjust(cpu, u, ref selector))
            Operands.SetRegister(cpu, u->Op0, selector);
        return u + 1;
    }

    /// <summary>ARPL of a selector in memory, which is written either way.</summary>
    public static DecodedInstruction* AdjustMemory(CpuState* cpu, DecodedInstruction* u)
    {
        if (!SegmentMoves.IsProtected(cpu, u))
            return null;
        byte* host = Operands.Modify(cpu, u, Operands.Linear(cpu, u, 2, write: true), 2, out bool slow);
        if (host == null)
            return null;
        // SAFETY: Modify gave 2 bytes that may be changed.
        ushort selector = Unsafe.ReadUnaligned<ushort>(host);
        TryAdjust(cpu, u, ref selector);
        Unsafe.WriteUnaligned(host, selector);
        return slow ? Operands.Finish(cpu, u) : u + 1;
    }

    private static bool TryAdjust(CpuState* cpu, DecodedInstruction* u, ref ushort selector)
    {
        int wanted = Operands.Register<ushort>(cpu, u->Op1) & 3;
        bool raises = (selector & 3) < wanted;
        if (raises)
            selector = Selector.WithPrivilege(selector, wanted);
        SetZero(cpu, raises);
        return raises;
    }

    private static bool TrySelector(CpuState* cpu, DecodedInstruction* u, ushort place, out ushort selector)
    {
        selector = Operands.Register<ushort>(cpu, place);
        return SegmentMoves.IsProtected(cpu, u);
    }

    private static bool TrySelectorInMemory(CpuState* cpu, DecodedInstruction* u, out ushort selector)
    {
        selector = 0;
        return SegmentMoves.IsProtected(cpu, u) && SegmentMoves.TryWord(cpu, u, out selector);
    }

    private static DecodedInstruction* Load<T>(CpuState* cpu, DecodedInstruction* u, ushort selector, bool limits)
    {
        if (!TryDescriptor(cpu, u, selector, out Descriptor descriptor, out bool found))
            return null;
        bool longMode = ProcessorMode.IsLong(cpu);
        bool known = descriptor.IsCodeOrData || HasMeaning(descriptor.SystemType, longMode, limits);
        if (found && known && ProcessorMode.Is64Bit(cpu) && !descriptor.IsCodeOrData &&
            !DescriptorTables.TryReadUpper(cpu, selector, Vectors.GeneralProtection, out _, out MemoryFault fault))
        {
            // System descriptors of 64-bit mode have 16 bytes; one whose other half is wrong or missing is none.
            if (fault.Vector == Vectors.PageFault)
                return Execution.Refuse(cpu, u, fault);
            known = false;
        }

        bool visible = found && known && (descriptor.IsConforming || descriptor.Privilege >= Level(cpu, selector));
        SetZero(cpu, visible);
        if (visible)
            Operands.SetRegister(cpu, u->Op0, Integer.Truncate<T>(limits ? descriptor.Limit : (uint)(descriptor.Raw >> 32) & AccessRights));
        return u + 1;
    }

    private static DecodedInstruction* Verify(CpuState* cpu, DecodedInstruction* u, ushort selector, bool write)
    {
        if (!TryDescriptor(cpu, u, selector, out Descriptor descriptor, out bool found))
            return null;
        bool visible = descriptor.IsConforming || descriptor.Privilege >= Level(cpu, selector);
        SetZero(cpu, found && visible && (write ? descriptor.IsWritable : descriptor.IsReadable));
        return u + 1;
    }

    /// <summary>Reads a descriptor; a selector that leads nowhere is an answer, a page fault is a fault.</summary>
    private static bool TryDescriptor(CpuState* cpu, DecodedInstruction* u, ushort selector, out Descriptor descriptor, out bool found)
    {
        descriptor = default;
        found = false;
        if (Selector.IsNull(selector))
            return true;
        found = DescriptorTables.TryRead(cpu, selector, Vectors.GeneralProtection, 0, out descriptor, out MemoryFault fault);
        if (found || fault.Vector is not ((byte)Vectors.PageFault or MemoryFault.RunAlone))
            return true;
        Execution.Refuse(cpu, u, fault);
        return false;
    }

    private static int Level(CpuState* cpu, ushort selector) => Math.Max(PrivilegeLevel.Of(cpu), Selector.RequestedPrivilege(selector));

    /// <summary>The system descriptors that LAR and LSL know (Intel SDM vol. 2, LAR, table 3-53, and LSL, table 3-62).</summary>
    private static bool HasMeaning(SystemType type, bool longMode, bool limits) => type switch
    {
        SystemType.Ldt or SystemType.AvailableTss or SystemType.BusyTss => true,
        SystemType.AvailableTss16 or SystemType.BusyTss16 => !longMode,
        SystemType.CallGate => !limits,
        SystemType.CallGate16 or SystemType.TaskGate => !limits && !longMode,
        _ => false,
    };

    private static void SetZero(CpuState* cpu, bool value) => cpu->RFlags = (cpu->RFlags & ~RFlags.Zero) | (value ? RFlags.Zero : 0);
}
