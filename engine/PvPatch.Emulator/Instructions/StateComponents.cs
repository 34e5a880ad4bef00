using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>The state components that XCR0 may name (Intel SDM vol. 1, 13.1), and which of them are in use (13.6): not as they are initially.</summary>
public static unsafe class StateComponents
{
    /// <summary>x87 and MMX.</summary>
    public const ulong X87 = 1ul << 0;

    /// <summary>XMM registers and MXCSR.</summary>
    public const ulong Sse = 1ul << 1;

    /// <summary>The upper halves of the YMM registers.</summary>
    public const ulong Avx = 1ul << 2;

    /// <summary>All that this processor has.</summary>
    public const ulong All = X87 | Sse;

    /// <summary>MXCSR at the start.</summary>
    public const uint InitialMxcsr = 0x1f80;

    private const ushort InitialControl = 0x37f;

    /// <summary>The components in use. MXCSR does not count.</summary>
    public static ulong InUse(CpuState* cpu) => (X87IsInitial(ref cpu->Fpu) ? 0 : X87) | (XmmIsZero(cpu) ? 0 : Sse);

    /// <summary>Makes components what they are initially. MXCSR is left alone.</summary>
    internal static void Initialize(CpuState* cpu, ulong components)
    {
        if ((components & X87) != 0)
            cpu->Fpu = new FpuState { Control = InitialControl };
        if ((components & Sse) != 0)
            new Span<ulong>(cpu->Xmm, 32).Clear();
    }

    private static bool X87IsInitial(ref FpuState fpu)
    {
        if (fpu.Control != InitialControl || (fpu.Status | fpu.Used | fpu.LastOpcode) != 0 || (fpu.LastInstruction | fpu.LastData) != 0)
            return false;
        for (int i = 0; i < 8; i++)
        {
            if ((fpu.Mantissa[i] | fpu.Exponent[i]) != 0)
                return false;
        }

        return true;
    }

    private static bool XmmIsZero(CpuState* cpu) => !new ReadOnlySpan<ulong>(cpu->Xmm, 32).ContainsAnyExcept(0ul);
}
