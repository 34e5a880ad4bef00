using Iced.Intel;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;

namespace PvPatch.Emulator.Tests.Machines;

public sealed unsafe class CpuidTests
{
    /// <summary>Leaf, register (a, b, c, d), bit, feature.</summary>
    private static readonly (uint Leaf, char Register, int Bit, CpuidFeature Feature)[] Features =
    [
        (1, 'd', 0, CpuidFeature.FPU), (1, 'd', 4, CpuidFeature.TSC), (1, 'd', 5, CpuidFeature.MSR), (1, 'd', 8, CpuidFeature.CX8),
        (1, 'd', 11, CpuidFeature.SEP), (1, 'd', 15, CpuidFeature.CMOV), (1, 'd', 19, CpuidFeature.CLFSH), (1, 'd', 23, CpuidFeature.MMX),
        (1, 'd', 24, CpuidFeature.FXSR), (1, 'd', 25, CpuidFeature.SSE), (1, 'd', 26, CpuidFeature.SSE2), (1, 'c', 0, CpuidFeature.SSE3),
        (1, 'c', 1, CpuidFeature.PCLMULQDQ), (1, 'c', 3, CpuidFeature.MONITOR), (1, 'c', 9, CpuidFeature.SSSE3), (1, 'c', 12, CpuidFeature.FMA),
        (1, 'c', 13, CpuidFeature.CMPXCHG16B), (1, 'c', 19, CpuidFeature.SSE4_1), (1, 'c', 20, CpuidFeature.SSE4_2), (1, 'c', 22, CpuidFeature.MOVBE),
        (1, 'c', 23, CpuidFeature.POPCNT), (1, 'c', 25, CpuidFeature.AES), (1, 'c', 26, CpuidFeature.XSAVE), (1, 'c', 28, CpuidFeature.AVX),
        (1, 'c', 29, CpuidFeature.F16C), (1, 'c', 30, CpuidFeature.RDRAND), (7, 'b', 0, CpuidFeature.FSGSBASE), (7, 'b', 3, CpuidFeature.BMI1),
        (7, 'b', 5, CpuidFeature.AVX2), (7, 'b', 8, CpuidFeature.BMI2), (7, 'b', 10, CpuidFeature.INVPCID), (7, 'b', 16, CpuidFeature.AVX512F),
        (7, 'b', 18, CpuidFeature.RDSEED), (7, 'b', 19, CpuidFeature.ADX), (7, 'b', 20, CpuidFeature.SMAP), (7, 'b', 23, CpuidFeature.CLFLUSHOPT),
        (7, 'b', 24, CpuidFeature.CLWB), (7, 'b', 29, CpuidFeature.SHA), (7, 'c', 22, CpuidFeature.RDPID), (0x8000_0001, 'c', 5, CpuidFeature.LZCNT),
        (0x8000_0001, 'c', 6, CpuidFeature.SSE4A), (0x8000_0001, 'c', 8, CpuidFeature.PREFETCHW), (0x8000_0001, 'd', 11, CpuidFeature.SYSCALL),
        (0x8000_0001, 'd', 27, CpuidFeature.RDTSCP), (0x8000_0001, 'd', 29, CpuidFeature.X64), (0x8000_0001, 'd', 31, CpuidFeature.D3NOW),
        (0xd, 'a', 0, CpuidFeature.XSAVEOPT), (0xd, 'a', 1, CpuidFeature.XSAVEC), (0xd, 'a', 3, CpuidFeature.XSAVES),
    ];

    [Test]
    public void A_feature_is_told_exactly_if_the_table_has_all_its_instructions()
    {
        using var machine = new CodeMachine(a => { a.cpuid(); a.nop(); });
        var told = new List<CpuidFeature>();
        foreach ((uint leaf, char register, int bit, CpuidFeature feature) in Features)
        {
            CpuidRegisters registers = Cpuid(machine, leaf, leaf == 0xd ? 1u : 0);
            uint value = register switch { 'a' => registers.Eax, 'b' => registers.Ebx, 'c' => registers.Ecx, _ => registers.Edx };
            Assert.That((value >> bit & 1) != 0, Is.EqualTo(InstructionTable.IsComplete(feature)), feature.ToString());
            if ((value >> bit & 1) != 0) told.Add(feature);
        }

        TestContext.Out.WriteLine(string.Join(' ', told));
        Assert.That(told, Is.SupersetOf(new[] { CpuidFeature.FPU, CpuidFeature.CX8, CpuidFeature.CMOV, CpuidFeature.FXSR, CpuidFeature.SSE2, CpuidFeature.SYSCALL, CpuidFeature.X64 }));
    }

    [Test]
    public void Physical_addresses_have_as_many_bits_as_page_tables_allow()
    {
        using var machine = new CodeMachine(a => { a.cpuid(); a.nop(); });
        Assert.That(Cpuid(machine, 0x8000_0008, 0).Eax & 0xff, Is.EqualTo(40u));
        Assert.That(() => machine.Machine.Memory.AddRam(1ul << 40, 0x1000), Throws.ArgumentException);
    }

    [Test]
    public void OSXSAVE_tells_what_CR4_says()
    {
        using var machine = new CodeMachine(a => { a.cpuid(); a.nop(); });
        Assert.That(Cpuid(machine, 1, 0).Ecx >> 27 & 1, Is.Zero);
        machine.Cpu->Cr4 |= Cr4Bits.OsXsave;
        Assert.That(Cpuid(machine, 1, 0).Ecx >> 27 & 1, Is.EqualTo(1u));
    }

    [TestCase(1ul, 576u)]
    [TestCase(3ul, 576u)]
    [TestCase(7ul, 832u)]
    public void Leaf_13_tells_the_area_of_what_XCR0_has_and_of_all(ulong xcr0, uint size)
    {
        using var machine = new CodeMachine(a => { a.cpuid(); a.nop(); });
        machine.Cpu->Xcr0 = xcr0;
        Assert.That(Cpuid(machine, 0xd, 0), Is.EqualTo(new CpuidRegisters(7, size, 832, 0)));
        Assert.That(Cpuid(machine, 0xd, 1), Is.EqualTo(new CpuidRegisters(7, size, 0, 0)));
        Assert.That(Cpuid(machine, 0xd, 2), Is.EqualTo(new CpuidRegisters(256, 576, 0, 0)), "the YMM registers' place");
        Assert.That(Cpuid(machine, 0xd, 3), Is.EqualTo(default(CpuidRegisters)));
    }

    private static CpuidRegisters Cpuid(CodeMachine machine, uint leaf, uint subleaf)
    {
        CpuState* cpu = machine.Cpu;
        (cpu->Rip, cpu->Rax, cpu->Rcx) = (CodeMachine.Code, leaf, subleaf);
        Assert.That(machine.Run(1), Is.TypeOf<MachineExit.InstructionLimit>());
        return new CpuidRegisters((uint)cpu->Rax, (uint)cpu->Rbx, (uint)cpu->Rcx, (uint)cpu->Rdx);
    }
}
