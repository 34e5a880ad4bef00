namespace PvPatch.Emulator.Memory;

/// <summary>An access by physical address that nothing answered: no region is there, or a write met ROM.</summary>
/// <param name="Address">Physical address of the first byte.</param>
/// <param name="Size">Bytes: 1 to 8.</param>
/// <param name="IsWrite">A write; else a read, which gave ones.</param>
/// <param name="Value">What was written.</param>
/// <param name="InRom">The write met ROM.</param>
public readonly record struct UnclaimedAccess(ulong Address, int Size, bool IsWrite, ulong Value, bool InRom);
