using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// XSAVE, XSAVEOPT, XSAVEC and XRSTOR (Intel SDM vol. 1, 13.4 to 13.10) for the x87 and SSE: the legacy region, as FXSAVE has it,
/// and a header of 64 bytes behind it. Both formats of the area are the same up to there.
/// </summary>
internal static unsafe class XsaveArea
{
    private const int Size = 576;
    private const int StateBits = 512;
    private const int CompactionBits = 520;
    private const int Reserved = 528;
    private const ulong Compacted = 1ul << 63;

    /// <summary>XSAVE: all components that are asked for.</summary>
    public static DecodedInstruction* Save<TPointers>(CpuState* cpu, DecodedInstruction* u)
        where TPointers : IPointerWidth => SaveStandard<TPointers>(cpu, u, ulong.MaxValue);

    /// <summary>XSAVEOPT: only those in use.</summary>
    public static DecodedInstruction* SaveOptimized<TPointers>(CpuState* cpu, DecodedInstruction* u)
        where TPointers : IPointerWidth => SaveStandard<TPointers>(cpu, u, ToBeSaved(cpu));

    /// <summary>XSAVEC: only those in use; the header says that it did, and which were asked for.</summary>
    public static DecodedInstruction* SaveCompacted<TPointers>(CpuState* cpu, DecodedInstruction* u)
        where TPointers : IPointerWidth
    {
        byte* host = BeginSave(cpu, u, out bool slow);
        if (host == null)
            return null;
        ulong asked = Asked(cpu);
        ulong saved = asked & ToBeSaved(cpu);
        FxsaveImage.StoreComponents(cpu, host, saved, TPointers.IsLong, FxsaveImage.XmmSize(u));
        if ((saved & StateComponents.Sse) != 0)
            FxsaveImage.StoreMxcsr(cpu, host);
        // SAFETY: BeginSave gave Size bytes that may be changed.
        Unsafe.WriteUnaligned(host + StateBits, saved);
        Unsafe.WriteUnaligned(host + CompactionBits, asked | Compacted);
        return slow ? Operands.Finish(cpu, u) : u + 1;
    }

    /// <summary>XRSTOR: components that are asked for and not in the area become what they are initially.</summary>
    public static DecodedInstruction* Restore<TPointers>(CpuState* cpu, DecodedInstruction* u)
        where TPointers : IPointerWidth
    {
        if (!TryPlace(cpu, u, write: false, out ulong linear))
            return null;
        byte* host = Operands.Read(cpu, u, linear, Size);
        if (host == null)
            return null;

        // SAFETY: Read gave Size readable bytes.
        ulong present = Unsafe.ReadUnaligned<ulong>(host + StateBits);
        ulong compaction = Unsafe.ReadUnaligned<ulong>(host + CompactionBits);
        bool compacted = (compaction & Compacted) != 0;
        ulong asked = Asked(cpu);
        bool takesMxcsr = (asked & StateComponents.Sse) != 0 && (!compacted || (present & StateComponents.Sse) != 0);
        if (!HeaderIsValid(cpu, host, present, compaction) || (takesMxcsr && !FxsaveImage.MxcsrIsValid(host)))
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);

        StateComponents.Initialize(cpu, asked & ~present);
        FxsaveImage.LoadComponents(cpu, host, asked & present, TPointers.IsLong, FxsaveImage.XmmSize(u));
        if (takesMxcsr)
            FxsaveImage.LoadMxcsr(cpu, host);
        else if ((asked & StateComponents.Sse) != 0)
            cpu->Mxcsr = StateComponents.InitialMxcsr;
        return u + 1;
    }

    private static DecodedInstruction* SaveStandard<TPointers>(CpuState* cpu, DecodedInstruction* u, ulong worthSaving)
        where TPointers : IPointerWidth
    {
        byte* host = BeginSave(cpu, u, out bool slow);
        if (host == null)
            return null;
        ulong asked = Asked(cpu);
        FxsaveImage.StoreComponents(cpu, host, asked & worthSaving, TPointers.IsLong, FxsaveImage.XmmSize(u));
        if ((asked & StateComponents.Sse) != 0)
            FxsaveImage.StoreMxcsr(cpu, host);
        // SAFETY: BeginSave gave Size bytes that may be changed.
        ulong before = Unsafe.ReadUnaligned<ulong>(host + StateBits);
        Unsafe.WriteUnaligned(host + StateBits, (before & ~asked) | (asked & ToBeSaved(cpu)));
        return slow ? Operands.Finish(cpu, u) : u + 1;
    }

    /// <summary>The components in use; SSE also for the sake of MXCSR alone.</summary>
    private static ulong ToBeSaved(CpuState* cpu) =>
        StateComponents.InUse(cpu) | (cpu->Mxcsr != StateComponents.InitialMxcsr ? StateComponents.Sse : 0);

    private static ulong Asked(CpuState* cpu) => ((cpu->Rdx << 32) | (uint)cpu->Rax) & cpu->Xcr0;

    /// <summary>
    /// Bits for components that XCR0 has not are #GP, in the compacted format also those that it does not announce; and what must
    /// be zero.
    /// </summary>
    private static bool HeaderIsValid(CpuState* cpu, byte* host, ulong present, ulong compaction)
    {
        bool compacted = (compaction & Compacted) != 0;
        ulong possible = compacted ? compaction & ~Compacted : cpu->Xcr0;
        if ((possible & ~cpu->Xcr0) != 0 || (present & ~possible) != 0 || (!compacted && compaction != 0))
            return false;
        // SAFETY: the header lies in the area's bytes.
        return !new ReadOnlySpan<byte>(host + Reserved, compacted ? Size - Reserved : 8).ContainsAnyExcept((byte)0);
    }

    private static byte* BeginSave(CpuState* cpu, DecodedInstruction* u, out bool slow)
    {
        slow = false;
        return TryPlace(cpu, u, write: true, out ulong linear) ? Operands.Modify(cpu, u, linear, Size, out slow) : null;
    }

    /// <summary>#UD without CR4.OSXSAVE, #NM with CR0.TS, #GP off a multiple of 64.</summary>
    private static bool TryPlace(CpuState* cpu, DecodedInstruction* u, bool write, out ulong linear)
    {
        linear = 0;
        if (!ExtendedControl.IsEnabled(cpu, u))
            return false;
        if ((cpu->Cr0 & Cr0Bits.TaskSwitched) != 0)
        {
            Execution.Raise(cpu, u, Vectors.DeviceNotAvailable);
            return false;
        }

        linear = Operands.Linear(cpu, u, Size, write);
        if ((linear & 63) == 0)
            return true;
        Execution.Raise(cpu, u, Vectors.GeneralProtection);
        return false;
    }
}
