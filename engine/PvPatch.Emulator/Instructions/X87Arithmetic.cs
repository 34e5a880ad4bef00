using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Handlers of the instructions that compute on the x87's stack (Intel SDM vol. 1, 8.3.5 to 8.3.8).</summary>
internal static unsafe class X87Arithmetic
{
    /// <summary>op ST(0), memory.</summary>
    public static DecodedInstruction* WithMemory<TMeaning, TSource>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IExtendedBinary
        where TSource : IExtendedSource
    {
        byte* host = X87.BeginRead(cpu, u, TSource.Size);
        if (host == null)
            return null;
        ExtendedContext context = X87.Context(cpu);
        Float80 b = TSource.Load(host, ref context);
        Float80 result = X87.IsEmpty(cpu, 0) ? context.StackUnderflow() : TMeaning.Do(X87.Get(cpu, 0), b, ref context);
        if (X87.Complete(cpu, ref context))
            X87.Set(cpu, 0, result);
        return u + 1;
    }

    /// <summary>op ST, ST: the result goes to the first operand.</summary>
    public static DecodedInstruction* Registers<TMeaning>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IExtendedBinary
    {
        Compute<TMeaning>(cpu, u, u->Op0, u->Op1, pops: false, out bool ready);
        return ready ? u + 1 : null;
    }

    /// <summary>op ST(i), ST(0), then pop.</summary>
    public static DecodedInstruction* RegistersAndPop<TMeaning>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IExtendedBinary
    {
        Compute<TMeaning>(cpu, u, u->Op0, u->Op1, pops: true, out bool ready);
        return ready ? u + 1 : null;
    }

    /// <summary>ST(0) = op(ST(0), ST(1)): FSCALE.</summary>
    public static DecodedInstruction* TopTwo<TMeaning>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IExtendedBinary
    {
        Compute<TMeaning>(cpu, u, 0, 1, pops: false, out bool ready);
        return ready ? u + 1 : null;
    }

    /// <summary>ST(1) = op(ST(1), ST(0)), then pop: FPATAN, FYL2X, FYL2XP1.</summary>
    public static DecodedInstruction* TopTwoAndPop<TMeaning>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IExtendedBinary
    {
        Compute<TMeaning>(cpu, u, 1, 0, pops: true, out bool ready);
        return ready ? u + 1 : null;
    }

    /// <summary>ST(0) = op(ST(0)).</summary>
    public static DecodedInstruction* Top<TMeaning>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IExtendedUnary
    {
        if (!X87.Begin(cpu, u))
            return null;
        ExtendedContext context = X87.Context(cpu);
        Float80 result = X87.IsEmpty(cpu, 0) ? context.StackUnderflow() : TMeaning.Do(X87.Get(cpu, 0), ref context);
        if (X87.Complete(cpu, ref context))
            X87.Set(cpu, 0, result);
        return u + 1;
    }

    /// <summary>FSIN and FCOS: C2 tells an angle that is out of range.</summary>
    public static DecodedInstruction* Angle<TMeaning>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IExtendedUnary
    {
        if (!X87.Begin(cpu, u))
            return null;
        return IsOutOfRange(cpu, !X87.IsEmpty(cpu, 0)) ? u + 1 : Top<TMeaning>(cpu, u);
    }

    /// <summary>FSINCOS: the sine replaces the angle, the cosine is pushed.</summary>
    public static DecodedInstruction* SineAndCosine(CpuState* cpu, DecodedInstruction* u)
    {
        if (!X87.Begin(cpu, u))
            return null;
        if (IsOutOfRange(cpu, !X87.IsEmpty(cpu, 0) && X87.IsEmpty(cpu, -1)))
            return u + 1;
        ExtendedContext context = X87.Context(cpu);
        Float80 angle = X87.Get(cpu, 0);
        Float80 sine = NoRoom(cpu, ref context) ? Float80.Indefinite : Trigonometry.Sine(angle, ref context);
        Float80 cosine = (context.Raised & ExtendedExceptions.StackFault) != ExtendedExceptions.None ? sine : Trigonometry.Cosine(angle, ref context);
        return SetAndPush(cpu, u, sine, cosine, ref context);
    }

    /// <summary>FPTAN: the tangent replaces the angle, 1.0 is pushed.</summary>
    public static DecodedInstruction* Tangent(CpuState* cpu, DecodedInstruction* u)
    {
        if (!X87.Begin(cpu, u))
            return null;
        if (IsOutOfRange(cpu, !X87.IsEmpty(cpu, 0) && X87.IsEmpty(cpu, -1)))
            return u + 1;
        ExtendedContext context = X87.Context(cpu);
        Float80 angle = X87.Get(cpu, 0);
        Float80 tangent = NoRoom(cpu, ref context) ? Float80.Indefinite : Trigonometry.Tangent(angle, ref context);
        bool isNumber = tangent.Exponent != Float80.SpecialExponent;
        return SetAndPush(cpu, u, tangent, isNumber ? Float80.One : tangent, ref context);
    }

    /// <summary>FXTRACT: the exponent replaces the number, the mantissa is pushed.</summary>
    public static DecodedInstruction* Extract(CpuState* cpu, DecodedInstruction* u)
    {
        if (!X87.Begin(cpu, u))
            return null;
        ExtendedContext context = X87.Context(cpu);
        (Float80 exponent, Float80 significand) = NoRoom(cpu, ref context)
            ? (Float80.Indefinite, Float80.Indefinite)
            : ExtendedRemainders.Extract(X87.Get(cpu, 0), ref context);
        return SetAndPush(cpu, u, exponent, significand, ref context);
    }

    /// <summary>FPREM.</summary>
    public static DecodedInstruction* Remainder(CpuState* cpu, DecodedInstruction* u) => Remainder(cpu, u, toNearest: false);

    /// <summary>FPREM1.</summary>
    public static DecodedInstruction* IeeeRemainder(CpuState* cpu, DecodedInstruction* u) => Remainder(cpu, u, toNearest: true);

    private static DecodedInstruction* Remainder(CpuState* cpu, DecodedInstruction* u, bool toNearest)
    {
        if (!X87.Begin(cpu, u))
            return null;
        ExtendedContext context = X87.Context(cpu);
        ulong quotient = 0;
        bool partial = false;
        Float80 result = X87.IsEmpty(cpu, 0) || X87.IsEmpty(cpu, 1)
            ? context.StackUnderflow()
            : ExtendedRemainders.Remainder(X87.Get(cpu, 0), X87.Get(cpu, 1), toNearest, ref context, out quotient, out partial);
        bool decided = result.Exponent == Float80.SpecialExponent;
        if (X87.Complete(cpu, ref context))
            X87.Set(cpu, 0, result);
        else
            decided = true;
        if (decided)
        {
            X87.SetStatus(cpu, X87.C2, 0);
            return u + 1;
        }

        // The quotient's three lowest bits: C0, C3, C1.
        int bits = ((quotient & 4) != 0 ? X87.C0 : 0) | ((quotient & 2) != 0 ? X87.C3 : 0) | ((quotient & 1) != 0 ? X87.C1 : 0);
        X87.SetStatus(cpu, X87.Conditions | X87.C1, bits | (partial ? X87.C2 : 0));
        return u + 1;
    }

    private static void Compute<TMeaning>(CpuState* cpu, DecodedInstruction* u, int first, int second, bool pops, out bool ready)
        where TMeaning : IExtendedBinary
    {
        ready = X87.Begin(cpu, u);
        if (!ready)
            return;
        ExtendedContext context = X87.Context(cpu);
        Float80 result = X87.IsEmpty(cpu, first) || X87.IsEmpty(cpu, second)
            ? context.StackUnderflow()
            : TMeaning.Do(X87.Get(cpu, first), X87.Get(cpu, second), ref context);
        if (!X87.Complete(cpu, ref context))
            return;
        X87.Set(cpu, first, result);
        if (pops)
            X87.Pop(cpu);
    }

    /// <summary>Sets C2 as the angle in ST(0), if it can be replaced, is out of range; then nothing else happens.</summary>
    private static bool IsOutOfRange(CpuState* cpu, bool hasPlace)
    {
        bool beyond = hasPlace && Trigonometry.IsOutOfRange(X87.Get(cpu, 0));
        X87.SetStatus(cpu, X87.C1 | X87.C2, beyond ? X87.C2 : 0);
        return beyond;
    }

    /// <summary>Whether an instruction that replaces ST(0) and pushes lacks an operand or a place.</summary>
    private static bool NoRoom(CpuState* cpu, ref ExtendedContext context)
    {
        if (X87.IsEmpty(cpu, 0))
            context.StackUnderflow();
        else if (!X87.IsEmpty(cpu, -1))
            context.StackOverflow();
        else
            return false;
        return true;
    }

    private static DecodedInstruction* SetAndPush(CpuState* cpu, DecodedInstruction* u, Float80 top, Float80 pushed, ref ExtendedContext context)
    {
        if (!X87.Complete(cpu, ref context))
            return u + 1;
        X87.Set(cpu, 0, top);
        X87.Push(cpu, pushed);
        return u + 1;
    }
}
