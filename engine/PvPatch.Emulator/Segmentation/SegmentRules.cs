using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Segmentation;

/// <summary>Type and limit checks of segments outside 64-bit mode (Intel SDM vol. 3, 5.3 and 5.5).</summary>
internal static unsafe class SegmentRules
{
    /// <summary>Whether a segment allows an access to <paramref name="size"/> bytes at an offset, as things are.</summary>
    public static bool Allows(CpuState* cpu, Segment* segment, uint offset, int size, bool write) =>
        Allows(*segment, !ProcessorMode.SelectorsAreParagraphs(cpu), offset, size, write);

    /// <summary>Whether a segment allows an access, with types or, as in real and virtual-8086 mode, by its limit alone.</summary>
    public static bool Allows(in Segment segment, bool typesCount, uint offset, int size, bool write)
    {
        ushort attributes = segment.Attributes;
        bool code = (attributes & SegmentAttributes.Code) != 0;
        if (typesCount)
        {
            // A null selector leaves a segment that is not present.
            if ((attributes & SegmentAttributes.Present) == 0)
                return false;
            bool permitted = (attributes & SegmentAttributes.WritableOrReadable) != 0;
            if (write ? code || !permitted : code && !permitted)
                return false;
        }

        ulong last = (ulong)offset + (uint)(size - 1);
        bool expandsDown = !code && (attributes & SegmentAttributes.DownOrConforming) != 0 && typesCount;
        if (!expandsDown)
            return last <= segment.Limit;
        ulong top = (attributes & SegmentAttributes.Big) != 0 ? uint.MaxValue : ushort.MaxValue;
        return offset > segment.Limit && last <= top;
    }
}
