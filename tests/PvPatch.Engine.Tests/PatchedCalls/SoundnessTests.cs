using System.Reflection;
using System.Runtime.CompilerServices;
using Mono.Cecil;
using Mono.Cecil.Cil;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.PatchedCalls;

/// <summary>What looks proven and is not: the site stays, with the reason.</summary>
internal sealed class SoundnessTests
{
    private static readonly string Fixture = FixtureProgram.Names[1];

    [Test]
    public void Methods_that_friends_can_call_know_no_parameters()
    {
        PatchReport report = ReportOf("friends", module =>
        {
            var constructor = module.ImportReference(typeof(InternalsVisibleToAttribute).GetConstructor([typeof(string)]));
            var friend = new CustomAttribute(constructor);
            friend.ConstructorArguments.Add(new CustomAttributeArgument(module.TypeSystem.String, "Friend"));
            module.Assembly.CustomAttributes.Add(friend);
        });
        PatchedSite[] sites = [.. report.Sites.Where(s => s.Method.Contains("<ByRef_Direct>", StringComparison.Ordinal))];
        Assert.That(sites.Select(s => s.Reason), Is.EqualTo(new[] { "the table it is read from is not known here" }));
    }

    [Test]
    public void A_struct_of_the_same_name_from_another_assembly_is_another_struct()
    {
        PatchReport report = ReportOf("other-pair", module =>
        {
            // One method's call is given a struct of the same full name that another assembly would have.
            TypeReference pair = module.GetType("PvPatch.Engine.Fixtures.Both`1");
            var elsewhere = new AssemblyNameReference("Elsewhere", new Version(1, 0));
            module.AssemblyReferences.Add(elsewhere);
            var other = new TypeReference(pair.Namespace, "Pair", module, elsewhere, valueType: true);
            MethodDefinition method = module.GetType("PvPatch.Engine.Fixtures.Shapes").Methods.Single(m => m.Name is "StructByValue_Direct");
            var site = (Mono.Cecil.CallSite)method.Body.Instructions.Single(i => i.OpCode == OpCodes.Calli).Operand;
            site.Parameters[0].ParameterType = other;
        });
        PatchedSite changed = report.Sites.Single(s => s.Method.EndsWith(".StructByValue_Direct", StringComparison.Ordinal));
        Assert.That(changed.Reason, Is.EqualTo(
            "it is called as Unmanaged PvPatch.Engine.Fixtures.Pair([Elsewhere]PvPatch.Engine.Fixtures.Pair), the slot is Unmanaged PvPatch.Engine.Fixtures.Pair(PvPatch.Engine.Fixtures.Pair)"));
    }

    [Test]
    public void An_object_that_was_replaced_behind_the_tables_back_is_seen()
    {
        using var set = ImageSet.LoadUnpatched([FixtureProgram.FileOf(Fixture)]);
        PvOpTable table = FixtureProgram.TableOf(set[Fixture]);
        FixtureProgram.Install(table, set[Fixture]);
        object ops = Slots(set).GetField("Object")!.GetValue(null)!;
        FieldInfo inner = ops.GetType().GetField("Inner")!;
        inner.SetValue(ops, Activator.CreateInstance(inner.FieldType));
        Assert.That(table.IsWrittenByHand("object.inner"));
        inner.SetValue(ops, null);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(table.IsWrittenByHand("object.inner"), "no object at all");
            Assert.That(table.IsWrittenByHand("object.negate"), Is.False);
            Assert.That(Reasons(table, "InObjectInObject_Direct"), Is.All.EqualTo("the slot was written by hand"));
        }
    }

    [Test]
    public void An_element_that_was_written_by_hand_is_seen()
    {
        using var set = ImageSet.LoadUnpatched([FixtureProgram.FileOf(Fixture)]);
        PvOpTable table = FixtureProgram.TableOf(set[Fixture]);
        FixtureProgram.Install(table, set[Fixture]);
        Overwrite((Array)Slots(set).GetField("Array")!.GetValue(null)!);
        Assert.That(Reasons(table, "InArrayByRef_Direct"), Is.All.EqualTo("the slot was written by hand"));
    }

    [Test]
    public void Slots_keep_their_place_while_objects_move()
    {
        using var set = ImageSet.LoadUnpatched([FixtureProgram.FileOf(Fixture)]);
        PvOpTable table = FixtureProgram.TableOf(set[Fixture]);
        FixtureProgram.Install(table, set[Fixture]);
        Type shapes = set[Fixture].GetType("PvPatch.Engine.Fixtures.SlotShapes", throwOnError: true)!;
        foreach (string method in (string[])["InObject_Direct", "InObjectInObject_Direct", "InArray_Direct"])
        {
            var call = shapes.GetMethod(method)!.CreateDelegate<Func<long, long>>();
            long before = call(7);
            for (int i = 0; i < 5; i++)
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                table.Install([KeyValuePair.Create("object.negate", table.TargetOf("object.negate")), KeyValuePair.Create("array.three", table.TargetOf("array.three"))]);
                Assert.That(call(7), Is.EqualTo(before), method);
            }
        }
    }

    private static unsafe void Overwrite(Array slots)
    {
        // SAFETY: the element is as wide as nint and nobody calls through it any more.
        fixed (byte* first = &System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(slots))
            ((nint*)first)[3] = 0;
    }

    private static Type Slots(ImageSet set) => set[Fixture].GetType("PvPatch.Engine.Fixtures.PvSlots", throwOnError: true)!;

    private static IEnumerable<string?> Reasons(PvOpTable table, string method) =>
        Patcher.Plan(table, [FixtureProgram.FileOf(Fixture)]).Report.Sites.Where(s => s.Method.EndsWith($".{method}", StringComparison.Ordinal)).Select(s => s.Reason);

    /// <summary>What is planned for a changed copy of the fixtures.</summary>
    private static PatchReport ReportOf(string folder, Action<ModuleDefinition> change)
    {
        string file = Path.Combine(Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, folder)).FullName, $"{Fixture}.dll");
        using (var assembly = AssemblyDefinition.ReadAssembly(FixtureProgram.FileOf(Fixture)))
        {
            change(assembly.MainModule);
            assembly.Write(file);
        }

        return Patcher.Plan(FixtureProgram.Of(Fixture).Table, [file]).Report;
    }
}
