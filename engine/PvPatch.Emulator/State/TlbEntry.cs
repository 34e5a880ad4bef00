namespace PvPatch.Emulator.State;

/// <summary>
/// One cached translation of a 4 KB piece of linear memory, as the inline hit path reads it. A tag holds the linear
/// address of the page's last byte if that kind of access needs no further look, <see cref="Invalid"/> if it does.
/// </summary>
public unsafe struct TlbEntry
{
    /// <summary>A tag that no page has: zeroed memory is an empty table.</summary>
    public const ulong Invalid = 0;

    /// <summary>Page that may be read.</summary>
    public ulong ReadTag;

    /// <summary>Page that may be written: its D bit is set and no decoded code lies in it.</summary>
    public ulong WriteTag;

    /// <summary>Page that may be executed.</summary>
    public ulong ExecuteTag;

    /// <summary>Host address less linear address.</summary>
    public ulong HostOffset;
}
