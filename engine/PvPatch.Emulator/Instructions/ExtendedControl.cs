using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>XGETBV and XSETBV (Intel SDM vol. 1, 13.3).</summary>
internal static unsafe class ExtendedControl
{
    /// <summary>XGETBV: XCR0, or with ECX = 1 those of its components that are in use.</summary>
    public static DecodedInstruction* Read(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsEnabled(cpu, u))
            return null;
        ulong? value = (uint)cpu->Rcx switch
        {
            0 => cpu->Xcr0,
            1 => cpu->Xcr0 & StateComponents.InUse(cpu, StateComponents.VectorBytes(u)),
            _ => null,
        };
        if (value is not { } found)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        cpu->Rax = (uint)found;
        cpu->Rdx = found >> 32;
        return u + 1;
    }

    /// <summary>XSETBV: only components that exist, always the x87, and AVX only with SSE.</summary>
    public static DecodedInstruction* Write(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsEnabled(cpu, u) || !Privileged.IsSupervisor(cpu, u))
            return null;
        ulong value = (cpu->Rdx << 32) | (uint)cpu->Rax;
        bool lacksSse = (value & (StateComponents.Sse | StateComponents.Avx)) == StateComponents.Avx;
        if ((uint)cpu->Rcx != 0 || (value & StateComponents.X87) == 0 || (value & ~StateComponents.All) != 0 || lacksSse)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        cpu->Xcr0 = value;
        return u + 1;
    }

    /// <summary>Whether the system turned XSAVE and its kind on; else #UD.</summary>
    public static bool IsEnabled(CpuState* cpu, DecodedInstruction* u)
    {
        if ((cpu->Cr4 & Cr4Bits.OsXsave) != 0)
            return true;
        Execution.Raise(cpu, u, Vectors.InvalidOpcode);
        return false;
    }
}
