namespace PvPatch.Emulator.Instructions;

/// <summary>
/// RCPPS, RSQRTPS and their scalar forms. Processors differ here: the manual allows a relative error of 1.5 * 2^-12 (Intel SDM
/// vol. 2, RCPPS and RSQRTPS). These give the value with twelve bits of fraction that is nearest, the same on every host. Denormals count as
/// zero, tiny results become zero, nothing is raised, and the rounding control does not matter.
/// </summary>
internal static class Approximations
{
    private const int DroppedBits = 23 - 12;
    private const uint SmallestNormal = 1u << 23;

    /// <summary>RCPPS: 1 / x of the second operand.</summary>
    public static ulong Reciprocal(ulong unused, ulong x, ref FloatContext context)
    {
        float value = Operand(x);
        if (float.IsNaN(value))
            return Quieted(x);
        if (value == 0)
            return FloatValue.Special<Single32>(float.IsNegative(value), infinite: true);
        return Nearest(1.0 / value);
    }

    /// <summary>RSQRTPS: 1 / sqrt(x) of the second operand.</summary>
    public static ulong ReciprocalSquareRoot(ulong unused, ulong x, ref FloatContext context)
    {
        float value = Operand(x);
        if (float.IsNaN(value))
            return Quieted(x);
        if (value == 0)
            return FloatValue.Special<Single32>(float.IsNegative(value), infinite: true);
        return value < 0 ? FloatValue.DefaultNaN<Single32>() : Nearest(1.0 / Math.Sqrt(value));
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
