using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using PvPatch.Engine.Il;
using PvPatch.Engine.PatchedCalls;
using PvPatch.Engine.PatchedCalls.Flow;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.PatchedCalls.Loaded;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.PatchedCalls.InPlace;

/// <summary>Assemblies that the host loaded itself, patched where they lie.</summary>
internal sealed class InPlaceWayTests
{
    private static readonly string Release = FixtureProgram.Names[1];

    [Test]
    public void Every_method_gives_the_same_value_and_calls_through_no_slot_that_its_name_excludes(
        [ValueSource(typeof(FixtureProgram), nameof(FixtureProgram.Names))] string fixture,
        [ValueSource(typeof(LoadedProgram), nameof(LoadedProgram.Loadings))] Loading loading)
    {
        var outcome = WholeProgram.Run(fixture, loading);
        TestContext.Out.WriteLine(outcome);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(outcome.Wrong, Is.Empty);
            Assert.That(outcome.Methods, Is.GreaterThan(70));
            Assert.That(outcome.Direct, Is.GreaterThan(45));
        }
    }

    [Test]
    public void The_rows_are_those_of_the_file_where_nothing_grows(
        [ValueSource(typeof(FixtureProgram), nameof(FixtureProgram.Names))] string fixture,
        [ValueSource(typeof(LoadedProgram), nameof(LoadedProgram.Loadings))] Loading loading)
    {
        FixtureProgram inFile = FixtureProgram.Of(fixture);
        var program = LoadedProgram.Load(fixture, loading);
        using LivePatch patch = program.Apply();
        using var image = ModuleImage.Open(File.ReadAllBytes(inFile.File), inFile.File);
        IEnumerable<PatchedSite> expected = new ModuleSites(image, inFile.Table, new SlotTree(inFile.Table.Ops), PatchWay.Image).Rows.Where(s => s.Op is not "stubborn.by_hand");
        Assert.That(
            patch.Report.Sites.Where(s => s.Op is not "stubborn.by_hand").Select(s => $"{s.MethodToken:x} {s.IlOffset} {s.Op}: {s.Replacement} {s.After}"),
            Is.EqualTo(expected.Select(s => $"{s.MethodToken:x} {s.IlOffset} {s.Op}: {s.Replacement} {s.After}")));
        Assert.That(patch.Report.Sites.Where(s => s.State != SiteState.Left).Select(s => s.Way), Is.All.EqualTo(PatchWay.InPlace));
        Assert.That(patch.Refusals, Is.Empty);
    }

    [Test]
    public void What_was_compiled_before_is_deferred_and_still_calls_through_its_slot(
        [ValueSource(typeof(LoadedProgram), nameof(LoadedProgram.Loadings))] Loading loading)
    {
        var program = LoadedProgram.Load(Release, loading);
        Func<long, long> old = program.Shape("OneArgument_Direct"), young = program.Shape("ThroughLocal_Direct");
        Assert.That(program.CallsThroughSlots(old), Is.EqualTo(1));

        using LivePatch patch = program.Apply();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(RowOf(patch, ".OneArgument_Direct").State, Is.EqualTo(SiteState.Deferred));
            Assert.That(RowOf(patch, ".OneArgument_Direct").Reason, Does.StartWith("compiled before"));
            Assert.That(RowOf(patch, ".ThroughLocal_Direct").State, Is.EqualTo(SiteState.Patched));
            Assert.That(program.CallsThroughSlots(old), Is.EqualTo(1));
            Assert.That(program.CallsThroughSlots(young), Is.Zero);
            Assert.That(old(5), Is.EqualTo(-5));
            Assert.That(young(5), Is.EqualTo(-5));
        }
    }

    [Test]
    public void Virtual_and_generic_methods_are_told_apart_from_those_never_compiled()
    {
        var program = LoadedProgram.Load(Release, Loading.Stream);
        program.Function("PvPatch.Engine.Fixtures.Places", "InVirtualMethod_Direct")(5);
        program.Function("PvPatch.Engine.Fixtures.Places", "InGenericMethod_Direct")(5);
        using LivePatch patch = program.Apply();
        PatchedSite called = patch.Report.Sites.Single(s => s.Method.Contains("IPlace.InVirtualMethod_Direct", StringComparison.Ordinal));
        PatchedSite generic = patch.Report.Sites.First(s => s.Method.Contains("<InGenericMethod_Direct>", StringComparison.Ordinal));
        PatchedSite neverCalled = patch.Report.Sites.First(s => s.Method.Contains("InGenericClass_Direct`1", StringComparison.Ordinal));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(called.Reason, Does.StartWith("compiled before"));
            Assert.That(generic.Reason, Is.EqualTo("generic: an instantiation may have been compiled before"));
            Assert.That(neverCalled.State, Is.EqualTo(SiteState.Patched), neverCalled.Reason);
        }
    }

    [Test]
    public void Restore_puts_every_byte_back(
        [ValueSource(typeof(FixtureProgram), nameof(FixtureProgram.Names))] string fixture,
        [ValueSource(typeof(LoadedProgram), nameof(LoadedProgram.Loadings))] Loading loading)
    {
        var program = LoadedProgram.Load(fixture, loading);
        byte[] before = BytesOf(program.Assembly);
        using LivePatch patch = program.Apply();
        byte[] patched = BytesOf(program.Assembly);
        patch.Restore();
        byte[] after = BytesOf(program.Assembly);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(patched, Is.Not.EqualTo(before));
            Assert.That(after, Is.EqualTo(before));
            Assert.That(before, Is.EqualTo(File.ReadAllBytes(FixtureProgram.FileOf(fixture))));
            Assert.That(program.CallsThroughSlots(program.Shape("OneArgument_Direct")), Is.EqualTo(1));
            Assert.That(patch.Restore, Throws.Nothing, "a second time");
        }
    }

    [Test]
    public void Restore_touches_nothing_that_someone_else_has_changed_since()
    {
        var program = LoadedProgram.Load(Release, Loading.Stream);
        using LivePatch patch = program.Apply();
        PatchedSite row = RowOf(patch, ".OneArgument_Direct");
        byte[] patched = BytesOf(program.Assembly);
        using (var image = LoadedImage.Of(program.Assembly))
        {
            var handle = (MethodDefinitionHandle)System.Reflection.Metadata.Ecma335.MetadataTokens.EntityHandle(row.MethodToken);
            DataPages.Write([new PlacedBytes(image.Start + image.Module.BodyOf(handle).Offset, [0])]);
        }

        byte[] changed = BytesOf(program.Assembly);
        Assert.That(patched, Is.EqualTo(changed), "a nop written over a nop is no change");
        WriteFirstByte(program.Assembly, row.MethodToken, 0x14);
        Assert.That(patch.Restore, Throws.InstanceOf<PatchException>().With.Property(nameof(PatchException.Error)).EqualTo(PatchError.NotAsPlanned));
        WriteFirstByte(program.Assembly, row.MethodToken, 0);
        Assert.That(patch.Restore, Throws.Nothing);
    }

    [Test]
    public void Page_protections_are_as_before_and_no_page_is_writable_and_executable(
        [ValueSource(typeof(LoadedProgram), nameof(LoadedProgram.Loadings))] Loading loading)
    {
        var program = LoadedProgram.Load(Release, loading);
        string[] before = RightsOf(program.Assembly);
        using LivePatch patch = program.Apply();
        string[] patched = RightsOf(program.Assembly);
        patch.Restore();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(before.Distinct(StringComparer.Ordinal), Is.EqualTo(new[] { loading == Loading.Path ? "r--" : "rw-" }));
            Assert.That(patched, Is.EqualTo(before));
            Assert.That(RightsOf(program.Assembly), Is.EqualTo(before));
        }
    }

    [Test]
    public void Pages_of_an_image_that_is_mapped_as_code_are_replaced_and_stay_so()
    {
        nint metadata = LoadedImage.MetadataOf(typeof(System.Collections.Immutable.ImmutableList).Assembly);
        string before = MemoryMap.Read().At(metadata)!.Rights;
        Assert.That(before, Does.StartWith("r-x"), "the runtime's own libraries are precompiled");
        PlacedBytes bytes = DataPages.Read(metadata, 10_000);
        DataPages.Write([bytes]);
        Assert.That(MemoryMap.Read().At(metadata)!.Rights, Is.EqualTo(before));
        Assert.That(DataPages.Hold(bytes), Is.True);
        Assert.That(System.Collections.Immutable.ImmutableList.Create(1, 2, 3).Add(4).Sum(), Is.EqualTo(10));
    }

    [Test]
    public void Precompiled_methods_are_known_by_their_tables()
    {
        MethodBase[] methods = [.. typeof(System.Collections.Immutable.ImmutableList).Assembly.GetTypes().Where(t => !t.IsGenericType)
            .SelectMany(t => t.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Where(m => !m.IsGenericMethod && m.GetMethodBody() is not null)];
        int precompiled = methods.Count(PrecompiledMethods.Has);
        TestContext.Out.WriteLine($"{precompiled} of {methods.Length} methods are precompiled");
        var program = LoadedProgram.Load(Release, Loading.Path);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(precompiled, Is.InRange(methods.Length / 2, methods.Length - 1), "most are, and those that cannot be are not");
            Assert.That(FixtureProgram.Cases(program.Assembly).Any(PrecompiledMethods.Has), Is.False);
        }
    }

    [Test]
    public void Every_loaded_image_is_found()
    {
        int found = 0;
        foreach (Assembly assembly in AppDomain.CurrentDomain.GetAssemblies().Where(a => !a.IsDynamic))
        {
            using var image = LoadedImage.Of(assembly);
            Assert.That(image.Module.AssemblyName, Is.EqualTo(assembly.GetName().Name));
            found++;
        }

        Assert.That(found, Is.GreaterThan(20));
    }

    private static PatchedSite RowOf(LivePatch patch, string method) =>
        patch.Report.Sites.Single(s => s.Method.EndsWith(method, StringComparison.Ordinal));

    private static void WriteFirstByte(Assembly assembly, int token, byte value)
    {
        using var image = LoadedImage.Of(assembly);
        var handle = (MethodDefinitionHandle)System.Reflection.Metadata.Ecma335.MetadataTokens.EntityHandle(token);
        DataPages.Write([new PlacedBytes(image.Start + image.Module.BodyOf(handle).Offset, [value])]);
    }

    private static byte[] BytesOf(Assembly assembly)
    {
        using var image = LoadedImage.Of(assembly);
        using var file = new PEReader(new MemoryStream(File.ReadAllBytes(FixtureProgram.FileOf(assembly.GetName().Name!))));
        return DataPages.Read(image.Start, file.PEHeaders.SectionHeaders.Max(s => s.PointerToRawData + s.SizeOfRawData)).Bytes;
    }

    /// <summary>What may be done with each page of an image.</summary>
    private static string[] RightsOf(Assembly assembly)
    {
        using var image = LoadedImage.Of(assembly);
        var map = MemoryMap.Read();
        int length = BytesOf(assembly).Length;
        return [.. Enumerable.Range(0, (length + Environment.SystemPageSize - 1) / Environment.SystemPageSize)
            .Select(i => map.At(image.Start + (i * Environment.SystemPageSize))!.Rights[..3])];
    }
}
