using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Tests.Instructions;

/// <summary>Operands on which a fused multiply-add may go wrong: x, y, z with x * y and z near to each other, far apart, and at the ends of the format.</summary>
internal sealed class FusedCases<TFormat>(int seed)
    where TFormat : IFloatFormat
{
    private const uint AllMasked = 0x1f80;

    private readonly Random _random = new(seed);

    private static int Highest => (1 << TFormat.ExponentBits) - 1;

    private static int Bias => Highest >> 1;

    private static ulong FractionMask => (1ul << TFormat.FractionBits) - 1;

    /// <summary>MXCSR with all exceptions masked and none raised, in any mode.</summary>
    public uint Mxcsr()
    {
        uint modes = (uint)_random.Next(4) << MxcsrBits.RoundingShift;
        if (_random.Next(3) == 0)
            modes |= MxcsrBits.DenormalsAreZeros;
        if (_random.Next(3) == 0)
            modes |= MxcsrBits.FlushToZero;
        return AllMasked | modes;
    }

    public (ulong X, ulong Y, ulong Z) Next() => _random.Next(8) switch
    {
        0 or 1 => (Corner(), Corner(), Corner()),
        2 or 3 => Cancelling(),
        4 => Halfway(),
        _ => Apart(),
    };

    /// <summary>Numbers of all kinds.</summary>
    private ulong Corner() => _random.Next(8) switch
    {
        0 => Number(0, 0),
        1 => Number(Highest, 0),
        2 => Number(Highest, Fraction() | 1),
        3 => Number(Highest, Fraction() | FloatValue.QuietBit<TFormat>()),
        4 => Number(0, Fraction()),
        5 => Number(_random.Next(1, 3), Fraction()),
        6 => Number(Highest - _random.Next(1, 3), Fraction()),
        _ => Number(Bias - 2 + _random.Next(5), Fraction()),
    };

    /// <summary>The addend is the product, rounded, with another sign: what is left are a few bits at the bottom, or nothing.</summary>
    private (ulong X, ulong Y, ulong Z) Cancelling()
    {
        (ulong x, ulong y) = Factors(_random.Next(2) == 0 ? _random.Next(-Bias - (2 * TFormat.FractionBits), Bias + 2) : _random.Next(-3, 4));
        var context = new FloatContext(AllMasked);
        ulong product = FloatArithmetic.Multiply<TFormat>(x, y, ref context);
        ulong near = product + (ulong)(_random.Next(3) == 0 ? _random.Next(-2, 3) : 0);
        return (x, y, near ^ Number(0, 0));
    }

    /// <summary>The product is half of the addend's last bit, or next to it.</summary>
    private (ulong X, ulong Y, ulong Z) Halfway()
    {
        int exponent = _random.Next(4) == 0 ? _random.Next(1, 4) : _random.Next(1, Highest);
        (ulong x, ulong y) = Factors(Math.Max(exponent - Bias - TFormat.FractionBits - _random.Next(3), 4 - (2 * Bias)));
        x &= ~FractionMask;
        y = (y & ~FractionMask) + (ulong)_random.Next(-1, 2);
        return (x, y, Number(exponent, Fraction()));
    }

    /// <summary>Exponents that differ by up to somewhat more than the precision of both, anywhere in the format.</summary>
    private (ulong X, ulong Y, ulong Z) Apart()
    {
        int product = _random.Next(3) switch
        {
            0 => -Bias + _random.Next(-2 * TFormat.FractionBits, TFormat.FractionBits),
            1 => Bias + _random.Next(-3, 3),
            _ => _random.Next(-Bias, Bias),
        };
        (ulong x, ulong y) = Factors(product);
        int reach = (3 * TFormat.FractionBits) + 6;
        return (x, y, Number(Math.Clamp(product + Bias + _random.Next(-reach, reach + 1), 0, Highest - 1), Fraction()));
    }

    /// <summary>Two numbers whose product has an exponent, or the next.</summary>
    private (ulong X, ulong Y) Factors(int exponent)
    {
        int lowest = Math.Max(1 - Bias, exponent - Bias);
        int highest = Math.Min(Bias, exponent + Bias - 1);
        int first = _random.Next(lowest, Math.Max(lowest, highest) + 1);
        return (Number(first + Bias, Fraction()), Number(Math.Clamp(exponent - first + Bias, 0, Highest - 1), Fraction()));
    }

    private ulong Number(int exponent, ulong fraction) =>
        FloatValue.Special<TFormat>(_random.Next(2) == 0, infinite: false) | ((ulong)exponent << TFormat.FractionBits) | fraction;

    private ulong Fraction()
    {
        ulong fraction = (ulong)_random.NextInt64() & FractionMask;
        return _random.Next(6) switch
        {
            0 => 0,
            1 => FractionMask - (fraction & 1),
            2 => fraction & (FractionMask << (TFormat.FractionBits - 4)),
            3 => fraction & 7,
            _ => fraction,
        };
    }
}
