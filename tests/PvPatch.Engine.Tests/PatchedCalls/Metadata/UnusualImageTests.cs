using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using Mono.Cecil.Cil;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.Reports;
using Cecil = Mono.Cecil;

namespace PvPatch.Engine.Tests.PatchedCalls.Metadata;

/// <summary>Images that are not as compilers write them come out right, or are refused with the original working.</summary>
internal sealed class UnusualImageTests
{
    private static readonly string Fixture = FixtureProgram.Names[1];

    /// <summary>As obfuscators do it: names of one letter or none that can be printed, many of them the same.</summary>
    [Test]
    public void Duplicate_and_unprintable_names_are_kept()
    {
        string file = Rewritten("obfuscated", module =>
        {
            int number = 0;
            foreach (Cecil.TypeDefinition type in module.GetTypes().Where(t => t.FullName.StartsWith("PvPatch.Engine.Fixtures.Growths", StringComparison.Ordinal) && !t.HasGenericParameters))
            {
                foreach (Cecil.MethodDefinition method in type.Methods.Where(m => !m.IsConstructor && !m.IsVirtual && !m.HasOverrides))
                    method.Name = number++ % 2 == 0 ? "\u200b" : "";
                foreach (Cecil.FieldDefinition field in type.Fields)
                    field.Name = "\ufeff";
            }
        });
        PatchPlan plan = Patcher.Plan(FixtureProgram.Of(Fixture).Table, [file]);
        PatchedSite[] grown = [.. plan.Report.Sites.Where(s => s.Way == PatchWay.Metadata && s.Method.Contains("Growths", StringComparison.Ordinal))];
        Assert.That(grown, Has.Length.GreaterThan(10));
        using ImageSet set = ImageSet.Load(plan);
        Assert.That(set.Verify(), Is.GreaterThan(10));
        foreach (MethodInfo method in set[Fixture].GetType("PvPatch.Engine.Fixtures.Growths", throwOnError: true)!.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            Assert.That(() => RuntimeHelpers.PrepareMethod(method.MethodHandle), Throws.Nothing);
    }

    [Test]
    public void A_stream_of_metadata_that_is_unknown_leaves_the_sites_that_need_more()
    {
        byte[] bytes = File.ReadAllBytes(FixtureProgram.FileOf(Fixture));
        int name = bytes.AsSpan().IndexOf("#US\0"u8);
        "#UX\0"u8.CopyTo(bytes.AsSpan(name));
        string file = Path.Combine(Directory.CreateTempSubdirectory("pvpatch-stream-").FullName, $"{Fixture}.dll");
        File.WriteAllBytes(file, bytes);
        PatchPlan plan = Patcher.Plan(FixtureProgram.Of(Fixture).Table, [file]);
        PatchedSite missing = plan.Report.Sites.Single(s => s.Op is "stubborn.absent"), same = plan.Report.Sites.First(s => s.Method.EndsWith(".OneArgument_Direct", StringComparison.Ordinal));
        using (Assert.EnterMultipleScope())
        {
            Assert.That((missing.State, missing.Reason), Is.EqualTo((SiteState.Left, "nothing can be added to the image: its metadata have a stream #UX, which cannot be written anew")));
            Assert.That((same.State, same.Way), Is.EqualTo((SiteState.Patched, PatchWay.Image)));
            Assert.That(plan.Report.Sites.Select(s => s.Way), Has.None.EqualTo(PatchWay.Metadata));
        }
    }

    [Test]
    public void A_module_without_an_assembly_is_refused()
    {
        string file = Path.Combine(Directory.CreateTempSubdirectory("pvpatch-netmodule-").FullName, "part.netmodule");
        using (var module = Cecil.ModuleDefinition.CreateModule("part", Cecil.ModuleKind.NetModule))
            module.Write(file);
        var error = Assert.Throws<PatchException>(() => Patcher.Plan(FixtureProgram.Of(Fixture).Table, [file]));
        Assert.That((error!.Error, error.Message), Is.EqualTo((PatchError.NotManaged, "part.netmodule is a module without an assembly.")));
    }

    [Test]
    public void A_reference_assembly_has_no_sites()
    {
        string file = Rewritten("reference", module =>
        {
            module.Assembly.CustomAttributes.Add(new Cecil.CustomAttribute(module.ImportReference(typeof(ReferenceAssemblyAttribute).GetConstructor([]))));
            foreach (Cecil.MethodDefinition method in module.GetTypes().SelectMany(t => t.Methods).Where(m => m.HasBody))
            {
                method.Body = new Mono.Cecil.Cil.MethodBody(method);
                method.Body.GetILProcessor().Emit(OpCodes.Ldnull);
                method.Body.GetILProcessor().Emit(OpCodes.Throw);
            }
        });
        PatchPlan plan = Patcher.Plan(FixtureProgram.Of(Fixture).Table, [file]);
        Assert.That(plan.Report.Sites, Is.Empty);
        using ImageSet set = ImageSet.Load(plan);
        Assert.That(() => set[Fixture], Throws.InstanceOf<PatchException>().With.Property(nameof(PatchException.Error)).EqualTo(PatchError.BadImage));
    }

    /// <summary>Ten thousand sites in one method, of which each outgrows its bytes: all short branches around become long.</summary>
    [Test]
    [CancelAfter(Patience.Milliseconds)]
    public void A_method_of_ten_thousand_sites_grows(CancellationToken cancel)
    {
        const int Sites = 10_000;
        string file = Rewritten("huge", module =>
        {
            Cecil.TypeDefinition pv = module.GetType("PvPatch.Engine.Fixtures.Pv");
            Cecil.FieldDefinition small = pv.Fields.Single(f => f.Name.Equals("Small", StringComparison.Ordinal));
            Cecil.FieldDefinition huge = small.FieldType.Resolve().Fields.Single(f => f.Name.Equals("Huge", StringComparison.Ordinal));
            var site = new Cecil.CallSite(module.TypeSystem.Int64) { CallingConvention = ((Cecil.FunctionPointerType)huge.FieldType).CallingConvention };
            site.Parameters.Add(new Cecil.ParameterDefinition(module.TypeSystem.Int64));
            Cecil.MethodDefinition effect = CallersImage.Empty(module, "Effect"), method = CallersImage.Empty(module, "Huge");
            effect.Body.GetILProcessor().Emit(OpCodes.Ldarg_0);
            effect.Body.GetILProcessor().Emit(OpCodes.Ret);
            pv.Methods.Add(effect);
            pv.Methods.Add(method);
            method.Body.Variables.Add(new VariableDefinition(module.TypeSystem.IntPtr));
            ILProcessor il = method.Body.GetILProcessor();
            il.Emit(OpCodes.Ldc_I8, 0L);
            for (int i = 0; i < Sites; i++)
            {
                Instruction skip = il.Create(OpCodes.Nop);
                il.Emit(OpCodes.Ldarg_0);
                il.Emit(OpCodes.Ldc_I8, (long)i % 5);
                il.Emit(OpCodes.Bgt_S, skip);
                il.Emit(OpCodes.Ldsflda, small);
                il.Emit(OpCodes.Ldfld, huge);
                il.Emit(OpCodes.Stloc_0);
                il.Emit(OpCodes.Ldarg_0);
                il.Emit(OpCodes.Call, effect);
                il.Emit(OpCodes.Ldloc_0);
                il.Emit(OpCodes.Calli, site);
                il.Emit(OpCodes.Add);
                il.Append(skip);
            }

            il.Emit(OpCodes.Ret);
        });
        cancel.ThrowIfCancellationRequested();
        using ImageSet before = ImageSet.LoadUnpatched([file]);
        PvOpTable table = TableOf(before);
        table.Install([KeyValuePair.Create("small.huge", PvTarget.Constant(0x123456789ABC))]);
        PatchPlan plan = Patcher.Plan(table, [file]);
        Assert.That(plan.Report.Sites.Count(s => s.Method.EndsWith(".Huge", StringComparison.Ordinal) && s.Way == PatchWay.Metadata), Is.EqualTo(Sites));
        using ImageSet after = ImageSet.Load(plan);
        Assert.That(after.Verify(), Is.Positive);
        Assert.That(Call(after, 2), Is.EqualTo(Call(before, 2)).And.EqualTo(Sites * 3 / 5 * 0x123456789ABC));

        static long Call(ImageSet set, long argument) => set[Fixture].GetType("PvPatch.Engine.Fixtures.Pv", throwOnError: true)!.GetMethod("Huge")!.CreateDelegate<Func<long, long>>()(argument);
    }

    /// <summary>What others see of an image is what they saw: its identity, its public surface, its resources.</summary>
    [Test]
    public void The_public_surface_and_the_identity_stay()
    {
        FixtureProgram program = FixtureProgram.Of(Fixture);
        Assert.That(program.Plan.Report.Sites.Select(s => s.Way), Has.Some.EqualTo(PatchWay.Metadata));
        using var patched = new PEReader(new MemoryStream(program.Plan.Images.Single().Bytes));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(program.Patched.FullName, Is.EqualTo(program.Unpatched.FullName));
            Assert.That(program.Patched.ManifestModule.ModuleVersionId, Is.EqualTo(program.Unpatched.ManifestModule.ModuleVersionId));
            Assert.That(SurfaceOf(program.Patched), Is.EqualTo(SurfaceOf(program.Unpatched)));
            Assert.That(program.Patched.GetManifestResourceNames(), Is.EqualTo(program.Unpatched.GetManifestResourceNames()));
            Assert.That(patched.GetMetadataReader().MethodDefinitions, Has.Count.EqualTo(program.Unpatched.GetTypes().SelectMany(t => t.GetMembers(Declared)).Count(m => m is MethodBase)));
        }
    }

    [TestCase("Debug", Description = "and the message has the caller's name")]
    [TestCase("Release")]
    [CancelAfter(Patience.Milliseconds)]
    public async Task A_missing_op_stops_with_its_name_and_the_callers(string setting, CancellationToken cancel)
    {
        (int exitCode, string output) = await ChildProcess.RunAsync(["missing-in-image", $"PvPatch.Engine.Fixtures.{setting}"], [], cancel);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(exitCode, Is.Not.Zero);
            Assert.That(output, Does.Contain("pv op stubborn.absent is missing, called by PvPatch.Engine.Fixtures.Refusals.Missing_Metadata"));
        }
    }

    private const BindingFlags Declared = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static PvOpTable TableOf(ImageSet set) => new(set[Fixture].GetType("PvPatch.Engine.Fixtures.Pv", throwOnError: true)!);

    private static string[] SurfaceOf(Assembly assembly) =>
        [.. assembly.GetTypes().SelectMany(t => t.GetMembers(Declared).Select(m => $"{t} {m} {m.MetadataToken:x}"))];

    private static string Rewritten(string name, Action<Cecil.ModuleDefinition> rewrite)
    {
        string file = Path.Combine(Directory.CreateTempSubdirectory($"pvpatch-{name}-").FullName, $"{Fixture}.dll");
        using var assembly = Cecil.AssemblyDefinition.ReadAssembly(FixtureProgram.FileOf(Fixture));
        rewrite(assembly.MainModule);
        assembly.Write(file);
        return file;
    }
}
