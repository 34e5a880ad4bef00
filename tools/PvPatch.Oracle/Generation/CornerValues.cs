namespace PvPatch.Oracle.Generation;

/// <summary>Random values with many at the corners of their types.</summary>
internal sealed class CornerValues(CaseRandom random)
{
    private static readonly ulong[] Corners =
    [
        0, 1, 2, 7, 8, 0xf, 0x10, 0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x1_0000,
        0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000,
        0xffff_ffff_ffff_ff80, 0xffff_ffff_ffff_8000, 0xffff_ffff_8000_0000, 0xffff_ffff_ffff_fffe, ulong.MaxValue,
    ];

    /// <summary>A corner value of integers.</summary>
    public ulong Corner() => Corners[random.Next(Corners.Length)];

    /// <summary>An integer: a corner, near one, small or any.</summary>
    public ulong Value()
    {
        ulong corner = Corner();
        return random.Next(4) switch
        {
            0 => corner,
            1 => corner + (ulong)random.Next(-2, 3),
            2 => random.Bits() >> random.Next(64),
            _ => random.Bits(),
        };
    }

    /// <summary>A double or two singles: zeros, denormals, infinities, NaNs, small integers, values whose exponents are near each other.</summary>
    public ulong FloatValue() => random.Next(2) == 0 ? FloatBits(52, 11) : (FloatBits(23, 8) << 32) | FloatBits(23, 8);

    private ulong FloatBits(int fractionBits, int exponentBits)
    {
        ulong highest = (1ul << exponentBits) - 1;
        ulong exponent = random.Next(8) switch
        {
            0 => 0,
            1 => highest,
            2 => 1 + (ulong)random.Next(3),
            3 => highest - (ulong)random.Next(4),
            _ => (highest >> 1) + (ulong)random.Next(-40, 70),
        };
        ulong fraction = random.Next(4) switch
        {
            0 => 0,
            1 => (ulong)random.Next(3) << random.Next(fractionBits),
            2 => (1ul << fractionBits) - (ulong)random.Next(1, 3),
            _ => random.Bits(),
        };
        ulong sign = random.Next(2) == 0 ? 1ul << (fractionBits + exponentBits) : 0;
        return sign | (exponent << fractionBits) | (fraction & ((1ul << fractionBits) - 1));
    }
}
