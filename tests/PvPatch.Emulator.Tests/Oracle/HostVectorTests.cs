using Iced.Intel;
using PvPatch.Oracle.Cases;
using PvPatch.Oracle.Native;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Oracle;

/// <summary>The helper process carries the upper halves of YMM to the host's processor and back.</summary>
public sealed class HostVectorTests
{
    private const uint Breakpoint = 3;
    private const ulong Ones = 0x0101_0101_0101_0101;

    [Test]
    public void An_addition_of_32_bytes_takes_and_gives_all_of_YMM()
    {
        MachineCase result = Run(a => a.vpaddb(ymm1, ymm2, ymm15));
        for (int i = 0; i < 2; i++)
        {
            Assert.That(result.Xmm[2 + i], Is.EqualTo(Ones * (ulong)(2 + 15)));
            Assert.That(result.YmmHigh[2 + i], Is.EqualTo(Ones * (ulong)(0x42 + 0x4f)));
        }

        AssertUnchanged(result, from: 2);
    }

    [Test]
    public void A_VEX_instruction_of_16_bytes_clears_the_upper_half()
    {
        MachineCase result = Run(a => a.vpaddb(xmm0, xmm2, xmm15));
        Assert.That(result.Xmm[0], Is.EqualTo(Ones * (ulong)(2 + 15)));
        Assert.That(result.YmmHigh[..2], Is.All.Zero);
        AssertUnchanged(result, from: 1);
    }

    [Test]
    public void A_legacy_instruction_keeps_the_upper_half()
    {
        MachineCase result = Run(a => a.paddb(xmm1, xmm2));
        Assert.That(result.Xmm[2], Is.EqualTo(Ones * (ulong)(1 + 2)));
        AssertUnchanged(result, from: 0);
    }

    [Test]
    public void VZEROUPPER_clears_all_upper_halves()
    {
        MachineCase result = Run(a => a.vzeroupper());
        Assert.That(result.YmmHigh, Is.All.Zero);
        Assert.That(result.Xmm[31], Is.EqualTo(Ones * 15));
    }

    [Test]
    public void VZEROALL_clears_all_of_YMM()
    {
        MachineCase result = Run(a => a.vzeroall());
        Assert.That(result.YmmHigh, Is.All.Zero);
        Assert.That(result.Xmm.ToArray(), Is.All.Zero);
    }

    [Test]
    public void A_load_of_32_bytes_fills_both_halves()
    {
        MachineCase result = Run(a => a.vmovdqu(ymm3, __ymmword_ptr[rax]));
        byte[] memory = result.Memory[0];
        Assert.That(result.Element(Register.YMM3, 0, 16).ToArray(), Is.EqualTo(memory[..16]));
        Assert.That(result.Element(Register.YMM3, 1, 16).ToArray(), Is.EqualTo(memory[16..32]));
    }

    [Test]
    public void A_case_that_clears_the_upper_halves_leaves_nothing_of_it_to_the_next()
    {
        using HostOracle host = Start();
        MachineCase[] results = host.Run([Case(a => a.vzeroupper()), Case(a => a.nop())]);
        Assert.That(results[0].YmmHigh, Is.All.Zero);
        AssertUnchanged(results[1], from: 0);
    }

    [Test]
    public void A_line_of_text_keeps_the_upper_halves()
    {
        MachineCase given = Case(a => a.vzeroupper());
        MachineCase result = given.Clone();
        result.YmmHigh.AsSpan().Clear();
        (MachineCase readGiven, MachineCase readResult) = CaseLine.Parse(CaseLine.Format(given, result));
        Assert.That(readGiven.YmmHigh, Is.EqualTo(given.YmmHigh));
        Assert.That(readResult.YmmHigh, Is.All.Zero);
    }

    private static void AssertUnchanged(MachineCase result, int from)
    {
        for (int i = from; i < 16; i++)
            Assert.That(result.YmmHigh[(2 * i)..((2 * i) + 2)], Is.All.EqualTo(Ones * (ulong)(0x40 + i)), $"YMM{i}");
    }

    private static MachineCase Run(Action<Assembler> write)
    {
        using HostOracle host = Start();
        MachineCase result = host.Run([Case(write)])[0];
        Assert.That(result.Vector, Is.EqualTo(Breakpoint));
        return result;
    }

    private static HostOracle Start()
    {
        if (!HostFeatures.HasYmm)
            Assert.Ignore("the host has no AVX");
        HostOracle? host = HostOracle.TryStart(out string reason);
        if (host == null)
            Assert.Ignore(reason);
        return host!;
    }

    /// <summary>Each byte of XMMn is n, each of its upper half 40h + n; RAX points to random bytes.</summary>
    private static MachineCase Case(Action<Assembler> write)
    {
        var assembler = new Assembler(64);
        write(assembler);
        using var code = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(code), CaseLayout.CodeStart);
        var given = new MachineCase { Rip = CaseLayout.CodeStart, Mxcsr = 0x1f80 };
        X87Image.Set(given.Fpu, 0x37f, 0, 0);
        given.SetCode(code.ToArray());
        given.General[0] = CaseLayout.Windows[0].Address;
        new Random(1).NextBytes(given.Memory[0]);
        for (int i = 0; i < 32; i++)
        {
            given.Xmm[i] = Ones * (ulong)(i / 2);
            given.YmmHigh[i] = Ones * (ulong)(0x40 + (i / 2));
        }

        return given;
    }
}
