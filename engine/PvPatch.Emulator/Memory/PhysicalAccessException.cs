namespace PvPatch.Emulator.Memory;

/// <summary>An access by physical address reached outside RAM.</summary>
/// <param name="address">The guest physical address of the first byte.</param>
/// <param name="length">How many bytes.</param>
/// <param name="ramSize">Bytes of RAM the machine has.</param>
public sealed class PhysicalAccessException(ulong address, ulong length, ulong ramSize)
    : Exception($"{length} bytes at physical address 0x{address:x} are not in the machine's 0x{ramSize:x} bytes of RAM.")
{
    /// <summary>The guest physical address of the first byte.</summary>
    public ulong Address { get; } = address;

    /// <summary>How many bytes.</summary>
    public ulong Length { get; } = length;

    /// <summary>Bytes of RAM the machine has.</summary>
    public ulong RamSize { get; } = ramSize;
}
