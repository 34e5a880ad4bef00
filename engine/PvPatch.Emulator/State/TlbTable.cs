namespace PvPatch.Emulator.State;

/// <summary>
/// The cached translations of one access mode: an entry, a number in each of five lists, is a 4 KB piece of linear memory. A tag holds the linear
/// address of the page's last byte if that kind of access needs no further look, <see cref="Invalid"/> if it does. With a list for each
/// field, the place of a field is a register times 8 for the inline hit path.
/// </summary>
public unsafe struct TlbTable
{
    /// <summary>Entries, as many as 16 bits of a page number tell apart.</summary>
    public const int Entries = 1 << 16;

    /// <summary>A tag that no page has: zeroed memory is an empty table.</summary>
    public const ulong Invalid = 0;

    /// <summary>Pages that may be read.</summary>
    public fixed ulong ReadTags[Entries];

    /// <summary>Pages that may be written: their D bit is set and no decoded code lies in them.</summary>
    public fixed ulong WriteTags[Entries];

    /// <summary>Pages that may be executed.</summary>
    public fixed ulong ExecuteTags[Entries];

    /// <summary>Host address less linear address.</summary>
    public fixed ulong HostOffsets[Entries];

    /// <summary>Pages behind which the next one lies on the host too, with the same rights to read and write.</summary>
    public fixed ulong JoinTags[Entries];
}
