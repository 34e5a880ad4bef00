namespace PvPatch.Emulator.Memory;

/// <summary>What a page allows in one access mode.</summary>
[Flags]
public enum PageRights
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Data reads.</summary>
    Read = 1,

    /// <summary>Data writes.</summary>
    Write = 2,

    /// <summary>Instruction fetches.</summary>
    Execute = 4,
}

/// <summary>Where a linear address leads.</summary>
/// <param name="Physical">The physical address.</param>
/// <param name="PageBits">12 for a 4 KB page, 21 for 2 MB, 22 for 4 MB, 30 for 1 GB.</param>
/// <param name="Rights">What the page allows in the mode of the access.</param>
/// <param name="Dirty">The leaf's D bit is set, so that a write needs no further look.</param>
/// <param name="Global">The translation survives a write to CR3.</param>
public readonly record struct Translation(ulong Physical, int PageBits, PageRights Rights, bool Dirty, bool Global);
