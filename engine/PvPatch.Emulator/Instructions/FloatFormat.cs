namespace PvPatch.Emulator.Instructions;

/// <summary>A binary interchange format (IEEE 754, 3.4).</summary>
internal interface IFloatFormat
{
    /// <summary>Bits of the fraction.</summary>
    static abstract int FractionBits { get; }

    /// <summary>Bits of the exponent.</summary>
    static abstract int ExponentBits { get; }
}

/// <summary>Single precision.</summary>
internal struct Single32 : IFloatFormat
{
    public static int FractionBits => 23;

    public static int ExponentBits => 8;
}

/// <summary>Double precision.</summary>
internal struct Double64 : IFloatFormat
{
    public static int FractionBits => 52;

    public static int ExponentBits => 11;
}

/// <summary>Half precision, which F16C stores numbers in.</summary>
internal struct Half16 : IFloatFormat
{
    public static int FractionBits => 10;

    public static int ExponentBits => 5;
}

/// <summary>Bits of MXCSR (Intel SDM vol. 1, 10.2.3).</summary>
internal static class MxcsrBits
{
    public const uint Invalid = 1 << 0;
    public const uint Denormal = 1 << 1;
    public const uint DivideByZero = 1 << 2;
    public const uint Overflow = 1 << 3;
    public const uint Underflow = 1 << 4;
    public const uint Precision = 1 << 5;
    public const uint AllFlags = 0x3f;
    public const uint DenormalsAreZeros = 1 << 6;
    public const int MaskShift = 7;
    public const int RoundingShift = 13;
    public const uint PrecisionMask = Precision << MaskShift;
    public const uint RoundingMask = 3 << RoundingShift;
    public const uint FlushToZero = 1 << 15;

    /// <summary>The exceptions found before a result is computed.</summary>
    public const uint BeforeResult = Invalid | Denormal | DivideByZero;
}

/// <summary>Rounding control (Intel SDM vol. 1, 4.8.4).</summary>
internal enum Rounding
{
    /// <summary>To the nearest, ties to even.</summary>
    Nearest,

    /// <summary>Toward minus infinity.</summary>
    Down,

    /// <summary>Toward plus infinity.</summary>
    Up,

    /// <summary>Toward zero.</summary>
    Zero,
}

/// <summary>How an operation is done and what it raised.</summary>
internal struct FloatContext
{
    public FloatContext(uint mxcsr)
    {
        Rounding = (Rounding)((mxcsr >> MxcsrBits.RoundingShift) & 3);
        DenormalsAreZeros = (mxcsr & MxcsrBits.DenormalsAreZeros) != 0;
        FlushToZero = (mxcsr & MxcsrBits.FlushToZero) != 0;
        Unmasked = ~(mxcsr >> MxcsrBits.MaskShift) & MxcsrBits.AllFlags;
    }

    public Rounding Rounding { get; set; }

    public bool DenormalsAreZeros { get; }

    public bool FlushToZero { get; init; }

    /// <summary>Exceptions that are faults.</summary>
    public uint Unmasked { get; }

    /// <summary>Exceptions raised so far.</summary>
    public uint Raised { get; set; }
}
