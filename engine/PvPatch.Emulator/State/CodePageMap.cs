namespace PvPatch.Emulator.State;

/// <summary>
/// Which physical pages hold decoded instructions, for all CPUs of a machine: writes to them must be seen, since
/// programs and kernels patch themselves. <c>Memory.CodePages</c> makes and keeps it.
/// </summary>
public unsafe struct CodePageMap
{
    /// <summary>A note per 4 KB page of RAM, null where nothing was decoded.</summary>
    public CodePageNote** Notes;

    /// <summary>How many pages of RAM there are.</summary>
    public ulong Pages;

    /// <summary>The first of the CPUs that execute code from these pages; <see cref="CpuState.NextOnMap"/> leads on.</summary>
    public CpuState* FirstCpu;

    /// <summary>Grows with every write that changed decoded bytes, on any CPU.</summary>
    public long Changes;
}

/// <summary>The note on one physical page with decoded instructions.</summary>
public unsafe struct CodePageNote
{
    /// <summary>Grows when decoded bytes of the page change; instructions decoded under another version are stale.</summary>
    public uint Version;

    /// <summary>A bit for each byte that was decoded as part of an instruction.</summary>
    public fixed ulong Decoded[64];
}
