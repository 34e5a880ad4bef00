using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using static PvPatch.Emulator.Segmentation.DescriptorTables;

namespace PvPatch.Emulator.Segmentation;

/// <summary>
/// A stack that a gate, an event or a task switch pushes a frame on, before SS and RSP change. Values are written together or,
/// after a fault, not at all.
/// </summary>
/// <param name="segment">Its segment; what it holds does not count in 64-bit mode.</param>
/// <param name="pointer">Its pointer.</param>
/// <param name="flat">64-bit mode: no segment, addresses must be canonical.</param>
/// <param name="mode">The rights of the level that the stack belongs to.</param>
/// <param name="errorCode">The error code of #SS where it has no room.</param>
internal unsafe struct PushTarget(Segment segment, ulong pointer, bool flat, AccessMode mode, uint errorCode)
{
    private readonly Segment _segment = segment;

    /// <summary>The pointer after what was pushed so far, all 64 bits of the register.</summary>
    public ulong Pointer { get; private set; } = pointer;

    private readonly ulong Mask => flat ? ulong.MaxValue : (_segment.Attributes & SegmentAttributes.Big) != 0 ? uint.MaxValue : ushort.MaxValue;

    /// <summary>Pushes values of a size in bytes, the first one first, so that it lies highest.</summary>
    public bool TryPush(CpuState* cpu, ReadOnlySpan<ulong> values, int size, out MemoryFault fault)
    {
        byte* image = stackalloc byte[values.Length * size];
        for (int i = 0; i < values.Length; i++)
        {
            ulong value = values[^(i + 1)];
            // SAFETY: x86 is little-endian; the image has room for all values.
            Buffer.MemoryCopy(&value, image + (i * size), size, size);
        }

        int total = values.Length * size;
        ulong top = (Pointer - (ulong)total) & Mask;
        bool wraps = !flat && top + (ulong)total - 1 > Mask;
        bool done = wraps ? TryWriteOneByOne(cpu, image, values.Length, size, top, out fault) : TryWrite(cpu, image, total, top, out fault);
        if (done)
            Pointer = (Pointer & ~Mask) | top;
        return done;
    }

    private readonly bool TryWrite(CpuState* cpu, byte* image, int total, ulong offset, out MemoryFault fault)
    {
        if (!TryReserve(cpu, offset, total, out ReservedBytes bytes, out fault))
            return false;
        bytes.CopyFrom(cpu, image);
        return true;
    }

    /// <summary>A frame that goes round the end of a 16-bit stack: each value has its place.</summary>
    private readonly bool TryWriteOneByOne(CpuState* cpu, byte* image, int count, int size, ulong offset, out MemoryFault fault)
    {
        for (int pass = 0; pass < 2; pass++)
        {
            for (int i = count - 1; i >= 0; i--)
            {
                if (!TryReserve(cpu, (offset + (ulong)(i * size)) & Mask, size, out ReservedBytes bytes, out fault))
                    return false;
                if (pass == 1)
                    bytes.CopyFrom(cpu, image + (i * size));
            }
        }

        fault = default;
        return true;
    }

    private readonly bool TryReserve(CpuState* cpu, ulong offset, int size, out ReservedBytes bytes, out MemoryFault fault)
    {
        bytes = default;
        ulong linear = offset;
        if (!flat)
        {
            if (!SegmentRules.Allows(_segment, !ProcessorMode.IsReal(cpu), (uint)offset, size, write: true))
                return Refuse(Vectors.StackFault, errorCode, out fault);
            linear = (uint)(_segment.Base + offset);
        }

        if (ReservedBytes.TryReserve(cpu, linear, size, AccessKind.Write, mode, out bytes, out fault))
            return true;
        return fault.Vector == Vectors.GeneralProtection && Refuse(Vectors.StackFault, errorCode, out fault);
    }
}
