using PvPatch.Emulator.State;
using PvPatch.Paravirt.Detection.Cpuid;

namespace PvPatch.Hypervisors.Tests.Detection;

[TestFixture]
public sealed class CpuidDumpTests
{
    private const string LeafZero = "   0x00000000 0x00: eax=0x00000001 ebx=0x00000002 ecx=0x00000003 edx=0x00000004";

    [Test]
    public void A_leaf_without_subleaves_ignores_the_subleaf_asked_for()
    {
        CpuidDump dump = CpuidDump.Parse(LeafZero);
        Assert.That(dump.Read(0, 7), Is.EqualTo(new CpuidRegisters(1, 2, 3, 4)));
    }

    [Test]
    public void A_subleaf_that_was_not_recorded_is_zero()
    {
        CpuidDump dump = CpuidDump.Parse($"{LeafZero}\n0x4 0x0: eax=0x1 ebx=0x1 ecx=0x1 edx=0x1\n0x4 0x1: eax=0x2 ebx=0x2 ecx=0x2 edx=0x2");
        Assert.That(dump.Read(4, 1), Is.EqualTo(new CpuidRegisters(2, 2, 2, 2)));
        Assert.That(dump.Read(4, 2), Is.EqualTo(default(CpuidRegisters)));
    }

    [TestCase("", CpuidDumpError.NoLeaves, 1)]
    [TestCase("CPU 0:\n", CpuidDumpError.NoLeaves, 2)]
    [TestCase("# only a comment", CpuidDumpError.NoLeaves, 1)]
    [TestCase("hello", CpuidDumpError.NotALeaf, 1)]
    [TestCase("CPU 0:\nCPU x:\n", CpuidDumpError.NotALeaf, 2)]
    [TestCase(LeafZero + "\n\n" + LeafZero, CpuidDumpError.LeafTwice, 3)]
    [TestCase(LeafZero + " junk", CpuidDumpError.NotALeaf, 1)]
    [TestCase("0x0 0x0: eax=0x1 ebx=0x1 ecx=0x1", CpuidDumpError.NotALeaf, 1)]
    [TestCase("0x0 0x0: eax=0x1 ebx=0x1 ecx=0x1 edx=", CpuidDumpError.NotALeaf, 1)]
    [TestCase("0x0 0x0: eax=0x1 ebx=0x1 ecx=0x1 edx=0x123456789", CpuidDumpError.NotALeaf, 1)]
    [TestCase("0x0 0x0 eax=0x1 ebx=0x1 ecx=0x1 edx=0x1", CpuidDumpError.NotALeaf, 1)]
    [TestCase("0x1 0x0: eax=0x1 ebx=0x1 ecx=0x1 edx=0x1", CpuidDumpError.NoLeafZero, 1)]
    public void A_malformed_dump_is_one_error_with_its_line(string text, CpuidDumpError error, int line)
    {
        CpuidDumpException thrown = Assert.Throws<CpuidDumpException>(() => CpuidDump.Parse(text))!;
        Assert.That((thrown.Error, thrown.Line), Is.EqualTo((error, line)));
        Assert.That(thrown.Message, Does.EndWith(".").And.Not.Contain('\n'));
    }

    [Test]
    public void What_an_error_quotes_is_short_and_printable()
    {
        CpuidDumpException thrown = Assert.Throws<CpuidDumpException>(() => CpuidDump.Parse("\u001b[31m" + new string('x', 5000)))!;
        Assert.That(thrown.Found, Does.StartWith(@"\x1b[31mxxx").And.EndWith("..."));
        Assert.That(thrown.Message, Has.Length.LessThan(250));
    }

    [Test]
    public void Windows_line_ends_and_tabs_are_accepted()
    {
        CpuidDump dump = CpuidDump.Parse("CPU 0:\r\n\t0x00000000 0x00: eax=0x1 ebx=0x2 ecx=0x3 edx=0x4\r\n");
        Assert.That(dump.Read(0, 0), Is.EqualTo(new CpuidRegisters(1, 2, 3, 4)));
    }

    [Test]
    public void Random_damage_gives_a_dump_or_a_dump_error([Range(1, 40)] int seed)
    {
        var random = new Random(seed);
        char[] text = RecordedDump.Load("hyperv").Text.ToCharArray();
        for (int i = 0; i < 1 + random.Next(8); i++)
            text[random.Next(text.Length)] = (char)random.Next(128);
        string damaged = new(text, 0, random.Next(text.Length + 1));

        try
        {
            Assert.That(CpuidRules.Detect(CpuidDump.Parse(damaged)).Name, Is.Not.Empty);
        }
        catch (CpuidDumpException e)
        {
            Assert.That(e.Line, Is.InRange(1, damaged.Split('\n').Length));
        }
    }
}
