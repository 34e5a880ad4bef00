namespace PvPatch.Emulator.Instructions;

/// <summary>The exceptions of the x87, as its status word has them (Intel SDM vol. 1, 8.1.3).</summary>
[Flags]
internal enum ExtendedExceptions
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>#I: an operation without an answer.</summary>
    Invalid = 1,

    /// <summary>#D: a denormal operand.</summary>
    Denormal = 2,

    /// <summary>#Z: a finite number divided by zero.</summary>
    ZeroDivide = 4,

    /// <summary>#O.</summary>
    Overflow = 8,

    /// <summary>#U.</summary>
    Underflow = 16,

    /// <summary>#P: the result was rounded.</summary>
    Inexact = 32,

    /// <summary>The invalid operation was a stack overflow or underflow.</summary>
    StackFault = 64,

    /// <summary>Those that are found before anything is computed; unmasked, they leave the operands as they were.</summary>
    BeforeOperation = Invalid | Denormal | ZeroDivide,

    /// <summary>Those that have a mask.</summary>
    Maskable = 63,
}

/// <summary>What an operation needs of the control word, and what it tells the status word.</summary>
internal struct ExtendedContext(ushort control)
{
    /// <summary>What was raised.</summary>
    public ExtendedExceptions Raised;

    /// <summary>C1: the last rounding increased the magnitude, or a stack fault was an overflow.</summary>
    public bool C1;

    /// <summary>The operand came from memory as a denormal of a narrower format.</summary>
    public bool FromDenormal;

    /// <summary>Rounding control.</summary>
    public Rounding Rounding = (Rounding)((control >> 10) & 3);

    /// <summary>Bits of the mantissa that precision control keeps (Intel SDM vol. 1, 8.1.5.2); the reserved setting keeps all.</summary>
    public readonly int Precision => ((control >> 8) & 3) switch
    {
        0 => 24,
        2 => 53,
        _ => 64,
    };

    /// <summary>Whether an exception is masked.</summary>
    public readonly bool Masks(ExtendedExceptions exception) => (control & (int)exception) != 0;

    /// <summary>Raises the invalid operation exception; the masked response is the indefinite.</summary>
    public Float80 Invalid()
    {
        Raised |= ExtendedExceptions.Invalid;
        return Float80.Indefinite;
    }

    /// <summary>A register that should hold a value is empty.</summary>
    public Float80 StackUnderflow()
    {
        Raised |= ExtendedExceptions.StackFault;
        return Invalid();
    }

    /// <summary>A register that should be empty holds a value.</summary>
    public Float80 StackOverflow()
    {
        Raised |= ExtendedExceptions.StackFault;
        C1 = true;
        return Invalid();
    }

    /// <summary>Notes a denormal operand.</summary>
    public void NoteDenormal(Float80 a)
    {
        if (a.IsDenormal || FromDenormal)
            Raised |= ExtendedExceptions.Denormal;
    }

    /// <summary>Notes denormal operands.</summary>
    public void NoteDenormals(Float80 a, Float80 b)
    {
        NoteDenormal(a);
        NoteDenormal(b);
    }

    /// <summary>Whether one operand decides the result alone: it is a NaN or unsupported.</summary>
    public bool IsDecided(Float80 a, out Float80 result)
    {
        result = a;
        if (a.IsUnsupported)
        {
            result = Invalid();
            return true;
        }

        if (!a.IsNaN)
            return false;
        if (a.IsSignalling)
            Raised |= ExtendedExceptions.Invalid;
        result = a.Quieted;
        return true;
    }

    /// <summary>
    /// Whether NaNs or unsupported operands decide the result (Intel SDM vol. 1, table 4-7): of two NaNs of a kind the one
    /// with the larger mantissa, and of equal ones the positive; a quiet one goes before a signalling one.
    /// </summary>
    public bool IsDecided(Float80 a, Float80 b, out Float80 result)
    {
        result = default;
        if (a.IsUnsupported || b.IsUnsupported)
        {
            result = Invalid();
            return true;
        }

        if (!a.IsNaN && !b.IsNaN)
            return false;
        if (a.IsSignalling || b.IsSignalling)
            Raised |= ExtendedExceptions.Invalid;
        if (!a.IsNaN || !b.IsNaN)
            result = a.IsNaN ? a.Quieted : b.Quieted;
        else if (a.IsSignalling != b.IsSignalling)
            result = a.IsSignalling ? b : a;
        else
            result = Larger(a.Quieted, b.Quieted);
        return true;
    }

    private static Float80 Larger(Float80 a, Float80 b)
    {
        if (a.Mantissa != b.Mantissa)
            return a.Mantissa > b.Mantissa ? a : b;
        return a.IsNegative ? b : a;
    }
}
