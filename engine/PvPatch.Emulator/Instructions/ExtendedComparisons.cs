namespace PvPatch.Emulator.Instructions;

/// <summary>How two numbers compare, as C3, C2 and C0 of the status word tell it (Intel SDM vol. 1, table 8-6).</summary>
internal static class ExtendedComparisons
{
    /// <summary>The first is greater.</summary>
    public const int Greater = 0;

    /// <summary>The first is less: C0.</summary>
    public const int Less = 0x100;

    /// <summary>Equal: C3.</summary>
    public const int Equal = 0x4000;

    /// <summary>One is not a number: C3, C2, C0.</summary>
    public const int Unordered = 0x4500;

    /// <summary>Compares; a quiet NaN is invalid unless <paramref name="quiet"/>.</summary>
    public static int Compare(Float80 a, Float80 b, bool quiet, ref ExtendedContext context)
    {
        if (a.IsUnsupported || b.IsUnsupported || a.IsNaN || b.IsNaN)
        {
            if (!quiet || a.IsUnsupported || b.IsUnsupported || a.IsSignalling || b.IsSignalling)
                context.Raised |= ExtendedExceptions.Invalid;
            return Unordered;
        }

        context.NoteDenormals(a, b);
        if (a.IsZero && b.IsZero)
            return Equal;
        if (a.IsNegative != b.IsNegative)
            return a.IsNegative ? Less : Greater;
        int order = Magnitude(a).CompareTo(Magnitude(b));
        if (order == 0)
            return Equal;
        return order < 0 != a.IsNegative ? Less : Greater;
    }

    /// <summary>Denormals and pseudo-denormals have the exponent of the smallest normal numbers.</summary>
    private static UInt128 Magnitude(Float80 a) => new((ulong)Math.Max(a.Exponent, 1), a.Mantissa);
}
