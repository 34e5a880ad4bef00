namespace PvPatch.Oracle.Cases;

/// <summary>Where things are in the pages of a case and in the file that the helper process and this one share.</summary>
internal static class CaseLayout
{
    // The pages that a case sees, at the same addresses on both sides; what lies behind the data pages is not mapped.
    public const ulong CodePage = 0x2000_0000;
    public const ulong CodeStart = CodePage + 0x800;
    public const ulong DataPages = 0x3000_0000;
    public const ulong DataSize = 0x2000;
    public const ulong FsBase = DataPages + 0x40;
    public const ulong GsBase = DataPages - 0x100;

    // The shared file: number of cases, then the cases.
    public const ulong SharedBase = 0x1000_0000;
    public const int FirstSlot = 4096;
    public const int SlotSize = 8192;
    public const int MostCases = 256;
    public const ulong SharedSize = FirstSlot + (MostCases * SlotSize);

    // The helper's signal stack: at an address that cases do not meet, since RSP within it would confuse the kernel.
    public const ulong SignalStack = 0x2b5a_7e31_0000;
    public const ulong SignalStackSize = 0x2_0000;

    // A case; its result has the same layout, half a slot further.
    public const int ResultOffset = SlotSize / 2;
    public const int Registers = 0;
    public const int FrameRegisterCount = 23;
    public const int Fpu = 256;
    public const int YmmHigh = 768;
    public const int Code = 2560;
    public const int CodeSize = 1024;

    // The order of registers in a Linux signal frame, and where RIP and the rest stand in it.
    public const int Rip = 16;
    public const int Flags = 17;
    public const int ErrorCode = 19;
    public const int Vector = 20;
    public const int Cr2 = 22;

    /// <summary>Parts of the data pages that are set before a case and compared after it.</summary>
    public static readonly Window[] Windows =
    [
        new(DataPages + 0xe00, 0x400, 1024),
        new(DataPages + 0x1e00, 0x200, 2048),
        new(DataPages, 0x40, 3584),
    ];

    /// <summary>Numbers of general registers in the order of the signal frame.</summary>
    public static readonly int[] FrameOrder = [8, 9, 10, 11, 12, 13, 14, 15, 7, 6, 5, 3, 2, 0, 1, 4];

    /// <summary>Whether an address lies where the helper process keeps itself, so that a case must not go there.</summary>
    public static bool BelongsToHelper(ulong address) => address is
        (>= 0x40_0000 and < 0x41_0000) or
        (>= SharedBase and < SharedBase + SharedSize + 0x1000) or
        (>= SignalStack and < SignalStack + SignalStackSize + 0x2000) or
        (>= 0x7000_0000_0000 and < 0x8000_0000_0000);

    /// <summary>A piece of memory and its place in a case.</summary>
    public readonly record struct Window(ulong Address, int Size, int Offset);
}
