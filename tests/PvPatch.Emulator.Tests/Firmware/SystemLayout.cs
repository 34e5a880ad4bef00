namespace PvPatch.Emulator.Tests.Firmware;

/// <summary>
/// The memory that every system case starts with: descriptor tables full of all kinds of descriptors, task-state segments, page
/// tables and stacks. What is watched for changes lies below <see cref="WatchedBytes"/>.
/// </summary>
internal static class SystemLayout
{
    public const uint WatchedBytes = 0x2_0000;
    public const uint Gdt = 0x1000;
    public const ushort GdtLimit = 0xfff;
    public const uint Ldt = 0x2000;
    public const uint Idt = 0x3000;
    public const uint Tss = 0x4000;
    public const uint OtherTss = 0x4800;
    public const uint NarrowTss = 0x4900;
    public const uint LinkedTss = 0x4a00;
    public const uint KernelStack = 0x7800;
    public const uint UserStack = 0x8800;
    public const uint InnerStack = 0x9800;
    public const uint InterruptStack = 0xa800;
    public const uint Code = 0xb000;
    public const uint Data = 0xc000;
    public const uint Launcher = 0xe000;
    public const uint PageTables = 0x1_0000;

    public const ushort Code32 = 0x08;
    public const ushort Data32 = 0x28;
    public const ushort Code16 = 0x48;
    public const ushort Data16 = 0x68;
    public const ushort Code64 = 0x88;
    public const ushort TaskSelector = 0xa8;
    public const uint BusyTaskAccess = 0x8b00;
    public const ushort OtherTask = 0xb8;
    public const ushort NarrowTask = 0xc0;
    public const ushort BusyTask = 0xc8;
    public const ushort LdtSelector = 0xd0;
    public const ushort SmallData = 0xe0;
    public const ushort DownData = 0xe8;
    public const ushort SmallCode = 0xf0;
    public const ushort BothWidths = 0xf8;

    /// <summary>From here on every type, privilege and presence: 256 descriptors.</summary>
    public const ushort Zoo = 0x200;

    /// <summary>From here on call gates to different targets.</summary>
    public const ushort Gates = 0xa00;

    /// <summary>How many call gates there are; each takes 16 bytes.</summary>
    public const int GateCount = 64;

    /// <summary>Vectors from here on have gates of all kinds; below, plain 32 or 64-bit interrupt gates.</summary>
    public const int FirstOddVector = 0x40;

    private const ulong Flat = 0x00cf_0000_0000_ffff;
    private const ulong FlatLong = 0x00af_0000_0000_ffff;
    private const ulong Flat16 = 0x0000_0000_0000_ffff;

    /// <summary>The image of the watched memory for a mode.</summary>
    public static byte[] Image(SystemMode mode)
    {
        bool longMode = mode is SystemMode.Long64 or SystemMode.Compatibility;
        byte[] image = new byte[WatchedBytes];
        FillGdt(image, longMode);
        FillGates(image, longMode);
        Write(image, Ldt + 8, Segment(Flat, 0xf3));
        Write(image, Ldt + 0x10, Segment(Flat, 0x93));
        Write(image, Ldt + 0x18, Segment(Flat, 0xfb));
        if (mode == SystemMode.Real)
            FillVectors(image);
        else
            FillIdt(image, longMode);
        FillTasks(image, longMode);
        FillPages(image, mode);
        for (uint i = 0; i < 0x2000; i++)
            image[Data + i] = (byte)(i * 7);
        return image;
    }

    /// <summary>The selector of a fixed segment for a level, with that level as RPL.</summary>
    public static ushort At(ushort first, int level) => (ushort)(first + (8 * level) + level);

    public static void Write(byte[] image, uint place, ulong value) => BitConverter.TryWriteBytes(image.AsSpan((int)place), value);

    public static ulong Segment(ulong shape, uint access) => shape | ((ulong)access << 40);

    private static void FillGdt(byte[] image, bool longMode)
    {
        for (uint level = 0; level < 4; level++)
        {
            Write(image, Gdt + Code32 + (8 * level), Segment(Flat, 0x9b | (level << 5)));
            Write(image, Gdt + Data32 + (8 * level), Segment(Flat, 0x93 | (level << 5)));
            Write(image, Gdt + Code16 + (8 * level), Segment(Flat16, 0x9b | (level << 5)));
            Write(image, Gdt + Data16 + (8 * level), Segment(Flat16, 0x93 | (level << 5)));
            Write(image, Gdt + Code64 + (8 * level), Segment(FlatLong, 0x9b | (level << 5)));
        }

        Write(image, Gdt + TaskSelector, System(Tss, 0x1067, 0x89));
        Write(image, Gdt + OtherTask, System(OtherTss, 0x67, 0xe9));
        Write(image, Gdt + NarrowTask, System(NarrowTss, 0x2b, 0xe1));
        Write(image, Gdt + BusyTask, System(LinkedTss, 0x67, 0xeb));
        Write(image, Gdt + LdtSelector, System(Ldt, 0xff, 0x82));
        Write(image, Gdt + SmallData, 0x0040_f300_0000_0fffu | ((ulong)Data << 16));
        Write(image, Gdt + DownData, 0x0040_f700_0000_0fffu | ((ulong)Data << 16));
        Write(image, Gdt + SmallCode, 0x0040_fb00_0000_0000u | Code + 0x7f);
        Write(image, Gdt + BothWidths, Segment(Flat | FlatLong, 0x9b));
        for (uint i = 0; i < 256; i++)
        {
            uint type = i & 0x1f;
            uint access = type | ((i & 0x60) ^ 0x60) | ((i & 0x80) ^ 0x80);
            Write(image, Gdt + Zoo + (8 * i), (type & 0x10) != 0 ? Segment(Flat, access) : SystemOfKind(type, access, longMode));
        }
    }

    private static ulong SystemOfKind(uint type, uint access, bool longMode) => type switch
    {
        1 or 3 => System(NarrowTss, 0x2b, access),
        2 => System(Ldt, 0xff, access),
        9 or 11 => System(OtherTss, 0x67, access),
        5 => (ulong)OtherTask << 16 | ((ulong)access << 40),
        _ => Gate(longMode ? Code64 : Code32, Code + 0x80, access, 0),
    };

    /// <summary>Call gates for level 3, to code of all levels and to what is no code.</summary>
    private static void FillGates(byte[] image, bool longMode)
    {
        ushort[] wide = [Code64, Code64 + 8 + 1, Code64 + 16 + 2, Code64 + 24 + 3, Code32];
        ushort[] legacy = [Code32, Code32 + 8 + 1, Code32 + 16 + 2, Code32 + 24 + 3, Code16];
        ushort[] targets =
        [
            .. longMode ? wide : legacy, 0, 3, Data32, (ushort)(Zoo + (8 * 0x1e)), (ushort)(Zoo + (8 * 0x7e)), (ushort)(Zoo + (8 * 0x1a)),
            (ushort)(Zoo + (8 * 0xfa)), (ushort)(Zoo + (8 * 0x9a)), 0xff8, 0xfffb, TaskSelector,
        ];
        for (uint i = 0; i < GateCount; i++)
        {
            uint access = (i & 16) != 0 ? 0xe4u : (i & 48) == 32 ? 0xccu : 0xec;
            uint parameters = longMode ? 0 : (i & 48) == 48 ? 31u : i & 3;
            Write(image, Gdt + Gates + (16 * i), Gate(targets[i % 16], Code + 0x80, access, parameters));
        }
    }

    /// <summary>Real mode: each vector leads to its stub in the ROM.</summary>
    private static void FillVectors(byte[] image)
    {
        for (uint vector = 0; vector < 256; vector++)
            BitConverter.TryWriteBytes(image.AsSpan((int)vector * 4), 0xf000_0000 | SystemFirmware.Stub(16, vector) & 0xffff);
    }

    private static void FillIdt(byte[] image, bool longMode)
    {
        uint[] types = longMode ? [0x8e, 0xee, 0xef, 0xef, 0x6e, 0x0e, 0xe6, 0xe5] : [0x8e, 0xee, 0xef, 0xe6, 0x6e, 0x0e, 0xe7, 0xe5];
        ushort[] targets = longMode
            ? [Code64, Code64, Code64, Code64, Code64, 0, Code32, Zoo + (8 * 0x7e), Code64 + 8]
            : [Code32, Code32, Code32, Code32, Code32, 0, Data32, Zoo + (8 * 0x7e), Code32 + 8];
        for (uint vector = 0; vector < 256; vector++)
        {
            bool odd = vector >= FirstOddVector;
            uint type = odd ? types[vector & 7] : 0x8e;
            ushort target = odd ? targets[(vector >> 3) % 9] : targets[0];
            if ((type & 0xf) == 5)
                target = (vector & 8) != 0 ? OtherTask : NarrowTask;
            uint stub = SystemFirmware.Stub(longMode ? 64 : 32, vector);
            uint ist = longMode && odd && (vector & 0x40) == 0 ? vector & 1 : 0;
            if ((type & 0xf) is 6 or 7)
                stub &= 0xffff; // A 16-bit gate cannot reach the ROM: it ends where the cases' code ends.
            ulong gate = Gate(target, (type & 0xf) is 6 or 7 ? Code + 0x80 : stub, type, ist);
            Write(image, Idt + (vector * (longMode ? 16u : 8u)), gate);
        }
    }

    private static void FillTasks(byte[] image, bool longMode)
    {
        if (longMode)
        {
            for (uint level = 0; level < 3; level++)
                Write(image, Tss + 4 + (8 * level), level == 0 ? KernelStack : InnerStack);
            for (uint i = 0; i < 7; i++)
                Write(image, Tss + 0x24 + (8 * i), InterruptStack);
        }
        else
        {
            for (uint level = 0; level < 3; level++)
            {
                Write(image, Tss + 4 + (8 * level), level == 0 ? KernelStack : InnerStack);
                Write(image, Tss + 8 + (8 * level), At(Data32, (int)level));
            }
        }

        image[Tss + 0x66] = 0x68;
        for (int i = 0; i < 0x2000 / 8 / 4; i++)
            image[Tss + 0x68 + i] = (byte)(i % 3 == 0 ? 0xff : i % 3 == 1 ? 0x0f : 0);
        FillTask(image, OtherTss, 0);
        FillTask(image, LinkedTss, 3);
        image[Tss] = (byte)BusyTask;
        FillNarrowTask(image);
    }

    private static void FillTask(byte[] image, uint place, int level)
    {
        uint[] words =
        [
            0, InnerStack, At(Data32, 0), InnerStack, At(Data32, 1), InnerStack, At(Data32, 2), PageTables, Code + 0x80, 0x202,
            0x11, 0x22, 0x33, 0x44, level == 0 ? KernelStack : UserStack, 0x66, 0x77, 0x88,
            At(Data32, level), At(Code32, level), At(Data32, level), At(Data32, level), 0, 0, 0,
        ];
        for (int i = 0; i < words.Length; i++)
            BitConverter.TryWriteBytes(image.AsSpan((int)place + (4 * i)), words[i]);
    }

    private static void FillNarrowTask(byte[] image)
    {
        uint[] words =
        [
            0, InnerStack, At(Data32, 0), InnerStack, At(Data32, 1), InnerStack, At(Data32, 2), Code + 0x80, 0x2,
            0x11, 0x22, 0x33, 0x44, KernelStack, 0x66, 0x77, 0x88, Data32, Code32, Data32, Data32, 0,
        ];
        for (int i = 0; i < words.Length; i++)
            BitConverter.TryWriteBytes(image.AsSpan((int)NarrowTss + (2 * i)), (ushort)words[i]);
    }

    /// <summary>The first 2 MB map to themselves, open to all levels; the watched pages have entries of their own.</summary>
    private static void FillPages(byte[] image, SystemMode mode)
    {
        const ulong Open = 0x67;
        if (mode == SystemMode.Paged32)
        {
            BitConverter.TryWriteBytes(image.AsSpan((int)PageTables), (uint)(PageTables + 0x1000) | 0x27);
            for (uint i = 0; i < 512; i++)
                BitConverter.TryWriteBytes(image.AsSpan((int)(PageTables + 0x1000 + (4 * i))), (i << 12) | (uint)Open);
            return;
        }

        bool longMode = mode is SystemMode.Long64 or SystemMode.Compatibility;
        uint directory = PageTables;
        if (longMode)
        {
            Write(image, PageTables, (PageTables + 0x1000) | 0x27);
            directory = PageTables + 0x1000;
        }

        Write(image, directory, (directory + 0x1000) | (longMode ? 0x27ul : 1));
        Write(image, directory + 0x1000, (directory + 0x2000) | 0x27);
        for (uint i = 0; i < 512; i++)
            Write(image, directory + 0x2000 + (8 * i), (i << 12) | Open);
    }

    private static ulong System(uint address, uint limit, uint access) =>
        limit | ((ulong)(address & 0xff_ffff) << 16) | ((ulong)access << 40) | ((ulong)(address >> 24) << 56);

    private static ulong Gate(ushort selector, uint offset, uint access, uint count) =>
        (offset & 0xffff) | ((ulong)selector << 16) | ((ulong)count << 32) | ((ulong)access << 40) | ((ulong)(offset >> 16) << 48);
}
