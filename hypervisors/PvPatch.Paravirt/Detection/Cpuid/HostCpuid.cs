using System.Runtime.Intrinsics.X86;
using PvPatch.Emulator.State;

namespace PvPatch.Paravirt.Detection.Cpuid;

/// <summary>The processor that runs this program. On a processor without CPUID (Arm64) every leaf reads as zero.</summary>
public sealed class HostCpuid : ICpuidSource
{
    private HostCpuid() { }

    /// <summary>The only one there is.</summary>
    public static HostCpuid Instance { get; } = new();

    /// <summary>Whether this processor has the CPUID instruction.</summary>
    public static bool IsAvailable => X86Base.IsSupported;

    /// <inheritdoc/>
    public CpuidRegisters Read(uint leaf, uint subleaf)
    {
        if (!X86Base.IsSupported)
            return default;

        (int eax, int ebx, int ecx, int edx) = X86Base.CpuId(unchecked((int)leaf), unchecked((int)subleaf));
        return new CpuidRegisters(unchecked((uint)eax), unchecked((uint)ebx), unchecked((uint)ecx), unchecked((uint)edx));
    }
}
