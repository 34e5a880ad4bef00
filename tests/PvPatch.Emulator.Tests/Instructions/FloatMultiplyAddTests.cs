using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Tests.Instructions;

/// <summary>What is to be known of fused multiply-add, on every host; FusedOperationTests compares with one that has it.</summary>
public sealed class FloatMultiplyAddTests
{
    private const uint AllMasked = 0x1f80;
    private const ulong One = 0x3ff0_0000_0000_0000;
    private const ulong Infinity = 0x7ff0_0000_0000_0000;
    private const ulong DefaultNaN = 0xfff8_0000_0000_0000;
    private const ulong Quiet1 = 0x7ff8_0000_0000_0001;
    private const ulong Quiet2 = 0x7ff8_0000_0000_0002;
    private const ulong Quiet3 = 0x7ff8_0000_0000_0003;
    private const ulong Signaling3 = 0x7ff0_0000_0000_0003;
    private const ulong Denormal = 1;
    private const ulong Sign = 1ul << 63;

    [TestCase(Quiet1, Quiet2, Quiet3, Quiet1, 0u, Description = "the first NaN")]
    [TestCase(One, Quiet2, Quiet3, Quiet2, 0u, Description = "the second before the addend")]
    [TestCase(Quiet1, Quiet2, Signaling3, Quiet1, MxcsrBits.Invalid, Description = "a signaling NaN has no precedence, but is invalid")]
    [TestCase(Infinity, 0ul, Quiet3, Quiet3, 0u, Description = "a quiet NaN hides an invalid product")]
    [TestCase(Infinity, 0ul, Signaling3, Quiet3, MxcsrBits.Invalid)]
    [TestCase(Infinity, 0ul, One, DefaultNaN, MxcsrBits.Invalid)]
    [TestCase(Infinity, 0ul, Denormal, DefaultNaN, MxcsrBits.Invalid, Description = "an invalid operation hides a denormal operand")]
    [TestCase(Infinity, Denormal, Infinity | Sign, DefaultNaN, MxcsrBits.Invalid)]
    [TestCase(Denormal, Quiet2, Denormal, Quiet2, 0u, Description = "a NaN hides a denormal operand")]
    [TestCase(Denormal, One, Infinity, Infinity, MxcsrBits.Denormal)]
    public void The_manuals_table_of_special_operands_holds(ulong x, ulong y, ulong z, ulong expected, uint raised)
    {
        var context = new FloatContext(AllMasked);
        Assert.That(FloatMultiplyAdd.MultiplyAdd<Double64>(x, y, z, negateProduct: false, negateAddend: false, ref context), Is.EqualTo(expected));
        Assert.That(context.Raised, Is.EqualTo(raised));
    }

    [Test]
    public void A_negated_nan_keeps_its_sign([Values] bool negateProduct, [Values] bool negateAddend)
    {
        var context = new FloatContext(AllMasked);
        Assert.That(FloatMultiplyAdd.MultiplyAdd<Double64>(Quiet1, One, One, negateProduct, negateAddend, ref context), Is.EqualTo(Quiet1));
        Assert.That(FloatMultiplyAdd.MultiplyAdd<Double64>(One, One, Quiet3, negateProduct, negateAddend, ref context), Is.EqualTo(Quiet3));
    }

    [Test]
    public void What_rounding_a_product_loses_is_its_exact_rest()
    {
        // (1 + 2^-52)^2 = 1 + 2^-51 + 2^-104.
        var context = new FloatContext(AllMasked);
        ulong rest = FloatMultiplyAdd.MultiplyAdd<Double64>(One + 1, One + 1, One + 2, negateProduct: false, negateAddend: true, ref context);
        Assert.That(BitConverter.UInt64BitsToDouble(rest), Is.EqualTo(double.ScaleB(1, -104)));
        Assert.That(context.Raised, Is.Zero);
    }

    [Test]
    public void An_unmasked_underflow_is_raised_for_an_exact_denormal()
    {
        var context = new FloatContext(AllMasked & ~(MxcsrBits.Underflow << MxcsrBits.MaskShift));
        FloatMultiplyAdd.MultiplyAdd<Double64>(0x0010_0000_0000_0000, 0x3fe0_0000_0000_0000, 0, negateProduct: false, negateAddend: false, ref context);
        Assert.That(context.Raised, Is.EqualTo(MxcsrBits.Underflow));
    }
}
