using PvPatch.Oracle.Cases;

namespace PvPatch.Oracle.Generation;

/// <summary>A case and what the emulator made of it; the host is still to be asked.</summary>
/// <param name="Given">The case.</param>
/// <param name="Sequence">The units of its code, null for a single instruction.</param>
/// <param name="Emulated">The emulator's outcome.</param>
internal sealed record JudgedCase(MachineCase Given, Sequence? Sequence, MachineCase Emulated);
