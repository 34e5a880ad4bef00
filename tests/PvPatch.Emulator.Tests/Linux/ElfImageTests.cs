using System.Globalization;
using Iced.Intel;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Linux.Elf;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Linux;

public sealed class ElfImageTests
{
    private const int Mutations = 100_000;

    private static readonly byte[] Good = ElfProgram.Assemble(Hello);

    /// <summary>Place, bytes of the number, its value, and what is wrong then.</summary>
    private static readonly object[][] Headers =
    [
        [0, 1, 0x7eul, ElfError.NotElf],
        [4, 1, 1ul, ElfError.WrongClass],
        [5, 1, 2ul, ElfError.WrongByteOrder],
        [6, 1, 2ul, ElfError.WrongVersion],
        [7, 1, 9ul, ElfError.WrongSystem],
        [16, 2, 1ul, ElfError.WrongType],
        [16, 2, 4ul, ElfError.WrongType],
        [18, 2, 183ul, ElfError.WrongMachine],
        [20, 4, 7ul, ElfError.WrongVersion],
        [24, 8, 0x10ul, ElfError.BadEntry],
        [32, 8, ulong.MaxValue, ElfError.Truncated],
        [54, 2, 32ul, ElfError.BadProgramHeaders],
        [56, 2, 0ul, ElfError.BadProgramHeaders],
        [56, 2, 0xfffful, ElfError.BadProgramHeaders],
        [56, 2, 900ul, ElfError.Truncated],
        [64, 4, 3ul, ElfError.Dynamic],
        [64, 4, 4ul, ElfError.NothingToLoad],
        [72, 8, 0x1000_0000ul, ElfError.Truncated],
        [80, 8, 0x40_0001ul, ElfError.BadSegment],
        [80, 8, 0xffff_ffff_ffff_f000ul, ElfError.SegmentOutOfRange],
        [80, 8, 0x1000ul, ElfError.SegmentOutOfRange],
        [96, 8, ulong.MaxValue, ElfError.BadSegment],
        [104, 8, 1ul, ElfError.BadSegment],
        [104, 8, ulong.MaxValue, ElfError.SegmentOutOfRange],
    ];

    [TestCaseSource(nameof(Headers))]
    public void An_absurd_header_is_refused(int place, int size, ulong value, ElfError expected)
    {
        byte[] file = (byte[])Good.Clone();
        BitConverter.GetBytes(value).AsSpan(0, size).CopyTo(file.AsSpan(place));
        ElfException refused = Assert.Throws<ElfException>(() => ElfImage.Read(file))!;
        Assert.That(refused.Error, Is.EqualTo(expected), refused.Message);
    }

    [Test]
    public void Every_truncation_is_refused()
    {
        for (int length = 0; length < Good.Length; length++)
        {
            byte[] file = Good[..length];
            Assert.That(() => ElfImage.Read(file), Throws.TypeOf<ElfException>(), $"{length} bytes");
        }
    }

    [Test]
    public void Segments_that_share_a_page_are_refused()
    {
        byte[] file = new byte[Good.Length + 0x1000];
        Good.CopyTo(file, 0);
        file[56] = 2;
        Good.AsSpan(64, 56).CopyTo(file.AsSpan(120));
        Assert.That(() => ElfImage.Read(file), Throws.TypeOf<ElfException>().With.Property("Error").EqualTo(ElfError.OverlappingSegments));
    }

    [Test]
    public void Flipped_bits_give_an_error_or_a_run_that_ends()
    {
        int seed = Environment.GetEnvironmentVariable("PVPATCH_FUZZ_SEED") is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : 20261122;
        TestContext.Out.WriteLine($"seed {seed}, {Mutations} mutations");
        var random = new Random(seed);
        int ran = 0;
        for (int i = 0; i < Mutations; i++)
        {
            byte[] file = (byte[])Good.Clone();
            for (int flips = random.Next(1, 5); flips > 0; flips--)
                file[random.Next(file.Length)] ^= (byte)(1 << random.Next(8));
            if (random.Next(8) == 0)
                file = file[..random.Next(file.Length)];
            try
            {
                ElfProgram.Run(ExecutionTier.Interpreted, file, maxInstructions: 2000, [], Stream.Null);
                ran++;
            }
            catch (ElfException)
            {
                // The expected way to refuse a file; any other exception fails the test.
            }
        }

        TestContext.Out.WriteLine($"{ran} ran");
        Assert.That(ran, Is.InRange(1, Mutations - 1));
    }

    private static void Hello(Assembler a)
    {
        Label text = a.CreateLabel();
        Label again = a.CreateLabel();
        a.mov(ebx, 3);
        a.Label(ref again);
        a.mov(edi, 1);
        a.lea(rsi, __[text]);
        a.mov(edx, 6);
        a.mov(eax, 1);
        a.syscall();
        a.dec(ebx);
        a.jne(again);
        a.xor(edi, edi);
        a.mov(eax, 60);
        a.syscall();
        a.Label(ref text);
        a.db("hello\n"u8.ToArray());
    }
}
