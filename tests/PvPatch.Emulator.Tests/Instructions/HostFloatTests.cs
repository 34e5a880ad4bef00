using System.Runtime.Intrinsics;
using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Tests.Instructions;

/// <summary>
/// Where the host's arithmetic is accepted, the result and MXCSR are those of the arithmetic on integers, in every mode; and in the
/// usual mode it is accepted for usual numbers.
/// </summary>
[TestFixture(typeof(Sum))]
[TestFixture(typeof(Difference))]
[TestFixture(typeof(Product))]
[TestFixture(typeof(Quotient))]
[TestFixture(typeof(SquareRoot))]
[TestFixture(typeof(Lesser))]
[TestFixture(typeof(Greater))]
internal sealed class HostFloatTests<TOperation>
    where TOperation : IFloatOperation
{
    private const int Cases = 40_000;

    [Test]
    public void An_accepted_double_is_exact() => Compare<ScalarDouble, Double64>(52, 11, value => Vector128.Create(value, 0ul).AsByte(), vector => vector.AsUInt64()[0]);

    [Test]
    public void An_accepted_single_is_exact() => Compare<ScalarSingle, Single32>(23, 8, value => Vector128.Create((uint)value, 0u, 0u, 0u).AsByte(), vector => vector.AsUInt32()[0]);

    [Test]
    public void Usual_numbers_are_accepted_with_the_inexact_flag_and_exact_results_without_it()
    {
        var a = Vector128.Create(6.0, 0).AsByte();
        var b = Vector128.Create(typeof(TOperation) == typeof(SquareRoot) ? 9.0 : 1.5, 0).AsByte();
        var many = Vector128.Create(1.0 / 3, 0).AsByte();
        const uint AllMasked = 0x1f80;
        Assert.That(Accepts(a, b, AllMasked), Is.True, "exact");
        Assert.That(Accepts(a, many, AllMasked | MxcsrBits.Precision), Is.True, "inexact, and said so before");
        var context = new FloatContext(AllMasked);
        TOperation.Exactly<Double64>(a.AsUInt64()[0], many.AsUInt64()[0], ref context);
        Assert.That(Accepts(a, many, AllMasked), Is.EqualTo(context.Raised == 0), "inexact for the first time");
    }

    private static bool Accepts(Vector128<byte> a, Vector128<byte> b, uint mxcsr) =>
        HostFloat.Holds<TOperation, ScalarDouble>(a, b, TOperation.OnHost<ScalarDouble>(a, b), mxcsr);

    private static void Compare<TLanes, TFormat>(int fractionBits, int exponentBits, Func<ulong, Vector128<byte>> vectorOf, Func<Vector128<byte>, ulong> bitsOf)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
    {
        var random = new Random(fractionBits);
        int accepted = 0;
        for (int i = 0; i < Cases; i++)
        {
            ulong x = Next(random, fractionBits, exponentBits);
            ulong y = Next(random, fractionBits, exponentBits);
            uint mxcsr = (uint)random.Next(0x10000) | (random.Next(4) == 0 ? 0 : 0x1f80u);
            if (random.Next(2) == 0)
                mxcsr &= ~MxcsrBits.RoundingMask;
            Vector128<byte> a = vectorOf(x);
            Vector128<byte> b = vectorOf(y);
            Vector128<byte> result = TOperation.OnHost<TLanes>(a, b);
            bool holds = HostFloat.Holds<TOperation, TLanes>(a, b, result, mxcsr);
            bool looksOrdinary = !TOperation.Chooses && HostFloat.HidesInexact(mxcsr) && HostFloat.AreOrdinary<TLanes>(result) &&
                HostFloat.AreOrdinary<TLanes>(b) && (TOperation.IsUnary || HostFloat.AreOrdinary<TLanes>(a));
            if (!holds && !looksOrdinary)
                continue;
            accepted++;
            var context = new FloatContext(mxcsr);
            ulong expected = TOperation.Exactly<TFormat>(x, y, ref context);
            Assert.That(bitsOf(result), Is.EqualTo(expected), $"{x:x} {y:x} mxcsr {mxcsr:x}");
            Assert.That(context.Raised & ~mxcsr, Is.Zero, $"raised by {x:x} {y:x} mxcsr {mxcsr:x}");
            Assert.That(context.Raised & context.Unmasked, Is.Zero, $"a fault of {x:x} {y:x} mxcsr {mxcsr:x}");
        }

        Assert.That(accepted, Is.GreaterThan(Cases / 20));
    }

    /// <summary>Numbers of all kinds: near to 1, near to both ends, few bits, zeros, infinities, NaNs.</summary>
    private static ulong Next(Random random, int fractionBits, int exponentBits)
    {
        ulong highest = (1ul << exponentBits) - 1;
        ulong exponent = random.Next(8) switch
        {
            0 => (ulong)random.Next(4),
            1 => highest - (ulong)random.Next(3),
            2 => (ulong)random.NextInt64((long)highest + 1),
            _ => (highest >> 1) - 8 + (ulong)random.Next(17),
        };
        ulong fraction = (ulong)random.NextInt64() & ((1ul << fractionBits) - 1);
        fraction = random.Next(4) switch
        {
            0 => 0,
            1 => fraction & ~0ul << (fractionBits - 4),
            _ => fraction,
        };
        return ((ulong)random.Next(2) << (fractionBits + exponentBits)) | (exponent << fractionBits) | fraction;
    }
}
