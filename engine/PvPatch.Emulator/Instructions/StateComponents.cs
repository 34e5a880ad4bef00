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
    public const ulong All = X87 | Sse | Avx;

    /// <summary>Bytes of all XMM registers, and of the upper halves of all YMM registers.</summary>
    public const uint AllVectorBytes = 256;

    /// <summary>MXCSR at the start.</summary>
    public const uint InitialMxcsr = 0x1f80;

    private const ushort InitialControl = 0x37f;

    /// <summary>The components in use. MXCSR does not count.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="vectorBytes">Bytes of the XMM registers that count, and of as many upper halves.</param>
    public static ulong InUse(CpuState* cpu, uint vectorBytes = AllVectorBytes) =>
        (X87IsInitial(ref cpu->Fpu) ? 0 : X87) | (IsZero(cpu->Xmm, vectorBytes) ? 0 : Sse) | (IsZero(cpu->YmmHigh, vectorBytes) ? 0 : Avx);

    /// <summary>Makes components what they are initially. MXCSR is left alone.</summary>
    internal static void Initialize(CpuState* cpu, ulong components, uint vectorBytes = AllVectorBytes)
    {
        if ((components & X87) != 0)
            cpu->Fpu = new FpuState { Control = InitialControl };
        // SAFETY: both lists have AllVectorBytes bytes, and there are never more.
        if ((components & Sse) != 0)
            new Span<byte>(cpu->Xmm, (int)vectorBytes).Clear();
        if ((components & Avx) != 0)
            new Span<byte>(cpu->YmmHigh, (int)vectorBytes).Clear();
    }

    /// <summary>Outside 64-bit mode the registers from 8 on are left alone and do not count.</summary>
    internal static uint VectorBytes(DecodedInstruction* u) => (u->Marks & Marks.Code64) != Marks.None ? AllVectorBytes : AllVectorBytes / 2;

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

    // SAFETY: callers give lists of AllVectorBytes bytes.
    private static bool IsZero(ulong* list, uint vectorBytes) => !new ReadOnlySpan<ulong>(list, (int)vectorBytes / sizeof(ulong)).ContainsAnyExcept(0ul);
}
