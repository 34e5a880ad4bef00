using System.Reflection;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.Reports;
using PvPatch.Engine.Tests.PatchedCalls.InPlace;

namespace PvPatch.Engine.Tests.PatchedCalls.Switching;

/// <summary>Programs whose targets change while they run.</summary>
internal sealed class SwitchTests
{
    private static readonly long[] Arguments = [1, 2, 3, 4, 5, 17, 1000];

    [Test]
    public void After_each_switch_every_method_gives_what_the_slots_give(
        [ValueSource(typeof(FixtureProgram), nameof(FixtureProgram.Names))] string fixture, [Values] bool isCold)
    {
        var program = LoadedProgram.Load(fixture, Loading.Path);
        var plain = LoadedProgram.Load(fixture, Loading.Stream);
        (string Name, Func<long, long> Switched, Func<long, long> Plain)[] functions = [.. FixtureProgram.Cases(program.Assembly)
            .Where(m => m.Name is not "WrittenByHand_Left")
            .Select(m => (m.Name, m.CreateDelegate<Func<long, long>>(), plain.Function(m.DeclaringType!.FullName!, m.Name)))];
        foreach ((string _, Func<long, long> switched, Func<long, long> unpatched) in isCold ? [] : functions)
            Assert.That(switched(5), Is.EqualTo(unpatched(5)));

        using LivePatch patch = Apply(program);
        byte[]?[] before = [.. patch.Report.Sites.Select(s => program.IlOf(s.MethodToken))];
        var wrong = new List<string>();
        foreach (int set in (int[])[1, 2, 0, 2, 1, 0])
        {
            patch.Switch(TargetSets.Of(program)[set]);
            plain.Table.Install(TargetSets.Of(plain)[set]);
            foreach ((string name, Func<long, long> switched, Func<long, long> unpatched) in functions)
                wrong.AddRange(Arguments.Where(a => switched(a) != unpatched(a)).Select(a => $"{name}({a}) with set {set}"));
        }

        Assert.That(wrong, Is.Empty);
        Assert.That(patch.Report.Sites.Select(s => program.IlOf(s.MethodToken)), Is.EqualTo(before), "the images stay as they are");
        TestContext.Out.WriteLine($"{functions.Length} methods; {patch.Report.Totals}");
    }

    [Test]
    public void Methods_that_can_be_redirected_call_through_no_slot_and_the_others_are_told()
    {
        var program = LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream);
        using LivePatch patch = Apply(program);
        patch.Switch(TargetSets.Of(program)[1]);
        using (Assert.EnterMultipleScope())
        {
            foreach (MethodInfo method in FixtureProgram.Cases(program.Assembly).Where(m => m.DeclaringType!.Name is "HotPlaces"))
            {
                PatchedSite[] rows = [.. patch.Report.Sites.Where(s => s.Method.EndsWith($"HotPlaces.{method.Name}", StringComparison.Ordinal))];
                if (rows.Length == 0 || !Array.TrueForAll(rows, r => r.State == SiteState.Patched) || method.Name is "InKinds_Direct" or "InRefusedKinds_Direct")
                    continue;
                Assert.That(program.CallsThroughSlots(method.CreateDelegate<Func<long, long>>()), Is.Zero, method.Name);
            }

            Assert.That(RowOf(patch, "HotPlaces.Leaf_Direct"), Has.Property(nameof(PatchedSite.State)).EqualTo(SiteState.Patched));
            Assert.That(RowOf(patch, "HotPlaces.Leaf_Direct"), Has.Property(nameof(PatchedSite.Way)).EqualTo(PatchWay.Late));
            Assert.That(RowOf(patch, "HotPlaces+Kinds.Virtual").Reason, Does.StartWith("it goes through its slot: it is virtual"));
            Assert.That(RowOf(patch, "HotPlaces+Kinds.Inlined").Reason, Does.Contain("HotPlaces.InRefusedKinds_Direct may inline it"));
            Assert.That(patch.Report.Sites.Select(s => s.Way), Has.None.EqualTo(PatchWay.InPlace));
        }
    }

    [Test]
    public void What_a_switchable_patch_would_do_is_told_without_doing_it()
    {
        var program = LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream);
        Func<long, long> leaf = program.Function("PvPatch.Engine.Fixtures.HotPlaces", "Leaf_Direct");
        PatchReport planned = Patcher.PlanSwitch(program.Table, new ApplyOptions { Assemblies = a => a == program.Assembly });
        Assert.That(program.CallsThroughSlots(leaf), Is.EqualTo(1), "it calls through its slot as before");

        using LivePatch patch = Apply(program);
        Assert.That(planned.Sites, Is.EqualTo(patch.Report.Sites), "and is then done so");
        Assert.That(planned.Sites.Where(s => s.State != SiteState.Patched).Select(s => s.Reason), Has.Some.Contains("it is virtual").And.Some.Contains("may inline it").And.All.Not.Null);
    }

    [Test]
    public void What_is_refused_changes_nothing()
    {
        var program = LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream);
        using LivePatch patch = Apply(program);
        Func<long, long> leaf = program.Function("PvPatch.Engine.Fixtures.HotPlaces", "Leaf_Direct");
        long before = leaf(5);
        KeyValuePair<string, PvTarget> right = new("math.negate", PvTarget.Constant(3));
        Refused([right, new("math.add", PvTarget.Nop)], PatchError.TargetMismatch);
        Refused([right, new("math.no_such_op", PvTarget.Nop)], PatchError.UnknownOp);
        Refused([right, right], PatchError.DuplicateOp);
        program.Table.Seal();
        Refused([right], PatchError.Sealed);

        void Refused(KeyValuePair<string, PvTarget>[] targets, PatchError error)
        {
            Assert.That(() => patch.Switch(targets), Throws.InstanceOf<PatchException>().With.Property(nameof(PatchException.Error)).EqualTo(error));
            Assert.That(leaf(5), Is.EqualTo(before));
            Assert.That(program.Table.TargetOf("math.negate"), Is.InstanceOf<PvTarget.MethodTarget>());
        }
    }

    [Test]
    public void A_patch_that_is_not_switchable_says_so()
    {
        var program = LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream);
        using LivePatch patch = program.Apply();
        Assert.That(() => patch.Switch([]), Throws.InstanceOf<PatchException>().With.Property(nameof(PatchException.Error)).EqualTo(PatchError.NotSwitchable));
    }

    [Test]
    public void A_restored_program_follows_its_slots()
    {
        var program = LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream);
        using LivePatch patch = Apply(program);
        Func<long, long> leaf = program.Function("PvPatch.Engine.Fixtures.HotPlaces", "Leaf_Direct");
        patch.Switch(TargetSets.Of(program)[1]);
        patch.Restore();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(leaf(5), Is.EqualTo(-26), "what was switched to is still installed");
            Assert.That(program.CallsThroughSlots(leaf), Is.EqualTo(1));
        }

        patch.Switch(TargetSets.Of(program)[0]);
        Assert.That(leaf(5), Is.EqualTo(-5));
    }

    [Test]
    public void A_patch_can_be_applied_anew_with_other_targets_after_it_is_restored([ValueSource(typeof(LoadedProgram), nameof(LoadedProgram.Loadings))] Loading loading)
    {
        var program = LoadedProgram.Load(FixtureProgram.Names[1], loading);
        using (LivePatch first = program.Apply())
            first.Restore();
        program.Table.Install(TargetSets.Of(program)[1]);
        using LivePatch second = program.Apply();
        Func<long, long> leaf = program.Function("PvPatch.Engine.Fixtures.HotPlaces", "Leaf_Direct");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(leaf(5), Is.EqualTo(-26));
            Assert.That(program.CallsThroughSlots(leaf), Is.Zero);
        }
    }

    [Test]
    public void An_assembly_loaded_later_begins_with_the_present_targets()
    {
        string file = Path.Combine(AppContext.BaseDirectory, "callers-switched", "Callers.dll");
        CallersImage.Write(FixtureProgram.Names[1], file);
        var program = LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream);
        using LivePatch patch = Patcher.Apply(program.Table, new ApplyOptions { Switchable = true });
        patch.Switch(TargetSets.Of(program)[1]);
        Assembly callers = LoadedProgram.Load(file, Loading.Path, program.Context);
        Func<long, long> negate = callers.GetType(CallersImage.Name, throwOnError: true)!.GetMethod("Negate")!.CreateDelegate<Func<long, long>>();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(RowOf(patch, "Callers.Negate").State, Is.EqualTo(SiteState.Patched), "a copy needs no token of its module for the target");
            Assert.That(program.CallsThroughSlots(negate), Is.Zero);
            Assert.That(negate(5), Is.EqualTo(-26));
            patch.Switch(TargetSets.Of(program)[0]);
            Assert.That(negate(5), Is.EqualTo(-5));
        }
    }

    [TestCase("cold", "DOTNET_TieredCompilation=1", TestName = "100,000 switches under six threads, and no wrong value, when the program was cold")]
    [TestCase("hot", "DOTNET_TC_CallCountingDelayMs=0", TestName = "100,000 switches under six threads, and no wrong value, when the program was hot")]
    [CancelAfter(Patience.Milliseconds)]
    public async Task Stress(string state, string setting, CancellationToken cancel)
    {
        (int exitCode, string output) = await ChildProcess.RunAsync(["switch", state], [setting], cancel);
        TestContext.Out.WriteLine(output);
        Assert.That(exitCode, Is.Zero, output);
    }

    private static LivePatch Apply(LoadedProgram program) =>
        Patcher.Apply(program.Table, new ApplyOptions { Assemblies = a => a == program.Assembly, WatchLoads = false, Switchable = true });

    private static PatchedSite RowOf(LivePatch patch, string method) =>
        patch.Report.Sites.First(s => s.Method.EndsWith(method, StringComparison.Ordinal));
}
