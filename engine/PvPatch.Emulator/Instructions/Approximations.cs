namespace PvPatch.Emulator.Instructions;

/// <summary>What an approximation is of.</summary>
internal interface IApproximated
{
    /// <summary>The exact value, NaN where there is none.</summary>
    static abstract double Of(double x);
}

/// <summary>RCPPS: 1 / x.</summary>
internal struct Reciprocal : IApproximated
{
    public static double Of(double x) => 1.0 / x;
}

/// <summary>RSQRTPS: 1 / sqrt(x).</summary>
internal struct ReciprocalSquareRoot : IApproximated
{
    public static double Of(double x) => 1.0 / Math.Sqrt(x);
}

/// <summary>
/// RCPPS, RSQRTPS and their scalar forms. Processors differ here: the manual allows a relative error of 1.5 * 2^-12 (Intel SDM
/// vol. 2, RCPPS and RSQRTPS). These give the value with twelve bits of fraction that is nearest, the same on every host. Denormals count as
/// zero, tiny results become zero, nothing is raised, and the rounding control does not matter.
/// </summary>
internal static class Approximations
{
    private const int DroppedBits = 23 - 12;
    private const uint SmallestNormal = 1u << 23;

    /// <summary>The function of one element.</summary>
    public static ulong Of<TFunction>(ulong x)
        where TFunction : IApproximated
    {
        float value = Operand(x);
        if (float.IsNaN(value))
            return Quieted(x);
        if (value == 0)
            return FloatValue.Special<Single32>(float.IsNegative(value), infinite: true);
        double result = TFunction.Of(value);
        return double.IsNaN(result) ? FloatValue.DefaultNaN<Single32>() : Nearest(result);
    }

    /// <summary>The operand, zero with its sign if it is a denormal.</summary>
    private static float Operand(ulong bits)
    {
        uint single = (uint)bits;
        bool denormal = (single & 0x7fff_ffff) < SmallestNormal;
        return BitConverter.UInt32BitsToSingle(denormal ? single & 0x8000_0000 : single);
    }

    private static ulong Quieted(ulong bits) => bits | FloatValue.QuietBit<Single32>();

    private static ulong Nearest(double value)
    {
        uint bits = BitConverter.SingleToUInt32Bits((float)value);
        uint rounded = (bits + (1u << (DroppedBits - 1))) & (uint.MaxValue << DroppedBits);
        return (rounded & 0x7fff_ffff) < SmallestNormal ? rounded & 0x8000_0000 : rounded;
    }
}
