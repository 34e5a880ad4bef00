using System.Runtime.CompilerServices;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Instructions;

/// <summary>The host computes as the guest's MXCSR says while it holds it, tells what was raised then and nothing else, and is as before afterwards.</summary>
[Platform("Linux")]
public sealed unsafe class HostMxcsrTests
{
    private const uint AllMasked = 0x1f80;

    [TestCase(0u, ExpectedResult = 0x3fd5_5555_5555_5555ul)]
    [TestCase(1u << 13, ExpectedResult = 0x3fd5_5555_5555_5555ul)]
    [TestCase(2u << 13, ExpectedResult = 0x3fd5_5555_5555_5556ul)]
    public ulong It_rounds_as_the_guest_asks(uint rounding)
    {
        CpuState cpu = default;
        cpu.Mxcsr = AllMasked | rounding;
        Divided(1, 3); // compiled now, and not in between
        bool isOnHost = HostMxcsr.Enter(&cpu);
        double third = Divided(1, 3);
        HostMxcsr.Leave(&cpu);
        Assert.That(isOnHost, Is.True);
        Assert.That(cpu.Mxcsr, Is.EqualTo(AllMasked | rounding | MxcsrBits.Precision));
        Assert.That(Divided(1, 3), Is.EqualTo(1.0 / 3), "afterwards it rounds to the nearest");
        return BitConverter.DoubleToUInt64Bits(third);
    }

    [Test]
    public void What_the_host_raised_before_is_not_the_guests()
    {
        CpuState cpu = default;
        cpu.Mxcsr = AllMasked;
        Divided(1, 3);
        Divided(1, 0);
        bool isOnHost = HostMxcsr.Enter(&cpu);
        double two = Divided(6, 3);
        HostMxcsr.Leave(&cpu);
        Assert.That((isOnHost, two, cpu.Mxcsr), Is.EqualTo((true, 2.0, AllMasked)));
    }

    [Test]
    public void An_exception_that_is_not_masked_does_not_come_over_the_host([Range(7, 12)] int mask)
    {
        CpuState cpu = default;
        cpu.Mxcsr = AllMasked & ~(1u << mask);
        Assert.That(HostMxcsr.Enter(&cpu), Is.False);
        Assert.That(double.IsPositiveInfinity(Divided(1, 0)), Is.True);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double Divided(double a, double b) => a / b;
}
