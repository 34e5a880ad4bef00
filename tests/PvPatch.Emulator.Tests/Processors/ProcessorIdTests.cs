using System.Text;
using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;

namespace PvPatch.Emulator.Tests.Processors;

public sealed unsafe class ProcessorIdTests
{
    [Test]
    public void The_vendor_the_highest_leaves_and_the_brand_are_there()
    {
        CpuidRegisters basic = Read(0), extended = Read(0x8000_0000);
        Assert.That(Text(basic.Ebx, basic.Edx, basic.Ecx), Is.EqualTo("GenuineIntel"));
        Assert.That((basic.Eax, extended.Eax), Is.EqualTo((0x16u, 0x8000_0008u)));
        string brand = string.Concat(new uint[] { 0x8000_0002, 0x8000_0003, 0x8000_0004 }.Select(leaf => Read(leaf)).Select(part => Text(part.Eax, part.Ebx, part.Ecx, part.Edx)));
        Assert.That(brand.TrimEnd('\0'), Is.EqualTo("PvPatch simulated x86-64 processor"));
    }

    [TestCase(0x1u, 'd', 4, true, TestName = "TSC")]
    [TestCase(0x1u, 'd', 9, true, TestName = "APIC")]
    [TestCase(0x1u, 'c', 21, true, TestName = "x2APIC")]
    [TestCase(0x1u, 'c', 24, true, TestName = "TSC deadline timer")]
    [TestCase(0x1u, 'c', 3, false, TestName = "No MONITOR: a pv kernel would idle by it")]
    [TestCase(0x1u, 'c', 31, false, TestName = "No hypervisor bit")]
    [TestCase(0x7u, 'b', 1, true, TestName = "TSC_ADJUST")]
    [TestCase(0x8000_0001u, 'd', 29, true, TestName = "Long mode")]
    [TestCase(0x8000_0007u, 'd', 8, true, TestName = "Invariant TSC")]
    public void A_feature_is_told_or_not(uint leaf, char register, int bit, bool expected)
    {
        CpuidRegisters registers = Read(leaf);
        uint value = register switch { 'b' => registers.Ebx, 'c' => registers.Ecx, _ => registers.Edx };
        Assert.That((value >> bit & 1) != 0, Is.EqualTo(expected));
    }

    [TestCase(0x4000_0000u)]
    [TestCase(0x4000_0001u)]
    [TestCase(0x17u)]
    [TestCase(0x8000_0009u)]
    public void A_leaf_that_is_not_there_is_zeros(uint leaf) => Assert.That(Read(leaf), Is.EqualTo(default(CpuidRegisters)));

    [TestCase(1, 0u)]
    [TestCase(2, 1u)]
    [TestCase(3, 2u)]
    [TestCase(8, 3u)]
    public void The_topology_tells_the_id_and_the_count(int cpus, uint idBits)
    {
        int last = cpus - 1;
        Assert.That(Read(0xb, 1, cpus, last), Is.EqualTo(new CpuidRegisters(idBits, (uint)cpus, 0x201, (uint)last)));
        Assert.That(Read(0xb, 2, cpus, last).Ebx, Is.Zero);
    }

    [Test]
    public void Leaf_15_tells_the_TSCs_frequency()
    {
        CpuidRegisters leaf = Read(0x15);
        Assert.That((ulong)leaf.Ecx * leaf.Ebx / leaf.Eax, Is.EqualTo(2_600_000_000));
    }

    private static CpuidRegisters Read(uint leaf, uint subleaf = 0, int cpus = 1, int index = 0)
    {
        using var machine = new TestMachine(cpus, clock: new VirtualClock(2_600_000_000));
        CpuidRegisters registers = default;
        machine.Run(_ =>
        {
            CpuState* cpu = machine.Machine.Cpu(index);
            CpuidRegisters read;
            cpu->Sensitive->Cpuid(cpu, leaf, subleaf, &read);
            registers = read;
        });
        return registers;
    }

    private static string Text(params uint[] words) => Encoding.ASCII.GetString(words.SelectMany(BitConverter.GetBytes).ToArray());
}
