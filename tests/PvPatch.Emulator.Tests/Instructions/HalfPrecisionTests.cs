using System.Runtime.Intrinsics;
using Iced.Intel;
using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Tests.Instructions;

/// <summary>Half precision is converted as the host's F16C does it, with all exceptions masked; and as .NET does it, on every host.</summary>
public sealed class HalfPrecisionTests
{
    private const uint AllMasked = 0x1f80;
    private const int Halves = 0x10000;

    [Test]
    public void Every_half_that_is_a_number_has_the_value_that_dotnet_gives_it()
    {
        for (uint half = 0; half < Halves; half++)
        {
            var context = new FloatContext(AllMasked);
            ulong single = HalfPrecision.ToSingle(half, ref context);
            var value = BitConverter.UInt16BitsToHalf((ushort)half);
            if (!Half.IsNaN(value) && single != BitConverter.SingleToUInt32Bits((float)value))
                Assert.Fail($"{half:x}: {single:x}");
        }
    }

    [TestCase(0u)]
    [TestCase(MxcsrBits.DenormalsAreZeros)]
    [TestCase(MxcsrBits.FlushToZero | MxcsrBits.RoundingMask)]
    public void Every_half_becomes_the_single_that_it_becomes_on_the_host(uint modes)
    {
        HostVectorInstruction.RequireF16C();
        using var host = new HostVectorInstruction(Instruction.Create(Code.VEX_Vcvtph2ps_xmm_xmmm64, Register.XMM0, Register.XMM1));
        for (uint half = 0; half < Halves; half++)
        {
            uint mxcsr = AllMasked | modes;
            var context = new FloatContext(mxcsr);
            ulong single = HalfPrecision.ToSingle(half, ref context);
            uint expectedMxcsr = mxcsr;
            ulong expected = host.Run(default, Vector128.CreateScalar(half).AsByte(), default, ref expectedMxcsr).AsUInt32()[0];
            if (single != expected || (mxcsr | context.Raised) != expectedMxcsr)
                Assert.Fail($"{half:x} mxcsr {mxcsr:x}: {single:x} raised {context.Raised:x}, the host {expected:x} mxcsr {expectedMxcsr:x}");
        }
    }

    [Test]
    public void A_single_becomes_the_half_that_it_becomes_on_the_host([Range(0, 7)] int immediate)
    {
        HostVectorInstruction.RequireF16C();
        using var host = new HostVectorInstruction(Instruction.Create(Code.VEX_Vcvtps2ph_xmmm64_xmm_imm8, Register.XMM0, Register.XMM1, immediate));
        var cases = new FusedCases<Single32>(immediate);
        var random = new Random(immediate);
        for (uint half = 0; half < Halves; half++)
        {
            foreach (uint single in Around(half))
                Compare(host, single, immediate, cases.Mxcsr());
            Compare(host, (uint)random.NextInt64(), immediate, cases.Mxcsr());
            Compare(host, (uint)cases.Next().X, immediate, cases.Mxcsr());
        }
    }

    [Test]
    public void A_tiny_half_is_not_flushed_but_underflows()
    {
        var context = new FloatContext(AllMasked | MxcsrBits.FlushToZero);
        const uint Tiny = 0x3380_0001; // somewhat more than the smallest half
        Assert.That(HalfPrecision.FromSingle(Tiny, Rounding.Up, ref context), Is.EqualTo(2));
        Assert.That(context.Raised, Is.EqualTo(MxcsrBits.Underflow | MxcsrBits.Precision));
    }

    /// <summary>A half as a single, what is halfway to the next, and what is next to these.</summary>
    private static IEnumerable<uint> Around(uint half)
    {
        FloatContext context = default;
        uint exact = (uint)HalfPrecision.ToSingle(half, ref context);
        uint next = (uint)HalfPrecision.ToSingle(half + 1, ref context);
        uint halfway = exact + ((next - exact) / 2);
        return [exact, exact + 1, exact - 1, halfway, halfway + 1, halfway - 1];
    }

    private static void Compare(HostVectorInstruction host, uint single, int immediate, uint mxcsr)
    {
        var context = new FloatContext(mxcsr);
        ulong half = HalfPrecision.FromSingle(single, HalfPrecision.RoundingOf(immediate, context), ref context);
        uint expectedMxcsr = mxcsr;
        ulong expected = host.Run(default, Vector128.CreateScalar(single).AsByte(), default, ref expectedMxcsr).AsUInt32()[0];
        if (half != expected || (mxcsr | context.Raised) != expectedMxcsr)
            Assert.Fail($"{single:x} to {immediate} mxcsr {mxcsr:x}: {half:x} raised {context.Raised:x}, the host {expected:x} mxcsr {expectedMxcsr:x}");
    }
}
