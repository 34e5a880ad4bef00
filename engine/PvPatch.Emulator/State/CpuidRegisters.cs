namespace PvPatch.Emulator.State;

/// <summary>What one CPUID instruction returns (Intel SDM vol. 2, CPUID).</summary>
/// <param name="Eax">EAX.</param>
/// <param name="Ebx">EBX.</param>
/// <param name="Ecx">ECX.</param>
/// <param name="Edx">EDX.</param>
public readonly record struct CpuidRegisters(uint Eax, uint Ebx, uint Ecx, uint Edx);
