using PvPatch.Emulator.State;

namespace PvPatch.Paravirt.Detection.Cpuid;

/// <summary>Who answers CPUID: the processor under this program, a recorded dump, an emulated machine.</summary>
public interface ICpuidSource
{
    /// <summary>Executes CPUID.</summary>
    /// <param name="leaf">What goes into EAX.</param>
    /// <param name="subleaf">What goes into ECX.</param>
    /// <returns>The four registers; all zero for a leaf that the source doesn't have.</returns>
    CpuidRegisters Read(uint leaf, uint subleaf);
}
