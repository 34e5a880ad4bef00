using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Where the lengths of the two texts come from.</summary>
internal unsafe interface ITextLengths
{
    static abstract int OfA(CpuState* cpu, Vector128<byte> a, byte control);

    static abstract int OfB(CpuState* cpu, Vector128<byte> b, byte control);
}

/// <summary>The magnitudes of EAX and EDX, at most the elements of an operand.</summary>
internal unsafe struct LengthsInEax : ITextLengths
{
    public static int OfA(CpuState* cpu, Vector128<byte> a, byte control) => LengthsInRax.Saturated((int)cpu->Rax, control);

    public static int OfB(CpuState* cpu, Vector128<byte> b, byte control) => LengthsInRax.Saturated((int)cpu->Rdx, control);
}

/// <summary>The magnitudes of RAX and RDX: with REX.W.</summary>
internal unsafe struct LengthsInRax : ITextLengths
{
    public static int OfA(CpuState* cpu, Vector128<byte> a, byte control) => Saturated((long)cpu->Rax, control);

    public static int OfB(CpuState* cpu, Vector128<byte> b, byte control) => Saturated((long)cpu->Rdx, control);

    public static int Saturated(long length, byte control)
    {
        int most = TextComparison.Elements(control);
        return length < -most || length > most ? most : (int)Math.Abs(length);
    }
}

/// <summary>Each text ends at its first zero.</summary>
internal unsafe struct LengthsToNull : ITextLengths
{
    public static int OfA(CpuState* cpu, Vector128<byte> a, byte control) => TextComparison.LengthToNull(a, control);

    public static int OfB(CpuState* cpu, Vector128<byte> b, byte control) => TextComparison.LengthToNull(b, control);
}

/// <summary>Where the outcome goes.</summary>
internal unsafe interface ITextOutcome
{
    static abstract void Store(CpuState* cpu, DecodedInstruction* u, in TextComparison outcome);
}

/// <summary>Its index to ECX.</summary>
internal unsafe struct ToIndex : ITextOutcome
{
    public static void Store(CpuState* cpu, DecodedInstruction* u, in TextComparison outcome) => cpu->Rcx = (uint)outcome.Index;
}

/// <summary>Its mask to XMM0; a VEX instruction clears the upper half of YMM0.</summary>
internal unsafe struct ToMask : ITextOutcome
{
    public static void Store(CpuState* cpu, DecodedInstruction* u, in TextComparison outcome)
    {
        // SAFETY: XMM0 is the first of the XMM registers.
        outcome.Mask.Store((byte*)cpu->Xmm);
        if ((u->Marks & Marks.Vex) != Marks.None)
            cpu->YmmHigh[0] = cpu->YmmHigh[1] = 0;
    }
}

/// <summary>Handlers of the string and text instructions of SSE4.2. Their memory operand need not be aligned (Intel SDM vol. 2, 4.1).</summary>
internal static unsafe class TextShapes
{
    public static DecodedInstruction* Registers<TLengths, TOutcome>(CpuState* cpu, DecodedInstruction* u)
        where TLengths : ITextLengths
        where TOutcome : ITextOutcome => VectorShapes.IsReady(cpu, u) ? Compare<TLengths, TOutcome>(cpu, u, VectorShapes.Xmm(cpu, u->Op1)) : null;

    public static DecodedInstruction* Memory<TLengths, TOutcome>(CpuState* cpu, DecodedInstruction* u)
        where TLengths : ITextLengths
        where TOutcome : ITextOutcome
    {
        if (!VectorShapes.IsReady(cpu, u))
            return null;
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, 16, write: false), 16);
        // SAFETY: Read gave the address of 16 readable bytes.
        return host == null ? null : Compare<TLengths, TOutcome>(cpu, u, Unsafe.ReadUnaligned<Vector128<byte>>(host));
    }

    private static DecodedInstruction* Compare<TLengths, TOutcome>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b)
        where TLengths : ITextLengths
        where TOutcome : ITextOutcome
    {
        Vector128<byte> a = VectorShapes.Xmm(cpu, u->Op0);
        byte control = (byte)u->Immediate;
        var outcome = new TextComparison(a, b, TLengths.OfA(cpu, a, control), TLengths.OfB(cpu, b, control), control);
        TOutcome.Store(cpu, u, outcome);
        ulong carry = outcome.Found != 0 ? RFlags.Carry : 0;
        ulong zero = outcome.BEnds ? RFlags.Zero : 0;
        ulong sign = outcome.AEnds ? RFlags.Sign : 0;
        ulong overflow = (outcome.Found & 1) != 0 ? RFlags.Overflow : 0;
        StatusFlags.Set(ref cpu->RFlags, carry | zero | sign | overflow);
        return u + 1;
    }
}
