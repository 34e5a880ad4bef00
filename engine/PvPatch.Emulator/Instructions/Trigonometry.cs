namespace PvPatch.Emulator.Instructions;

/// <summary>
/// FSIN, FCOS, FSINCOS, FPTAN and FPATAN (Intel SDM vol. 2; vol. 1, 8.3.8). Angles are reduced with the processor's pi of
/// 66 bits; the results are the correctly rounded ones of that reduced angle, from which a processor may differ in the
/// last bit (Intel SDM vol. 1, 8.3.10: less than one unit in the last place).
/// </summary>
internal static class Trigonometry
{
    /// <summary>The processor's pi in units of 2^-64: pi/2 in units of 2^-65.</summary>
    private static readonly UInt128 HalfPi = new(3, 0x243f_6a88_85a3_08d3);

    private static readonly WideFloat Pi = new(false, 1, new UInt128(0xc90f_daa2_2168_c234, 0xc4c6_628b_80dc_1cd1));

    /// <summary>Whether an operand is too large to be reduced: C2 tells so and nothing is done.</summary>
    public static bool IsOutOfRange(Float80 a) => a.Exponent >= Float80.Bias + 63 && !a.IsNaN && !a.IsInfinity && !a.IsUnsupported;

    public static Float80 Sine(Float80 a, ref ExtendedContext context)
    {
        if (IsSpecial(a, a, ref context, out Float80 result))
            return result;
        (WideFloat angle, int quadrant) = Reduce(a);
        return Quadrant(angle, quadrant).Round(exact: false, ref context);
    }

    public static Float80 Cosine(Float80 a, ref ExtendedContext context)
    {
        if (IsSpecial(a, Float80.One, ref context, out Float80 result))
            return result;
        (WideFloat angle, int quadrant) = Reduce(a);
        return Quadrant(angle, quadrant + 1).Round(exact: false, ref context);
    }

    public static Float80 Tangent(Float80 a, ref ExtendedContext context)
    {
        if (IsSpecial(a, a, ref context, out Float80 result))
            return result;
        (WideFloat angle, int quadrant) = Reduce(a);
        if (angle.Exponent < -64 && (quadrant & 1) == 0)
            return angle.Round(exact: false, ref context);
        return (Quadrant(angle, quadrant) / Quadrant(angle, quadrant + 1)).Round(exact: false, ref context);
    }

    /// <summary>FPATAN: the angle of the point (<paramref name="x"/>, <paramref name="y"/>) (Intel SDM vol. 2, table 3-33).</summary>
    public static Float80 ArcTangent(Float80 y, Float80 x, ref ExtendedContext context)
    {
        if (context.IsDecided(y, x, out Float80 result))
            return result;
        context.NoteDenormals(x, y);
        WideFloat angle;
        if (y.IsInfinity)
        {
            angle = x.IsInfinity ? Pi / 4 : Pi / 2;
            if (x.IsInfinity && x.IsNegative)
                angle = Pi - angle;
        }
        else if (x.IsInfinity || y.IsZero)
        {
            if (!x.IsNegative)
                return Float80.Zero(y.IsNegative);
            angle = Pi;
        }
        else if (x.IsZero)
        {
            angle = Pi / 2;
        }
        else
        {
            angle = Angle(WideFloat.From(y).Absolute, WideFloat.From(x));
        }

        return (angle with { Negative = y.IsNegative }).Round(exact: false, ref context);
    }

    /// <summary>What needs no reduction: NaNs, infinity (invalid) and zero, whose result is given.</summary>
    private static bool IsSpecial(Float80 a, Float80 ofZero, ref ExtendedContext context, out Float80 result)
    {
        if (context.IsDecided(a, out result))
            return true;
        if (a.IsInfinity)
        {
            result = context.Invalid();
            return true;
        }

        context.NoteDenormal(a);
        result = ofZero;
        return a.IsZero;
    }

    /// <summary>The angle less a multiple of pi/2, at most pi/4 from zero, and that multiple; both exact.</summary>
    private static (WideFloat Angle, int Quadrant) Reduce(Float80 a)
    {
        (int exponent, ulong mantissa) = a.Normalized();
        int shift = exponent - Float80.Bias - 63 + 65;
        if (shift < 0)
            return (WideFloat.From(a), 0);
        (UInt128 count, UInt128 rest) = UInt128.DivRem((UInt128)mantissa << shift, HalfPi);
        bool beyond = rest > HalfPi >> 1;
        if (beyond)
        {
            count++;
            rest = HalfPi - rest;
        }

        int quadrant = (int)(count & 3);
        return (WideFloat.Normalized(beyond != a.IsNegative, 127 - 65, rest), a.IsNegative ? -quadrant : quadrant);
    }

    /// <summary>The sine of an angle plus quarter turns.</summary>
    private static WideFloat Quadrant(WideFloat angle, int quarters)
    {
        WideFloat value = (quarters & 1) == 0 ? Series(angle, angle, 2) : Series(angle, WideFloat.One, 1);
        return (quarters & 2) == 0 ? value : -value;
    }

    /// <summary>The alternating series of sine and cosine: each term is the last times x² over two successive integers. If none of
    /// them counts, the sum still is below the first.</summary>
    private static WideFloat Series(WideFloat x, WideFloat first, uint next)
    {
        WideFloat square = x * x;
        WideFloat term = first;
        WideFloat sum = first;
        while (!term.IsZero && term.Exponent > sum.Exponent - 130)
        {
            term = -(term * square) / (next * (next + 1));
            sum += term;
            next += 2;
        }

        return sum == first ? sum.JustBelow : sum;
    }

    /// <summary>The angle of a point whose y is positive.</summary>
    private static WideFloat Angle(WideFloat y, WideFloat x)
    {
        WideFloat width = x.Absolute;
        bool steep = !(y - width).Negative;
        WideFloat angle = steep ? Shallow(width, y) : Shallow(y, width);
        if (steep)
            angle = (Pi / 2) - angle;
        return x.Negative ? Pi - angle : angle;
    }

    /// <summary>The arc tangent of a/b, at most 1.</summary>
    private static WideFloat Shallow(WideFloat a, WideFloat b)
    {
        // Beyond 1/2: atan(a/b) = pi/4 - atan((b - a) / (b + a)).
        if (!a.IsZero && !((a + a) - b).Negative)
            return (Pi / 4) - ArcTangentSeries((b - a) / (b + a));
        return ArcTangentSeries(a / b);
    }

    private static WideFloat ArcTangentSeries(WideFloat x)
    {
        WideFloat square = -(x * x);
        WideFloat power = x;
        WideFloat sum = x;
        for (uint n = 3; !power.IsZero && power.Exponent > sum.Exponent - 130; n += 2)
        {
            power *= square;
            sum += power / n;
        }

        return sum == x ? sum.JustBelow : sum;
    }
}
