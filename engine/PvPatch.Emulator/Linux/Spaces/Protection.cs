namespace PvPatch.Emulator.Linux.Spaces;

/// <summary>What a program may do with a page; the values are those of mmap(2).</summary>
[Flags]
internal enum Protection
{
    /// <summary>Nothing (PROT_NONE).</summary>
    None = 0,

    /// <summary>Read (PROT_READ).</summary>
    Read = 1,

    /// <summary>Write, and so read (PROT_WRITE).</summary>
    Write = 2,

    /// <summary>Execute, and so read (PROT_EXEC).</summary>
    Execute = 4,
}
