using System.Diagnostics;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using PvPatch.Engine.Extension;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.PatchedCalls.Metadata;

/// <summary>What a debugger knows of methods that have grown.</summary>
internal sealed class MovedSymbolsTests
{
    private static readonly string Debug = FixtureProgram.Names[0];

    /// <summary>Every instruction that starts a line before does so after, as the runtime's own reader of PDBs sees it.</summary>
    [TestCaseSource(typeof(FixtureProgram), nameof(FixtureProgram.Names))]
    public void Lines_scopes_and_steps_follow_their_instructions(string fixture)
    {
        FixtureProgram program = FixtureProgram.Of(fixture);
        PlannedImage image = program.Plan.Images.Single();
        using var before = MetadataReaderProvider.FromPortablePdbImage([.. File.ReadAllBytes(Path.ChangeExtension(program.File, ".pdb"))]);
        using var after = MetadataReaderProvider.FromPortablePdbImage([.. image.Symbols.Pdb!]);
        using var old = new PEReader(new MemoryStream(File.ReadAllBytes(program.File)));
        MetadataReader one = before.GetMetadataReader(), two = after.GetMetadataReader();
        int moved = 0, others = 0;
        foreach (MethodDefinitionHandle method in old.GetMetadataReader().MethodDefinitions)
        {
            byte[]? grown = image.Methods.FirstOrDefault(m => m.Body.Token == MetadataTokens.GetToken(method))?.Il;
            SequencePoint[] was = [.. one.GetMethodDebugInformation(method).GetSequencePoints()], now = [.. two.GetMethodDebugInformation(method).GetSequencePoints()];
            Assert.That(now.Select(p => (p.StartLine, p.StartColumn, p.EndLine, p.EndColumn)), Is.EqualTo(was.Select(p => (p.StartLine, p.StartColumn, p.EndLine, p.EndColumn))));
            int address = old.GetMetadataReader().GetMethodDefinition(method).RelativeVirtualAddress;
            if (address == 0)
                continue;
            byte[] il = old.GetMethodBody(address).GetILBytes()!;
            if (grown is null || grown.Length == il.Length)
            {
                Assert.That(now.Select(p => p.Offset), Is.EqualTo(was.Select(p => p.Offset)));
                continue;
            }

            moved++;
            int[] starts = [.. Engine.Il.IlReader.Decode(grown).Select(i => i.Offset)];
            Assert.That(now.Select(p => p.Offset), Is.Ordered.And.SubsetOf(starts));
            foreach (LocalScope scope in two.GetLocalScopes(method).Select(two.GetLocalScope))
                Assert.That(starts.Append(grown.Length), Does.Contain(scope.StartOffset).And.Contain(scope.EndOffset));
            foreach (int offset in two.GetCustomDebugInformation(method).Select(two.GetCustomDebugInformation).SelectMany(i => OffsetsIn(two.GetGuid(i.Kind), two.GetBlobReader(i.Value))))
            {
                Assert.That(starts.Append(grown.Length), Does.Contain(offset));
                others++;
            }

            Assert.That(two.GetLocalScopes(method).Select(two.GetLocalScope).Max(s => s.EndOffset), Is.EqualTo(grown.Length));
        }

        Assert.That(Math.Min(moved, others), Is.GreaterThan(10));
    }

    /// <summary>Not by another copy of the fixture: the line that the runtime says is the line in the source.</summary>
    [TestCaseSource(typeof(FixtureProgram), nameof(FixtureProgram.Names))]
    public void A_stack_trace_through_a_method_that_has_grown_names_the_line(string fixture)
    {
        FixtureProgram program = FixtureProgram.Of(fixture);
        int[] lines = [.. new[] { program.Unpatched, program.Patched }.Select(copy => LineOfThrow(copy))];
        Assert.That(lines[0], Is.Positive);
        Assert.That(lines[1], Is.EqualTo(lines[0]));
        Assert.That(program.Plan.Report.Sites.Where(s => s.Method.EndsWith("ThrowsAfterGrowth_Metadata", StringComparison.Ordinal)).Select(s => s.Way), Is.Not.Empty.And.All.EqualTo(PatchWay.Metadata));
    }

    [Test]
    public void An_embedded_PDB_moves_too()
    {
        string file = Embedded(Debug);
        FixtureProgram program = FixtureProgram.Of(Debug);
        PatchPlan plan = Patcher.Plan(program.Table, [file]);
        Assert.That(plan.Notes, Is.Empty);
        using ImageSet set = ImageSet.Load(plan);
        Assert.That(LineOfThrow(set[Debug]), Is.EqualTo(LineOfThrow(program.Unpatched)));
    }

    [TestCase("another", "belongs to another build of")]
    [TestCase("cut", "cannot be read: ")]
    [TestCase("text", "cannot be read: its metadata have no signature")]
    [TestCase("windows", "has the Windows format, whose lines cannot follow code that moves")]
    [TestCase("flipped", null)]
    public void A_PDB_that_cannot_be_used_is_told_and_not_used(string how, string? expected)
    {
        string folder = Directory.CreateTempSubdirectory("pvpatch-pdb-").FullName;
        string file = Path.Combine(folder, $"{Debug}.dll"), symbols = Path.ChangeExtension(file, ".pdb");
        File.Copy(FixtureProgram.FileOf(Debug), file);
        byte[] sound = File.ReadAllBytes(Path.ChangeExtension(FixtureProgram.FileOf(Debug), ".pdb"));
        File.WriteAllBytes(symbols, how switch
        {
            "another" => File.ReadAllBytes(Path.ChangeExtension(FixtureProgram.FileOf(FixtureProgram.Names[1]), ".pdb")),
            "cut" => sound[..(sound.Length / 3)],
            "text" => "not symbols at all, only a line of text"u8.ToArray(),
            "windows" => [.. "Microsoft C/C++ MSF 7.00\r\n\u001aDS\0\0\0"u8],
            _ => Flipped(sound),
        });
        FixtureProgram program = FixtureProgram.Of(Debug);
        PatchPlan plan = Patcher.Plan(program.Table, [file]);
        if (expected is not null)
            Assert.That(plan.Notes, Has.One.Items.And.All.StartsWith($"{Debug}.pdb {expected}").And.All.EndsWith("; stack traces show no lines of it."));
        using ImageSet set = ImageSet.Load(plan);
        FixtureProgram.TableOf(set[Debug]).InstallFrom(program.Table);
        Assert.That(() => LineOfThrow(set[Debug]), Throws.Nothing);
    }

    [Test]
    public void A_PDB_damaged_in_thousands_of_ways_never_ends_otherwise_than_by_a_note()
    {
        const int Seed = 20261122, Rounds = 2000;
        var random = new Random(Seed);
        byte[] sound = File.ReadAllBytes(Path.ChangeExtension(FixtureProgram.FileOf(Debug), ".pdb"));
        var moves = Enumerable.Range(1, 200).ToDictionary(row => row, _ => (Func<int, int>)(offset => offset + (offset / 3)));
        int refused = 0;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] mutated = [.. sound];
            for (int flips = random.Next(1, 30); flips > 0; flips--)
                mutated[random.Next(round % 2 == 0 ? 600 : mutated.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                var root = MetadataRoot.Read(mutated);
                MovedSymbols.Move(root, moves);
                root.ToBytes();
            }
            catch (Exception e) when (Engine.Il.Damage.IsShownBy(e))
            {
                refused++;
            }
        }

        TestContext.Out.WriteLine($"{refused} of {Rounds} mutations refused");
        Assert.That(refused, Is.InRange(100, Rounds - 100));
    }

    /// <summary>The offsets in the two kinds of records that have some (Portable PDB format).</summary>
    private static List<int> OffsetsIn(Guid kind, BlobReader blob)
    {
        var offsets = new List<int>();
        if (kind == new Guid("6DA9A61E-F8C7-4874-BE62-68BC5630DF71"))
        {
            while (blob.RemainingBytes > 0)
            {
                int start = blob.ReadInt32();
                offsets.AddRange([start, start + blob.ReadInt32()]);
            }
        }
        else if (kind == new Guid("54FD2AC5-E925-401A-9C2A-F94F171072F8"))
        {
            if (blob.ReadInt32() is > 0 and var handler)
                offsets.Add(handler - 1);
            while (blob.RemainingBytes > 0)
            {
                offsets.AddRange([blob.ReadInt32(), blob.ReadInt32()]);
                blob.ReadCompressedInteger();
            }
        }

        return offsets;
    }

    private static byte[] Flipped(byte[] pdb)
    {
        byte[] flipped = [.. pdb];
        for (int i = flipped.Length * 3 / 4; i < flipped.Length; i += 7)
            flipped[i] ^= 0x55;
        return flipped;
    }

    private static int LineOfThrow(Assembly copy)
    {
        MethodInfo method = copy.GetType("PvPatch.Engine.Fixtures.Growths", throwOnError: true)!.GetMethod("ThrowsAfterGrowth_Metadata")!;
        try
        {
            method.CreateDelegate<Func<long, long>>()(-7);
        }
        catch (InvalidOperationException e)
        {
            return new StackTrace(e, fNeedFileInfo: true).GetFrames().First(f => f.GetMethod()!.Name.Equals(method.Name, StringComparison.Ordinal)).GetFileLineNumber();
        }

        return 0;
    }

    /// <summary>A copy of a fixture with its PDB within.</summary>
    private static string Embedded(string fixture)
    {
        string file = Path.Combine(Directory.CreateTempSubdirectory("pvpatch-embedded-").FullName, $"{fixture}.dll");
        using var assembly = Mono.Cecil.AssemblyDefinition.ReadAssembly(FixtureProgram.FileOf(fixture), new Mono.Cecil.ReaderParameters { ReadSymbols = true });
        assembly.Write(file, new Mono.Cecil.WriterParameters { SymbolWriterProvider = new Mono.Cecil.Cil.EmbeddedPortablePdbWriterProvider() });
        return file;
    }
}
