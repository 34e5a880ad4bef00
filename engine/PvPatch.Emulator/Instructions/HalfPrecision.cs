namespace PvPatch.Emulator.Instructions;

/// <summary>F16C: single precision from half precision and back, an element (Intel SDM vol. 1, 14.4; vol. 2, VCVTPH2PS, VCVTPS2PH).</summary>
internal static class HalfPrecision
{
    /// <summary>VCVTPH2PS. It is exact; denormal halves are numbers like others, whatever MXCSR says of denormals, and no exception.</summary>
    public static ulong ToSingle(ulong half, ref FloatContext context)
    {
        FloatContext exact = default;
        ulong single = FloatConversions.Convert<Half16, Single32>(half, ref exact);
        context.Raised |= exact.Raised & MxcsrBits.Invalid;
        return single;
    }

    /// <summary>VCVTPS2PH. Denormal singles are as MXCSR says, denormal halves are never flushed to zero.</summary>
    public static ulong FromSingle(ulong single, Rounding rounding, ref FloatContext context)
    {
        FloatContext unflushed = context with { FlushToZero = false, Rounding = rounding };
        ulong half = FloatConversions.Convert<Single32, Half16>(single, ref unflushed);
        context.Raised = unflushed.Raised;
        return half;
    }

    /// <summary>The rounding that VCVTPS2PH's immediate asks for: MXCSR's where bit 2 is set, or its own in bits 1:0.</summary>
    public static Rounding RoundingOf(int immediate, in FloatContext context) => (immediate & 4) != 0 ? context.Rounding : (Rounding)(immediate & 3);
}
