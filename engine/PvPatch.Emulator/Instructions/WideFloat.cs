namespace PvPatch.Emulator.Instructions;

/// <summary>
/// A number with a mantissa of 128 bits, for the steps between operand and result of the transcendental functions: what
/// their truncations add up to stays far below the last bit of the 64-bit result.
/// </summary>
/// <param name="Negative">The sign.</param>
/// <param name="Exponent">The exponent of the mantissa's top bit, not biased.</param>
/// <param name="Mantissa">The mantissa with bit 127 set, or zero.</param>
internal readonly record struct WideFloat(bool Negative, int Exponent, UInt128 Mantissa)
{
    /// <summary>1.</summary>
    public static WideFloat One => new(false, 0, UInt128.One << 127);

    /// <summary>Whether the number is zero.</summary>
    public bool IsZero => Mantissa == 0;

    /// <summary>The magnitude.</summary>
    public WideFloat Absolute => this with { Negative = false };

    /// <summary>The next number nearer to zero; zero itself for zero.</summary>
    public WideFloat JustBelow
    {
        get
        {
            if (IsZero)
                return this;
            return Mantissa << 1 == 0 ? new WideFloat(Negative, Exponent - 1, UInt128.MaxValue) : this with { Mantissa = Mantissa - 1 };
        }
    }

    public static WideFloat operator -(WideFloat a) => a with { Negative = !a.Negative };

    public static WideFloat operator -(WideFloat a, WideFloat b) => a + -b;

    public static WideFloat operator +(WideFloat a, WideFloat b)
    {
        if (a.IsZero || b.IsZero)
            return a.IsZero ? b : a;
        if (b.Exponent > a.Exponent)
            (a, b) = (b, a);
        int distance = a.Exponent - b.Exponent;
        UInt128 y = distance > 127 ? 0 : b.Mantissa >> distance;
        if (a.Negative == b.Negative)
        {
            UInt128 sum = unchecked(a.Mantissa + y);
            return sum >= a.Mantissa
                ? new WideFloat(a.Negative, a.Exponent, sum)
                : new WideFloat(a.Negative, a.Exponent + 1, (sum >> 1) | (UInt128.One << 127));
        }

        return a.Mantissa >= y
            ? Normalized(a.Negative, a.Exponent, a.Mantissa - y)
            : Normalized(b.Negative, a.Exponent, y - a.Mantissa);
    }

    public static WideFloat operator *(WideFloat a, WideFloat b)
    {
        if (a.IsZero || b.IsZero)
            return default;
        ulong a1 = (ulong)(a.Mantissa >> 64);
        ulong a0 = (ulong)a.Mantissa;
        ulong b1 = (ulong)(b.Mantissa >> 64);
        ulong b0 = (ulong)b.Mantissa;
        UInt128 middle = (((UInt128)a0 * b0) >> 64) + (ulong)((UInt128)a1 * b0) + (ulong)((UInt128)a0 * b1);
        UInt128 high = ((UInt128)a1 * b1) + (((UInt128)a1 * b0) >> 64) + (((UInt128)a0 * b1) >> 64) + (middle >> 64);
        bool top = high >> 127 != 0;
        UInt128 mantissa = top ? high : (high << 1) | ((middle >> 63) & 1);
        return new WideFloat(a.Negative != b.Negative, a.Exponent + b.Exponent + (top ? 1 : 0), mantissa);
    }

    public static WideFloat operator /(WideFloat a, WideFloat b)
    {
        if (a.IsZero)
            return a;
        int exponent = a.Exponent - b.Exponent;
        UInt128 rest = a.Mantissa;
        bool carry = false;
        if (rest < b.Mantissa)
        {
            exponent--;
            carry = true;
            rest <<= 1;
        }

        UInt128 quotient = 0;
        for (int i = 0; i < 128; i++)
        {
            quotient <<= 1;
            if (carry || rest >= b.Mantissa)
            {
                rest = unchecked(rest - b.Mantissa);
                quotient |= 1;
            }

            carry = rest >> 127 != 0;
            rest <<= 1;
        }

        return new WideFloat(a.Negative != b.Negative, exponent, quotient);
    }

    public static WideFloat operator /(WideFloat a, uint divisor) =>
        a.IsZero ? a : Normalized(a.Negative, a.Exponent, a.Mantissa / divisor);

    /// <summary>A whole number.</summary>
    public static WideFloat From(int value) =>
        Normalized(value < 0, 127, (UInt128)(uint)Math.Abs(value));

    /// <summary>A finite number of the x87.</summary>
    public static WideFloat From(Float80 a)
    {
        if (a.IsZero)
            return default;
        (int exponent, ulong mantissa) = a.Normalized();
        return new WideFloat(a.IsNegative, exponent - Float80.Bias, (UInt128)mantissa << 64);
    }

    /// <summary>A number whose mantissa may have zeros on top.</summary>
    public static WideFloat Normalized(bool negative, int exponent, UInt128 mantissa)
    {
        if (mantissa == 0)
            return default;
        int zeros = (int)UInt128.LeadingZeroCount(mantissa);
        return new WideFloat(negative, exponent - zeros, mantissa << zeros);
    }

    /// <summary>Rounds a number that is not zero; <paramref name="exact"/> says that nothing was cut off before.</summary>
    public Float80 Round(bool exact, ref ExtendedContext context) =>
        ExtendedRounding.Round(Negative, Exponent + Float80.Bias, exact ? Mantissa : Mantissa | 1, ref context);
}
