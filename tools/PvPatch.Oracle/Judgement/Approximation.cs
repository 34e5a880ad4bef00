using Iced.Intel;

namespace PvPatch.Oracle.Judgement;

/// <summary>Instructions whose results processors only approximate (Intel SDM vol. 2, RCPPS, RSQRTPS): they are compared within their error.</summary>
internal static class Approximation
{
    /// <summary>Twice the relative error of 1.5 * 2^-12 that each side may have.</summary>
    private const double Tolerance = 3.0 / 4096;

    /// <summary>
    /// Where 1 / x is about to become a denormal, a processor may give zero already or not yet (RCPPS): the smallest normal
    /// number and what is within the error of it.
    /// </summary>
    private const float TinyLimit = 1.1754944e-38f * (1 + (float)Tolerance);

    /// <summary>Whether an instruction is one of them.</summary>
    public static bool Is(in Instruction instruction) =>
        instruction.Mnemonic is Mnemonic.Rcpps or Mnemonic.Rcpss or Mnemonic.Rsqrtps or Mnemonic.Rsqrtss or
        Mnemonic.Vrcpps or Mnemonic.Vrcpss or Mnemonic.Vrsqrtps or Mnemonic.Vrsqrtss;

    /// <summary>Whether two pairs of singles are the same within the error; what is no finite number must be the same exactly.</summary>
    public static bool AreNear(ulong a, ulong b) => AreNear((uint)a, (uint)b) && AreNear((uint)(a >> 32), (uint)(b >> 32));

    private static bool AreNear(uint a, uint b)
    {
        if (a == b)
            return true;
        float x = BitConverter.UInt32BitsToSingle(a);
        float y = BitConverter.UInt32BitsToSingle(b);
        if (!float.IsFinite(x) || !float.IsFinite(y) || float.IsNegative(x) != float.IsNegative(y))
            return false;
        (double least, double most) = (Math.Min(Math.Abs(x), Math.Abs(y)), Math.Max(Math.Abs(x), Math.Abs(y)));
        return most - least <= Tolerance * least || (least == 0 && most <= TinyLimit);
    }
}
