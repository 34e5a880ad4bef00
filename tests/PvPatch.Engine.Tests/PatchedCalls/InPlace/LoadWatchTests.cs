using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using PvPatch.Engine.Diagnosis;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.PatchedCalls.InPlace;

/// <summary>Assemblies that are loaded after the patch, and those that cannot be patched as a whole.</summary>
internal sealed class LoadWatchTests
{
    private static readonly string Tables = FixtureProgram.Names[1];
    private static readonly string CallersFile = Path.Combine(AppContext.BaseDirectory, "callers-in-place", "Callers.dll");

    [OneTimeSetUp]
    public void WriteCallers() => CallersImage.Write(Tables, CallersFile);

    [Test]
    public void An_assembly_loaded_later_is_patched_before_it_runs(
        [ValueSource(typeof(LoadedProgram), nameof(LoadedProgram.Loadings))] Loading loading)
    {
        var program = LoadedProgram.Load(Tables, loading);
        using LivePatch patch = Patcher.Apply(program.Table);
        int before = patch.Report.Sites.Count;
        Assembly callers = LoadCallers(program, loading);
        PatchedSite[] added = [.. patch.Report.Sites.Skip(before)];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(before, Is.GreaterThan(50), "the table's own assembly is patched without being named");
            Assert.That(added.Select(r => $"{r.Method}: {r.State} {r.Reason ?? r.Replacement}"), Is.EqualTo(new[]
            {
                "Callers.Negate: Left no token for Native.Negate in this module",
                "Callers.Same: Patched its argument",
            }));
            Assert.That(program.CallsThroughSlots(FunctionOf(callers, "Same")), Is.Zero);
            Assert.That(program.CallsThroughSlots(FunctionOf(callers, "Wrapped")), Is.Zero);
            Assert.That(program.CallsThroughSlots(FunctionOf(callers, "Negate")), Is.EqualTo(1));
            Assert.That(FunctionOf(callers, "Same")(7), Is.EqualTo(7));
            Assert.That(FunctionOf(callers, "Wrapped")(7), Is.EqualTo(-7));
        }
    }

    [Test]
    public void After_the_watch_nothing_more_is_patched([Values] bool restore)
    {
        var program = LoadedProgram.Load(Tables, Loading.Stream);
        LivePatch patch = Patcher.Apply(program.Table);
        if (restore)
            patch.Restore();
        patch.Dispose();
        int before = patch.Report.Sites.Count;
        Assembly callers = LoadCallers(program, Loading.Stream);
        Assert.That(program.CallsThroughSlots(FunctionOf(callers, "Same")), Is.EqualTo(1));
        Assert.That(patch.Report.Sites, Has.Count.EqualTo(before));
    }

    [Test]
    public void Copies_of_the_program_that_have_slots_of_their_own_are_not_patched()
    {
        var other = LoadedProgram.Load(Tables, Loading.Stream);
        var program = LoadedProgram.Load(Tables, Loading.Stream);
        Assembly othersCallers = LoadCallers(other, Loading.Stream);
        using LivePatch patch = Patcher.Apply(program.Table);
        Assert.That(other.CallsThroughSlots(other.Shape("OneArgument_Direct")), Is.EqualTo(1));
        Assert.That(other.CallsThroughSlots(FunctionOf(othersCallers, "Same")), Is.EqualTo(1));
    }

    [Test]
    [CancelAfter(Patience.Milliseconds)]
    public void Threads_that_race_to_load_and_call_never_call_unpatched(CancellationToken cancel)
    {
        const int Rounds = 40, Threads = 8;
        long calls = 0, wrong = 0;
        for (int round = 0; round < Rounds && !cancel.IsCancellationRequested; round++)
        {
            var program = LoadedProgram.Load(Tables, Loading.Stream);
            string file = LoadedProgram.CopyOf(CallersFile);
            using LivePatch patch = Patcher.Apply(program.Table);
            using var start = new Barrier(Threads);
            calls += program.Table.CountCalls(() =>
            {
                Thread[] threads = [.. Enumerable.Range(0, Threads).Select(n => new Thread(() =>
                {
                    start.SignalAndWait(cancel);
                    Assembly callers = program.Context.LoadFromAssemblyPath(file);
                    if (FunctionOf(callers, "Same")(n) != n || FunctionOf(callers, "Wrapped")(n) != -n)
                        Interlocked.Increment(ref wrong);
                }))];
                Array.ForEach(threads, t => t.Start());
                Array.ForEach(threads, t => t.Join());
            }).Values.Sum();
        }

        TestContext.Out.WriteLine($"{Rounds} rounds of {Threads} threads: {calls} unpatched calls, {wrong} wrong values");
        Assert.That(calls, Is.Zero);
        Assert.That(wrong, Is.Zero);
    }

    [Test]
    public void An_image_shared_with_another_load_context_stays_as_it_is()
    {
        string file = LoadedProgram.CopyOf(CallersFile);
        var program = LoadedProgram.Load(Tables, Loading.Stream);
        Assembly callers = program.Context.LoadFromAssemblyPath(file);
        Assembly shared = new AssemblyLoadContext("another's").LoadFromAssemblyPath(file);
        using LivePatch patch = Patcher.Apply(program.Table, new ApplyOptions { Assemblies = a => a == callers });
        Assert.That(patch.Report.Sites.Select(s => s.State), Is.All.EqualTo(SiteState.Left));
        Assert.That(patch.Report.Sites.Select(s => s.Reason), Has.Some.StartsWith("the image is shared with a copy"));
        Assert.That(program.CallsThroughSlots(FunctionOf(callers, "Same")), Is.EqualTo(1));
        GC.KeepAlive(shared);
    }

    [Test]
    public void A_copy_that_comes_to_share_a_patched_image_is_told()
    {
        string file = LoadedProgram.CopyOf(CallersFile);
        var program = LoadedProgram.Load(Tables, Loading.Stream);
        program.Context.LoadFromAssemblyPath(file);
        using LivePatch patch = Patcher.Apply(program.Table);
        new AssemblyLoadContext("another's").LoadFromAssemblyPath(file);
        Assert.That(patch.Refusals.Select(r => r.Error), Is.EqualTo(new[] { PatchError.SharedImage }));
    }

    [Test]
    public void An_assembly_made_in_this_process_is_refused()
    {
        var program = LoadedProgram.Load(Tables, Loading.Stream);
        var dynamic = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("Made"), AssemblyBuilderAccess.RunAndCollect);
        dynamic.DefineDynamicModule("Made").DefineType("Made").CreateType();
        using LivePatch patch = Patcher.Apply(program.Table, new ApplyOptions { Assemblies = a => a.GetName().Name is "Made", WatchLoads = false });
        Assert.That(patch.Refusals.Select(r => r.Error), Has.Some.EqualTo(PatchError.NoImage));
        Assert.That(patch.Report.Sites, Is.Empty);
        GC.KeepAlive(dynamic);
    }

    [Test]
    public void An_assembly_without_sites_gives_an_empty_report()
    {
        var program = LoadedProgram.Load(Tables, Loading.Stream);
        using LivePatch patch = Patcher.Apply(program.Table, new ApplyOptions { Assemblies = a => a == typeof(LivePatch).Assembly || a == typeof(object).Assembly });
        using (Assert.EnterMultipleScope())
        {
            Assert.That(patch.Report.Sites, Is.Empty);
            Assert.That(patch.Refusals, Is.Empty);
        }
    }

    [Test]
    public void A_sealed_table_can_be_applied()
    {
        var program = LoadedProgram.Load(Tables, Loading.Path);
        program.Table.Seal();
        using LivePatch patch = program.Apply();
        Assert.That(patch.Report.Totals.Patched, Is.GreaterThan(50));
    }

    [Test]
    public void A_collectible_assembly_is_patched_and_can_still_be_unloaded()
    {
        using var diagnosis = PatchDiagnosis.Start();
        (LivePatch patch, WeakReference gone) = PatchAndUnload(diagnosis);
        for (int i = 0; i < 20 && gone.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.That(gone.IsAlive, Is.False);
        Assert.That(diagnosis.Report(patch).Methods.Where(m => m.Method is "Callers.Same"), Is.Empty, "nothing is there to tell of");
        Assert.That(patch.Restore, Throws.Nothing, "nothing is there to restore");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (LivePatch Patch, WeakReference Gone) PatchAndUnload(PatchDiagnosis diagnosis)
    {
        var tables = LoadedProgram.Load(Tables, Loading.Stream);
        var context = new PlugIn(tables.Assembly);
        Assembly callers = LoadedProgram.Load(CallersFile, Loading.Path, context);
        LivePatch patch = Patcher.Apply(tables.Table, new ApplyOptions { WatchLoads = false });
        Assert.That(patch.Report.Sites.Single(s => s.Method is "Callers.Same").State, Is.EqualTo(SiteState.Patched));
        Assert.That(tables.CallsThroughSlots(FunctionOf(callers, "Same")), Is.Zero);
        Assert.That(diagnosis.Report(patch).Methods.Single(m => m.Method is "Callers.Same").Verdict, Is.EqualTo(DiagnosisVerdict.Patched));
        var gone = new WeakReference(callers);
        context.Unload();
        return (patch, gone);
    }

    private static Assembly LoadCallers(LoadedProgram program, Loading loading) => LoadedProgram.Load(CallersFile, loading, program.Context);

    private static Func<long, long> FunctionOf(Assembly callers, string method) =>
        callers.GetType(CallersImage.Name, throwOnError: true)!.GetMethod(method)!.CreateDelegate<Func<long, long>>();

    /// <summary>A context that can be unloaded and is bound to the host's own copy of the tables.</summary>
    private sealed class PlugIn(Assembly tables) : AssemblyLoadContext("a plug-in's", isCollectible: true)
    {
        protected override Assembly? Load(AssemblyName assemblyName) => assemblyName.Name == tables.GetName().Name ? tables : null;
    }
}
