using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// XSAVE, XSAVEOPT, XSAVEC and XRSTOR (Intel SDM vol. 1, 13.4 to 13.10) for the x87, SSE and AVX: the legacy region, as FXSAVE has
/// it, a header of 64 bytes, and behind it the upper halves of the YMM registers. They are the only extended component, so they
/// stand there in both formats of the area.
/// </summary>
internal static unsafe class XsaveArea
{
    /// <summary>Bytes of the legacy region and the header, which every instruction may access.</summary>
    public const int LeastSize = AvxPlace;

    /// <summary>Bytes of an area with all components.</summary>
    public const int LargestSize = AvxPlace + (int)StateComponents.AllVectorBytes;

    /// <summary>Where the upper halves of the YMM registers begin.</summary>
    public const int AvxPlace = FxsaveImage.Size + 64;

    private const int StateBits = 512;
    private const int CompactionBits = 520;
    private const int Reserved = 528;
    private const ulong Compacted = 1ul << 63;

    /// <summary>XSAVE: all components that are asked for.</summary>
    public static DecodedInstruction* Save<TPointers>(CpuState* cpu, DecodedInstruction* u)
        where TPointers : IPointerWidth => SaveStandard<TPointers>(cpu, u, ulong.MaxValue);

    /// <summary>XSAVEOPT: only those in use.</summary>
    public static DecodedInstruction* SaveOptimized<TPointers>(CpuState* cpu, DecodedInstruction* u)
        where TPointers : IPointerWidth => SaveStandard<TPointers>(cpu, u, ToBeSaved(cpu, StateComponents.VectorBytes(u)));

    /// <summary>XSAVEC: only those in use; the header says that it did, and which were asked for.</summary>
    public static DecodedInstruction* SaveCompacted<TPointers>(CpuState* cpu, DecodedInstruction* u)
        where TPointers : IPointerWidth
    {
        byte* host = BeginSave(cpu, u, out bool slow);
        if (host == null)
            return null;
        ulong asked = Asked(cpu);
        uint vectorBytes = StateComponents.VectorBytes(u);
        ulong saved = asked & ToBeSaved(cpu, vectorBytes);
        StoreComponents(cpu, host, saved, TPointers.IsLong, vectorBytes);
        if ((saved & StateComponents.Sse) != 0)
            FxsaveImage.StoreMxcsr(cpu, host);
        // SAFETY: BeginSave gave at least LeastSize bytes that may be changed.
        Unsafe.WriteUnaligned(host + StateBits, saved);
        Unsafe.WriteUnaligned(host + CompactionBits, asked | Compacted);
        return slow ? Operands.Finish(cpu, u) : u + 1;
    }

    /// <summary>XRSTOR: components that are asked for and not in the area become what they are initially.</summary>
    public static DecodedInstruction* Restore<TPointers>(CpuState* cpu, DecodedInstruction* u)
        where TPointers : IPointerWidth
    {
        if (!TryPlace(cpu, u, LeastSize, write: false, out ulong linear))
            return null;
        byte* host = Operands.Read(cpu, u, linear, LeastSize);
        if (host == null)
            return null;

        ulong asked = Asked(cpu);
        uint vectorBytes = StateComponents.VectorBytes(u);
        int size = SizeToLoad(host, asked, vectorBytes);
        if (size > LeastSize)
        {
            // Only the header tells that there is more; it may violate the segment, or be on a page that is not there.
            host = Operands.Read(cpu, u, Operands.Linear(cpu, u, size, write: false), size);
            if (host == null)
                return null;
        }

        return TryLoad(cpu, host, asked, TPointers.IsLong, vectorBytes) ? u + 1 : Execution.Raise(cpu, u, Vectors.GeneralProtection);
    }

    /// <summary>Bytes of an area with certain components.</summary>
    /// <param name="components">The components.</param>
    /// <param name="vectorBytes">Bytes of the upper halves that belong to it.</param>
    public static int SizeOf(ulong components, uint vectorBytes = StateComponents.AllVectorBytes) =>
        (components & StateComponents.Avx) != 0 ? AvxPlace + (int)vectorBytes : LeastSize;

    // SAFETY, for the three below: callers give an area of at least LeastSize bytes, and of as many as the components need.

    /// <summary>Bytes of an area that are read to load components: in the compacted format not those of components that are not in it.</summary>
    public static int SizeToLoad(byte* host, ulong asked, uint vectorBytes)
    {
        bool compacted = (Unsafe.ReadUnaligned<ulong>(host + CompactionBits) & Compacted) != 0;
        return SizeOf(compacted ? asked & Unsafe.ReadUnaligned<ulong>(host + StateBits) : asked, vectorBytes);
    }

    /// <summary>What XSAVE does: writes components in the standard format, and in the header which of them are in use.</summary>
    public static void Store(CpuState* cpu, byte* host, ulong asked, ulong worthSaving, bool longPointers, uint vectorBytes)
    {
        StoreComponents(cpu, host, asked & worthSaving, longPointers, vectorBytes);
        if ((asked & (StateComponents.Sse | StateComponents.Avx)) != 0)
            FxsaveImage.StoreMxcsr(cpu, host);
        ulong before = Unsafe.ReadUnaligned<ulong>(host + StateBits);
        Unsafe.WriteUnaligned(host + StateBits, (before & ~asked) | (asked & ToBeSaved(cpu, vectorBytes)));
    }

    /// <summary>
    /// What XRSTOR does; false if the header or MXCSR is not valid, and then nothing is loaded. MXCSR belongs to SSE, but in the
    /// standard format AVX loads it too, and whatever the header says.
    /// </summary>
    public static bool TryLoad(CpuState* cpu, byte* host, ulong asked, bool longPointers, uint vectorBytes)
    {
        ulong present = Unsafe.ReadUnaligned<ulong>(host + StateBits);
        ulong compaction = Unsafe.ReadUnaligned<ulong>(host + CompactionBits);
        bool compacted = (compaction & Compacted) != 0;
        ulong bringsMxcsr = compacted ? present & StateComponents.Sse : StateComponents.Sse | StateComponents.Avx;
        bool takesMxcsr = (asked & bringsMxcsr) != 0;
        if (!HeaderIsValid(cpu, host, present, compaction) || (takesMxcsr && !FxsaveImage.MxcsrIsValid(host)))
            return false;

        StateComponents.Initialize(cpu, asked & ~present, vectorBytes);
        FxsaveImage.LoadComponents(cpu, host, asked & present, longPointers, vectorBytes);
        if ((asked & present & StateComponents.Avx) != 0)
            Unsafe.CopyBlockUnaligned(cpu->YmmHigh, host + AvxPlace, vectorBytes);
        if (takesMxcsr)
            FxsaveImage.LoadMxcsr(cpu, host);
        else if ((asked & StateComponents.Sse) != 0)
            cpu->Mxcsr = StateComponents.InitialMxcsr;
        return true;
    }

    private static DecodedInstruction* SaveStandard<TPointers>(CpuState* cpu, DecodedInstruction* u, ulong worthSaving)
        where TPointers : IPointerWidth
    {
        byte* host = BeginSave(cpu, u, out bool slow);
        if (host == null)
            return null;
        Store(cpu, host, Asked(cpu), worthSaving, TPointers.IsLong, StateComponents.VectorBytes(u));
        return slow ? Operands.Finish(cpu, u) : u + 1;
    }

    private static void StoreComponents(CpuState* cpu, byte* host, ulong components, bool longPointers, uint vectorBytes)
    {
        FxsaveImage.StoreComponents(cpu, host, components, longPointers, vectorBytes);
        // SAFETY: an area for AVX has that many bytes there.
        if ((components & StateComponents.Avx) != 0)
            Unsafe.CopyBlockUnaligned(host + AvxPlace, cpu->YmmHigh, vectorBytes);
    }

    /// <summary>The components in use; SSE also for the sake of MXCSR alone.</summary>
    private static ulong ToBeSaved(CpuState* cpu, uint vectorBytes) =>
        StateComponents.InUse(cpu, vectorBytes) | (cpu->Mxcsr != StateComponents.InitialMxcsr ? StateComponents.Sse : 0);

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
        return !new ReadOnlySpan<byte>(host + Reserved, compacted ? AvxPlace - Reserved : 8).ContainsAnyExcept((byte)0);
    }

    /// <summary>The area of what is asked for, in use or not: all of it must be there.</summary>
    private static byte* BeginSave(CpuState* cpu, DecodedInstruction* u, out bool slow)
    {
        slow = false;
        int size = SizeOf(Asked(cpu), StateComponents.VectorBytes(u));
        return TryPlace(cpu, u, size, write: true, out ulong linear) ? Operands.Modify(cpu, u, linear, size, out slow) : null;
    }

    /// <summary>#UD without CR4.OSXSAVE, #NM with CR0.TS, #GP off a multiple of 64.</summary>
    private static bool TryPlace(CpuState* cpu, DecodedInstruction* u, int size, bool write, out ulong linear)
    {
        linear = 0;
        if (!ExtendedControl.IsEnabled(cpu, u))
            return false;
        if ((cpu->Cr0 & Cr0Bits.TaskSwitched) != 0)
        {
            Execution.Raise(cpu, u, Vectors.DeviceNotAvailable);
            return false;
        }

        linear = Operands.Linear(cpu, u, size, write);
        if ((linear & 63) == 0)
            return true;
        Execution.Raise(cpu, u, Vectors.GeneralProtection);
        return false;
    }
}
