using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Runtime.Loader;
using Mono.Cecil.Cil;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.Reports;
using PvPatch.Engine.Tests.PatchedCalls.InPlace;
using Cecil = Mono.Cecil;

namespace PvPatch.Engine.Tests.PatchedCalls.Metadata;

/// <summary>What obfuscators do to code and metadata: the sites are patched all the same, or left with a reason, and every value stays.</summary>
internal sealed class ObfuscatedImageTests
{
    private const string Hidden = "Hidden";

    private static readonly string Fixture = FixtureProgram.Names[1];

    /// <summary>A method with one site, <c>x</c> to <c>-x</c> and one more, between what an obfuscator adds; how many of its sites must be patched.</summary>
    private static IEnumerable<TestCaseData> Bodies =>
    [
        Body("Unreachable code with a stack of its own is no hindrance", 1, (il, call) =>
        {
            Instruction start = il.Create(OpCodes.Nop);
            il.Emit(OpCodes.Br, start);
            il.Emit(OpCodes.Pop);
            il.Emit(OpCodes.Add);
            il.Emit(OpCodes.Throw);
            il.Append(start);
            il.Emit(OpCodes.Ldarg_0);
            call();
        }),
        Body("Jumps back and forth over the site are followed", 1, (il, call) =>
        {
            Instruction first = il.Create(OpCodes.Nop), second = il.Create(OpCodes.Nop), end = il.Create(OpCodes.Nop);
            il.Emit(OpCodes.Br, first);
            il.Append(second);
            call();
            il.Emit(OpCodes.Br, end);
            il.Append(first);
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Br, second);
            il.Append(end);
        }),
        Body("A predicate that is always true stands before the site", 1, (il, call) =>
        {
            Instruction real = il.Create(OpCodes.Nop), end = il.Create(OpCodes.Nop);
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Mul);
            il.Emit(OpCodes.Ldc_I4_M1);
            il.Emit(OpCodes.Conv_I8);
            il.Emit(OpCodes.Bge, real);
            il.Emit(OpCodes.Ldc_I4_S, (sbyte)42);
            il.Emit(OpCodes.Conv_I8);
            il.Emit(OpCodes.Mul);
            il.Emit(OpCodes.Br, end);
            il.Append(real);
            call();
            il.Append(end);
        }),
        Body("A loop over a switch hands the site out piece by piece", 1, (il, call) =>
        {
            VariableDefinition state = new(il.Body.Method.Module.TypeSystem.Int32), value = new(il.Body.Method.Module.TypeSystem.Int64);
            il.Body.Variables.Add(state);
            il.Body.Variables.Add(value);
            Instruction head = il.Create(OpCodes.Nop), one = il.Create(OpCodes.Nop), two = il.Create(OpCodes.Nop), three = il.Create(OpCodes.Nop), end = il.Create(OpCodes.Nop);
            il.Emit(OpCodes.Ldc_I4_2);
            il.Emit(OpCodes.Stloc, state);
            il.Append(head);
            il.Emit(OpCodes.Ldloc, state);
            il.Emit(OpCodes.Switch, [one, two, three]);
            il.Emit(OpCodes.Br, end);
            Piece(one, 3, () =>
            {
                il.Emit(OpCodes.Ldloc, value);
                call();
                il.Emit(OpCodes.Stloc, value);
            });
            Piece(two, 0, () => { });
            Piece(three, 1, () =>
            {
                il.Emit(OpCodes.Ldarg_0);
                il.Emit(OpCodes.Stloc, value);
            });
            il.Append(end);
            il.Emit(OpCodes.Ldloc, value);

            void Piece(Instruction start, int next, Action emit)
            {
                il.Append(start);
                emit();
                il.Emit(OpCodes.Ldc_I4, next);
                il.Emit(OpCodes.Stloc, state);
                il.Emit(OpCodes.Br, head);
            }
        }),
    ];

    [TestCaseSource(nameof(Bodies))]
    public void Code(int sites, Action<ILProcessor, Action> emit)
    {
        string file = Written(module => AddMethod(module, emit));
        using var before = ImageSet.LoadUnpatched([file]);
        PvOpTable table = FixtureProgram.TableOf(before[Fixture]);
        FixtureProgram.Install(table, before[Fixture]);
        PatchPlan plan = Patcher.Plan(table, [file]);
        using ImageSet after = ImageSet.Load(plan);
        FixtureProgram.TableOf(after[Fixture]).InstallFrom(table);
        PatchedSite[] rows = [.. plan.Report.Sites.Where(s => s.Method.EndsWith($".{Hidden}", StringComparison.Ordinal))];

        var inPlace = LoadedProgram.Of(LoadedProgram.Load(file, Loading.Stream, new AssemblyLoadContext("a host's")));
        using LivePatch patch = inPlace.Apply();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(rows.Count(r => r.State == SiteState.Patched), Is.EqualTo(sites), string.Join('\n', rows.Select(r => $"{r.State} {r.Reason} {r.Before}")));
            Assert.That(patch.Report.Sites.Count(s => s.Method.EndsWith($".{Hidden}", StringComparison.Ordinal) && s.State == SiteState.Patched), Is.EqualTo(sites));
            foreach (long argument in (long[])[0, 5, -7, long.MaxValue])
            {
                Assert.That(Call(before[Fixture], argument), Is.EqualTo(-argument));
                Assert.That(Call(after[Fixture], argument), Is.EqualTo(-argument));
                Assert.That(Call(inPlace.Assembly, argument), Is.EqualTo(-argument));
            }
        }
    }

    [Test]
    public void Attributes_and_resources_that_nobody_can_read_are_kept()
    {
        byte[] noise = [.. Enumerable.Range(0, 5000).Select(i => (byte)((i * 167) ^ (i >> 3)))];
        string file = Written(module =>
        {
            module.Resources.Add(new Cecil.EmbeddedResource("\u202e", Cecil.ManifestResourceAttributes.Private, noise));
            Cecil.MethodReference constructor = module.ImportReference(typeof(ObsoleteAttribute).GetConstructor([typeof(string)]));
            foreach (Cecil.TypeDefinition type in module.Types.Where(t => t.Name is "Shapes" or "Pv"))
                type.CustomAttributes.Add(new Cecil.CustomAttribute(constructor, [0x01, 0x00, 0xFE, 0xFF, 0x7F]));
        });
        PatchPlan plan = Patcher.Plan(FixtureProgram.Of(Fixture).Table, [file]);
        Assert.That(plan.Report.Sites.Count(s => s.State == SiteState.Patched), Is.GreaterThan(70));
        using ImageSet set = ImageSet.Load(plan);
        Assert.That(set.Verify(), Is.GreaterThan(10));
        using Stream resource = set[Fixture].GetManifestResourceStream("\u202e")!;
        byte[] kept = new byte[noise.Length];
        resource.ReadExactly(kept);
        Assert.That(kept, Is.EqualTo(noise));
    }

    [Test]
    public void Types_that_are_nested_in_each_other_are_damage()
    {
        byte[] bytes = File.ReadAllBytes(FixtureProgram.FileOf(Fixture));
        using (var image = new PEReader([.. bytes]))
        {
            // Every nested type gets itself as the type around it (ECMA-335, partition II, 22.32).
            MetadataReader metadata = image.GetMetadataReader();
            int table = image.PEHeaders.MetadataStartOffset + metadata.GetTableMetadataOffset(TableIndex.NestedClass), size = metadata.GetTableRowSize(TableIndex.NestedClass);
            for (int row = 0; row < metadata.GetTableRowCount(TableIndex.NestedClass); row++)
                bytes.AsSpan(table + (row * size), size / 2).CopyTo(bytes.AsSpan(table + (row * size) + (size / 2)));
        }

        string file = Path.Combine(Directory.CreateTempSubdirectory("pvpatch-nested-").FullName, $"{Fixture}.dll");
        File.WriteAllBytes(file, bytes);
        var error = Assert.Throws<PatchException>(() => Patcher.Plan(FixtureProgram.Of(Fixture).Table, [file]));
        Assert.That((error!.Error, error.Message), Is.EqualTo((PatchError.BadImage, "The image is damaged: types are nested without end.")));
    }

    private static TestCaseData Body(string name, int sites, Action<ILProcessor, Action> emit) => new TestCaseData(sites, emit).SetName(name);

    private static long Call(Assembly assembly, long argument) =>
        assembly.GetType("PvPatch.Engine.Fixtures.Pv", throwOnError: true)!.GetMethod(Hidden)!.CreateDelegate<Func<long, long>>()(argument);

    private static void AddMethod(Cecil.ModuleDefinition module, Action<ILProcessor, Action> emit)
    {
        Cecil.TypeDefinition pv = module.GetType("PvPatch.Engine.Fixtures.Pv");
        Cecil.FieldDefinition math = pv.Fields.Single(f => f.Name.Equals("Math", StringComparison.Ordinal));
        Cecil.FieldDefinition negate = math.FieldType.Resolve().Fields.Single(f => f.Name.Equals("Negate", StringComparison.Ordinal));
        var site = new Cecil.CallSite(module.TypeSystem.Int64) { CallingConvention = ((Cecil.FunctionPointerType)negate.FieldType).CallingConvention };
        site.Parameters.Add(new Cecil.ParameterDefinition(module.TypeSystem.Int64));
        Cecil.MethodDefinition method = CallersImage.Empty(module, Hidden);
        pv.Methods.Add(method);
        ILProcessor il = method.Body.GetILProcessor();
        emit(il, () =>
        {
            il.Emit(OpCodes.Ldsflda, math);
            il.Emit(OpCodes.Ldfld, negate);
            il.Emit(OpCodes.Calli, site);
        });
        il.Emit(OpCodes.Ret);
    }

    private static string Written(Action<Cecil.ModuleDefinition> change)
    {
        string file = Path.Combine(Directory.CreateTempSubdirectory("pvpatch-obfuscated-").FullName, $"{Fixture}.dll");
        using var assembly = Cecil.AssemblyDefinition.ReadAssembly(FixtureProgram.FileOf(Fixture));
        change(assembly.MainModule);
        assembly.Write(file);
        return file;
    }
}
