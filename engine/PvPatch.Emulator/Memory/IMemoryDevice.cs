namespace PvPatch.Emulator.Memory;

/// <summary>
/// A device whose registers lie in physical memory (MMIO). An access of an instruction comes in one piece of 1 to 8 bytes
/// as far as it can: wider ones, and the part of one that lies in the region alone, come in ascending pieces of up to 8.
/// Called on the thread that runs the vCPUs, between instructions, so that the machine's clock is exact and its vCPU's
/// registers are those before the instruction. Instruction fetches never reach a device: they read ones.
/// </summary>
public interface IMemoryDevice
{
    /// <summary>Reads registers.</summary>
    /// <param name="offset">From the start of the region.</param>
    /// <param name="size">Bytes: 1 to 8.</param>
    /// <returns>The bytes, the lowest address in the lowest; what stands above them is ignored.</returns>
    ulong Read(ulong offset, int size);

    /// <summary>Writes registers.</summary>
    /// <param name="offset">From the start of the region.</param>
    /// <param name="size">Bytes: 1 to 8.</param>
    /// <param name="value">The bytes, the lowest address in the lowest.</param>
    void Write(ulong offset, int size, ulong value);
}
