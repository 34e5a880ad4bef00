using Iced.Intel;
using PvPatch.Oracle.Cases;
using PvPatch.Oracle.Generation;
using PvPatch.Oracle.Judgement;

namespace PvPatch.Emulator.Tests.Oracle;

/// <summary>The generator of cases knows all forms with a VEX prefix, also those that the emulator has no rows for.</summary>
public sealed class VexFormTests
{
    private const int Tries = 500;

    private static readonly Code[] Forms =
    [
        .. Enum.GetValues<Code>().Where(code =>
        {
            OpCodeInfo info = code.ToOpCode();
            return info.Encoding == EncodingKind.VEX && info.Mode64 && code.CpuidFeatures().Any(feature => feature is
                CpuidFeature.AVX or CpuidFeature.AVX2 or CpuidFeature.FMA or CpuidFeature.F16C or CpuidFeature.BMI1 or CpuidFeature.BMI2 or
                CpuidFeature.VAES or CpuidFeature.VPCLMULQDQ or CpuidFeature.GFNI);
        }),
    ];

    [Test]
    public void Every_form_is_encoded_in_most_tries()
    {
        var random = new CaseRandom(1);
        var bytes = new InstructionBytes(random, new CornerValues(random));
        Assert.Multiple(() =>
        {
            foreach (Code code in Forms)
            {
                int encoded = Enumerable.Range(0, Tries).Count(i => bytes.TryEncode(code, out _));
                Assert.That(encoded, Is.GreaterThan(Tries / 2), $"{code}");
            }
        });
        TestContext.Out.WriteLine($"{Forms.Length} forms");
    }

    [Test]
    public void Both_lengths_of_the_prefix_are_used()
    {
        var random = new CaseRandom(1);
        var bytes = new InstructionBytes(random, new CornerValues(random));
        var seen = new HashSet<byte>();
        for (int i = 0; i < Tries; i++)
        {
            if (bytes.TryEncode(Code.VEX_Vaddps_ymm_ymm_ymmm256, out _))
                seen.Add(bytes.Bytes[0]);
        }

        Assert.That(seen, Is.SupersetOf(new byte[] { 0xc4, 0xc5 }));
    }

    [Test]
    public void Every_form_makes_cases()
    {
        Assert.Multiple(() =>
        {
            foreach (Code code in Forms.Where(code => UndefinedResults.WhyNot(code) is null))
            {
                var generator = new CaseGenerator(new CaseRandom(1), [code]);
                Assert.That(generator.Next().Single.Code, Is.EqualTo(code));
            }
        });
    }

    [Test]
    public void Most_elements_of_gathers_lie_in_the_windows([Values(
        Code.VEX_Vpgatherdd_ymm_vm32y_ymm, Code.VEX_Vpgatherdq_ymm_vm32x_ymm, Code.VEX_Vgatherqps_xmm_vm64y_xmm, Code.VEX_Vgatherqpd_xmm_vm64x_xmm)] Code code)
    {
        const int Cases = 200;
        var generator = new CaseGenerator(new CaseRandom(1), [code]);
        int all = 0;
        int inside = 0;
        for (int i = 0; i < Cases; i++)
        {
            MachineCase given = generator.Next();
            GatherShape gather = GatherShape.Of(given.Single)!.Value;
            for (int element = 0; element < gather.Count; element++)
            {
                all++;
                ulong address = CaseAddresses.Effective(given.Single, given, element);
                if (CaseLayout.Windows.Any(window => address >= window.Address && address + (ulong)gather.Size <= window.Address + (ulong)window.Size))
                    inside++;
            }
        }

        Assert.That(inside, Is.InRange(all * 3 / 4, all - 1));
    }

    [Test]
    public void Sequences_take_most_forms()
    {
        const int Sequences = 1000;
        var generator = new SequenceGenerator(new CaseRandom(1), Forms);
        var seen = new HashSet<Code>();
        for (int i = 0; i < Sequences; i++)
            seen.UnionWith(generator.Next().Case.Instructions.Select(instruction => instruction.Code));
        Assert.That(Forms.Count(seen.Contains), Is.GreaterThan(Forms.Length * 9 / 10));
    }
}
