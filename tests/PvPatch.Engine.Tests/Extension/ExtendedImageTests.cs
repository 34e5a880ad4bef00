using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.Loader;
using PvPatch.Engine.Extension;
using PvPatch.Engine.Tests.PatchedCalls;
using ModuleDefinition = Mono.Cecil.ModuleDefinition;

namespace PvPatch.Engine.Tests.Extension;

/// <summary>Real images that get rows and a section keep everything that they had, as two readers that are not ours see it.</summary>
internal sealed class ExtendedImageTests
{
    private static readonly string[] Files = [.. RealAssemblies.Files, FixtureProgram.FileOf(FixtureProgram.Names[0]), typeof(ExtendedImageTests).Assembly.Location];

    [TestCaseSource(nameof(Files))]
    public void Metadata_without_additions_are_written_as_they_were_read(string file)
    {
        byte[] metadata = MetadataOf(File.ReadAllBytes(file));
        Assert.That(MetadataRoot.Read(metadata).ToBytes().AsSpan().SequenceEqual(metadata));
    }

    [TestCaseSource(nameof(Files))]
    public void An_extended_image_has_all_it_had(string file)
    {
        byte[] before = File.ReadAllBytes(file), after = Extended(before, rows: 3);
        using var one = new PEReader(new MemoryStream(before));
        using var two = new PEReader(new MemoryStream(after));
        AssertSame(one, two);
        Assert.That(two.GetMetadataReader().MemberReferences, Has.Count.EqualTo(one.GetMetadataReader().MemberReferences.Count + 3));
    }

    /// <summary>From 65,536 rows and heap bytes on, columns are twice as wide.</summary>
    [Test]
    public void An_image_whose_columns_widen_has_all_it_had()
    {
        byte[] before = File.ReadAllBytes(typeof(TestAttribute).Assembly.Location), after = Extended(before, rows: 70_000);
        using var one = new PEReader(new MemoryStream(before));
        using var two = new PEReader(new MemoryStream(after));
        AssertSame(one, two);
        Assert.That(MetadataRoot.Read(MetadataOf(after)).ToBytes().AsSpan().SequenceEqual(MetadataOf(after)));
    }

    [TestCaseSource(nameof(Files))]
    public void Cecil_reads_every_body_of_an_extended_image_as_before(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        using ModuleDefinition before = ModuleDefinition.ReadModule(new MemoryStream(bytes)), after = ModuleDefinition.ReadModule(new MemoryStream(Extended(bytes, rows: 3)));
        Assert.That(after.Mvid, Is.EqualTo(before.Mvid));
        Assert.That(BodiesOf(after), Is.EqualTo(BodiesOf(before)));
    }

    [Test]
    public void The_runtime_loads_an_extended_image()
    {
        var context = new AssemblyLoadContext("extended", isCollectible: true);
        Assembly linq = context.LoadFromStream(new MemoryStream(Extended(File.ReadAllBytes(typeof(Enumerable).Assembly.Location), rows: 3)));
        MethodInfo range = linq.GetType(typeof(Enumerable).FullName!, throwOnError: true)!.GetMethod(nameof(Enumerable.Range))!;
        Assert.That((IEnumerable<int>)range.Invoke(null, [3, 2])!, Is.EqualTo(new[] { 3, 4 }));
        context.Unload();
    }

    /// <summary>Whatever native code the image carries.</summary>
    [Test]
    public void The_runtime_runs_the_new_body_of_a_precompiled_method()
    {
        byte[] file = File.ReadAllBytes(typeof(Enumerable).Assembly.Location);
        using var pe = new PEReader(new MemoryStream(file));
        Assert.That(pe.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size, Is.Positive, "it is precompiled");
        MethodInfo range = typeof(Enumerable).GetMethod(nameof(Enumerable.Range))!;
        var image = ExtendedImage.Open(file);
        image.Metadata.Rows(Table.MethodDef)[range.MetadataToken & 0xFFFFFF, 0] = (uint)image.Section.Add([0x0A, 0x14, 0x2A]); // tiny header: ldnull; ret
        var context = new AssemblyLoadContext("rewritten", isCollectible: true);
        Assembly linq = context.LoadFromStream(new MemoryStream(image.ToBytes()));
        Assert.That(linq.GetType(typeof(Enumerable).FullName!, throwOnError: true)!.GetMethod(nameof(Enumerable.Range))!.Invoke(null, [3, 2]), Is.Null);
        context.Unload();
    }

    [Test]
    public void A_signature_that_no_longer_fits_is_not_claimed()
    {
        byte[] before = File.ReadAllBytes(typeof(ModuleDefinition).Assembly.Location);
        using var one = new PEReader(new MemoryStream(before));
        using var two = new PEReader(new MemoryStream(Extended(before, rows: 1)));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(one.PEHeaders.CorHeader!.Flags.HasFlag(CorFlags.StrongNameSigned));
            Assert.That(two.PEHeaders.CorHeader!.Flags.HasFlag(CorFlags.StrongNameSigned), Is.False);
            Assert.That(PublicKeyOf(two), Is.EqualTo(PublicKeyOf(one)).And.Not.Empty);
        }

        static byte[] PublicKeyOf(PEReader image) => image.GetMetadataReader().GetBlobBytes(image.GetMetadataReader().GetAssemblyDefinition().PublicKey);
    }

    [Test]
    public void Damaged_metadata_are_refused_by_one_exception()
    {
        const int Seed = 20261122, Rounds = 3000;
        var random = new Random(Seed);
        byte[] sound = MetadataOf(File.ReadAllBytes(FixtureProgram.FileOf(FixtureProgram.Names[1])));
        int refused = 0;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] mutated = round % 5 == 0 ? sound[..random.Next(sound.Length)] : [.. sound];
            for (int flips = random.Next(1, 5); flips > 0 && mutated.Length > 0; flips--)
                mutated[random.Next(Math.Min(round % 2 == 0 ? 400 : mutated.Length, mutated.Length))] ^= (byte)(1 << random.Next(8));
            try
            {
                MetadataRoot root = MetadataRoot.Read(mutated);
                root.AddText("more");
                root.ToBytes();
            }
            catch (InvalidDataException)
            {
                refused++;
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {Seed}, round {round}: {e}");
            }
        }

        TestContext.Out.WriteLine($"{refused} of {Rounds} mutations refused");
        Assert.That(refused, Is.InRange(100, Rounds - 100));
    }

    private static byte[] Extended(byte[] file, int rows)
    {
        var image = ExtendedImage.Open(file);
        for (int i = 0; i < rows; i++)
            image.Metadata.Rows(Table.MemberRef).Add(TableColumns.MemberRefParent.CodeOf(Table.TypeDef, 1), image.Metadata.AddText($"Added{i}"), image.Metadata.AddBlob([0, 0, 1]));
        return image.ToBytes();
    }

    private static byte[] MetadataOf(byte[] file)
    {
        using var image = new PEReader(new MemoryStream(file));
        return [.. image.GetMetadata().GetContent()];
    }

    private static void AssertSame(PEReader before, PEReader after)
    {
        MetadataReader one = before.GetMetadataReader(), two = after.GetMetadataReader();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(two.GetGuid(two.GetModuleDefinition().Mvid), Is.EqualTo(one.GetGuid(one.GetModuleDefinition().Mvid)));
            Assert.That(MethodsOf(after), Is.EqualTo(MethodsOf(before)));
            Assert.That(AttributesOf(two), Is.EqualTo(AttributesOf(one)));
            Assert.That(two.TypeDefinitions.Select(t => two.GetString(two.GetTypeDefinition(t).Name)), Is.EqualTo(one.TypeDefinitions.Select(t => one.GetString(one.GetTypeDefinition(t).Name))));
            Assert.That(two.FieldDefinitions.Select(f => two.GetFieldDefinition(f).GetRelativeVirtualAddress()), Is.EqualTo(one.FieldDefinitions.Select(f => one.GetFieldDefinition(f).GetRelativeVirtualAddress())));
            Assert.That(two.ManifestResources.Select(r => two.GetManifestResource(r).Offset), Is.EqualTo(one.ManifestResources.Select(r => one.GetManifestResource(r).Offset)));
            Assert.That(two.ExportedTypes.Select(t => two.GetString(two.GetExportedType(t).Name)), Is.EqualTo(one.ExportedTypes.Select(t => one.GetString(one.GetExportedType(t).Name))));
            Assert.That(after.ReadDebugDirectory().Select(d => (d.Type, d.DataSize, d.DataRelativeVirtualAddress)), Is.EqualTo(before.ReadDebugDirectory().Select(d => (d.Type, d.DataSize, d.DataRelativeVirtualAddress))));
            Assert.That(after.ReadDebugDirectory().Where(d => d.Type == DebugDirectoryEntryType.CodeView).Select(d => after.ReadCodeViewDebugDirectoryData(d).Guid),
                Is.EqualTo(before.ReadDebugDirectory().Where(d => d.Type == DebugDirectoryEntryType.CodeView).Select(d => before.ReadCodeViewDebugDirectoryData(d).Guid)));
        }
    }

    private static List<(string Name, int Address, string Signature, string Il)> MethodsOf(PEReader image)
    {
        MetadataReader metadata = image.GetMetadataReader();
        return
        [
            .. metadata.MethodDefinitions.Select(h => metadata.GetMethodDefinition(h)).Select(m => (metadata.GetString(m.Name), m.RelativeVirtualAddress,
                Convert.ToHexString(metadata.GetBlobBytes(m.Signature)),
                m.RelativeVirtualAddress == 0 || m.ImplAttributes.HasFlag(System.Reflection.MethodImplAttributes.Native) ? "" : Convert.ToHexString(image.GetMethodBody(m.RelativeVirtualAddress).GetILBytes()!))),
        ];
    }

    private static List<(EntityHandle Parent, EntityHandle Constructor, string Value)> AttributesOf(MetadataReader metadata) =>
        [.. metadata.CustomAttributes.Select(metadata.GetCustomAttribute).Select(a => (a.Parent, a.Constructor, Convert.ToHexString(metadata.GetBlobBytes(a.Value))))];

    private static List<string> BodiesOf(ModuleDefinition module) =>
        [.. module.GetTypes().SelectMany(t => t.Methods).Where(m => m.HasBody).Select(m => $"{m.FullName} {m.MetadataToken} {string.Join(';', m.Body.Instructions)} {m.Body.ExceptionHandlers.Count}")];
}
