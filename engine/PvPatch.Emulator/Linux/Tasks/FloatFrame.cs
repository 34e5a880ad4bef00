using System.Buffers.Binary;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Linux.Tasks;

/// <summary>
/// The x87, SSE and AVX registers in a signal's frame: an XSAVE area whose reserved bytes say how much there is, and a mark behind
/// it (Linux, arch/x86/include/uapi/asm/sigcontext.h, <c>struct _fpx_sw_bytes</c>; arch/x86/kernel/fpu/signal.c).
/// </summary>
internal static unsafe class FloatFrame
{
    /// <summary>Its bytes.</summary>
    public const int Size = XsaveArea.LargestSize + sizeof(uint);

    /// <summary>A frame lies at a multiple of this.</summary>
    public const ulong Alignment = 64;

    private const uint StartMark = 0x4650_5853;                          // FP_XSTATE_MAGIC1
    private const uint EndMark = 0x4650_5845;                            // FP_XSTATE_MAGIC2
    private const int Mark = 464;
    private const int ExtendedSize = Mark + 4;
    private const int Components = Mark + 8;
    private const int AreaSize = Mark + 16;
    private const int StateBits = 512;

    /// <summary>Writes the CPU's registers.</summary>
    /// <returns>Whether there was room.</returns>
    public static bool TryWrite(LinuxProcess process, ulong place)
    {
        Span<byte> area = stackalloc byte[Size];
        area.Clear();
        // SAFETY: the list has an area's bytes.
        fixed (byte* bytes = area)
            XsaveArea.Store(process.Cpu, bytes, StateComponents.All, StateComponents.All, longPointers: true, StateComponents.AllVectorBytes);
        // As if x87 and SSE were in use, so that what a program changes there without knowing of the header counts.
        area[StateBits] |= (byte)(StateComponents.X87 | StateComponents.Sse);
        BinaryPrimitives.WriteUInt32LittleEndian(area[Mark..], StartMark);
        BinaryPrimitives.WriteUInt32LittleEndian(area[ExtendedSize..], Size);
        BinaryPrimitives.WriteUInt64LittleEndian(area[Components..], StateComponents.All);
        BinaryPrimitives.WriteUInt32LittleEndian(area[AreaSize..], XsaveArea.LargestSize);
        BinaryPrimitives.WriteUInt32LittleEndian(area[XsaveArea.LargestSize..], EndMark);
        return process.Space.TryWrite(place, area);
    }

    /// <summary>Gives the CPU what a frame has; what is not there becomes what it is initially, without a frame everything.</summary>
    /// <returns>Whether the frame can be read and is valid.</returns>
    public static bool TryLoad(LinuxProcess process, ulong place)
    {
        CpuState* cpu = process.Cpu;
        if (place == 0)
        {
            Initialize(cpu, StateComponents.All);
            return true;
        }

        Span<byte> area = stackalloc byte[XsaveArea.LargestSize];
        area.Clear();
        if (!process.TryRead(place, area[..FxsaveImage.Size]) || IsExtended(process, place, area) is not { } extended)
            return false;
        ulong loaded = extended ? BinaryPrimitives.ReadUInt64LittleEndian(area[Components..]) & StateComponents.All : StateComponents.X87 | StateComponents.Sse;
        // SAFETY: the list has an area's bytes.
        fixed (byte* bytes = area)
        {
            bool done = extended
                ? TryReadRest(process, place, area, loaded) && XsaveArea.TryLoad(cpu, bytes, loaded, longPointers: true, StateComponents.AllVectorBytes)
                : FxsaveImage.TryLoad(cpu, bytes, longPointers: true, StateComponents.AllVectorBytes);
            if (!done)
                return false;
        }

        Initialize(cpu, StateComponents.All & ~loaded);
        return true;
    }

    /// <summary>Whether there is more than the legacy region: both marks and sizes that fit. Null: where the mark should be, nothing can be read.</summary>
    private static bool? IsExtended(LinuxProcess process, ulong place, ReadOnlySpan<byte> area)
    {
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(area[AreaSize..]);
        bool fits = size is >= XsaveArea.LeastSize and <= XsaveArea.LargestSize && size <= BinaryPrimitives.ReadUInt32LittleEndian(area[ExtendedSize..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(area[Mark..]) != StartMark || !fits)
            return false;
        Span<byte> mark = stackalloc byte[sizeof(uint)];
        return process.TryRead(place + size, mark) ? BinaryPrimitives.ReadUInt32LittleEndian(mark) == EndMark : null;
    }

    /// <summary>Reads the header and what XRSTOR would read behind it.</summary>
    private static bool TryReadRest(LinuxProcess process, ulong place, Span<byte> area, ulong loaded)
    {
        if (!process.TryRead(place + FxsaveImage.Size, area[FxsaveImage.Size..XsaveArea.LeastSize]))
            return false;
        int size;
        // SAFETY: the list has an area's bytes.
        fixed (byte* bytes = area)
            size = XsaveArea.SizeToLoad(bytes, loaded, StateComponents.AllVectorBytes);
        return size == XsaveArea.LeastSize || process.TryRead(place + XsaveArea.LeastSize, area[XsaveArea.LeastSize..size]);
    }

    private static void Initialize(CpuState* cpu, ulong components)
    {
        StateComponents.Initialize(cpu, components);
        if ((components & StateComponents.Sse) != 0)
            cpu->Mxcsr = StateComponents.InitialMxcsr;
    }
}
