using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.Reports;
using PvPatch.Engine.Tests.PatchedCalls;
using PvPatch.Engine.Tests.PatchedCalls.InPlace;

namespace PvPatch.Engine.Tests.IndirectCalls;

/// <summary>Several copies of one assembly in one process: each slot calls its own copy, internal methods too.</summary>
internal sealed class CopiesTests
{
    private static readonly string Name = FixtureProgram.Names[1];

    [Test]
    public void Entries_are_bound_to_the_copy_that_the_target_belongs_to([Values] bool collectible)
    {
        Assembly shared = AssemblyLoadContext.Default.LoadFromAssemblyPath(FixtureProgram.FileOf(Name));
        using var set = ImageSet.LoadUnpatched([FixtureProgram.FileOf(Name)], collectible);
        Assert.That(set[Name], Is.Not.SameAs(shared));

        foreach (Assembly copy in new[] { set[Name], shared })
        {
            var table = FixtureProgram.TableOf(copy);
            table.Install([KeyValuePair.Create("copies.mark", PvTarget.Method(copy.GetType("PvPatch.Engine.Fixtures.Copies", throwOnError: true)!, "Mark"))]);
        }

        Call(set[Name]);
        Call(set[Name]);
        Call(shared);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(MarksOf(set[Name]), Is.EqualTo(2));
            Assert.That(MarksOf(shared), Is.EqualTo(1));
        }

        shared.GetType("PvPatch.Engine.Fixtures.Copies", throwOnError: true)!.GetField("Marks")!.SetValue(null, 0);
    }

    [Test]
    public void InstallFrom_takes_the_methods_of_the_copy_at_hand()
    {
        using var first = ImageSet.LoadUnpatched([FixtureProgram.FileOf(Name)]);
        using var second = ImageSet.LoadUnpatched([FixtureProgram.FileOf(Name)]);
        var from = FixtureProgram.TableOf(first[Name]);
        FixtureProgram.Install(from, first[Name]);
        var to = FixtureProgram.TableOf(second[Name]);
        to.InstallFrom(from);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(((PvTarget.MethodTarget)to.TargetOf("math.add")).Info.Module.Assembly, Is.SameAs(second[Name]));
            Assert.That(to.TargetOf("plain.root"), Is.EqualTo(from.TargetOf("plain.root")), "a method of no copy stays");
            Assert.That(to.TargetOf("small.seven"), Is.EqualTo(PvTarget.Constant(7)));
            Assert.That(to.Missing.Select(o => o.Name), Is.EqualTo(from.Missing.Select(o => o.Name)));
        }
    }

    [Test]
    public void A_collectible_set_can_be_unloaded_and_keeps_its_entries_until_then()
    {
        WeakReference[] gone = LoadCallAndUnload();
        for (int i = 0; i < 20 && Array.Exists(gone, g => g.IsAlive); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.That(gone.Select(g => g.IsAlive), Is.All.False);
    }

    [Test]
    public void A_target_that_could_be_unloaded_stays_as_long_as_a_slot_holds_it_and_is_called_through_it()
    {
        var program = LoadedProgram.Load(Name, Loading.Stream);
        WeakReference plugIn = InstallFromPlugIn(program.Table);
        for (int i = 0; i < 10; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        using LivePatch patch = program.Apply();
        PatchedSite[] sites = [.. patch.Report.Sites.Where(s => s.Op is "math.negate")];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(plugIn.IsAlive, Is.True, "the slot leads to it");
            Assert.That(sites.Select(s => s.State), Is.Not.Empty.And.All.EqualTo(SiteState.Left));
            Assert.That(sites.Where(s => s.Method.EndsWith(".OneArgument_Direct", StringComparison.Ordinal)).Select(s => s.Reason), Is.All.Contains("Native.Negate in this module"));
            Assert.That(program.Shape("OneArgument_Direct")(5), Is.EqualTo(-5));
        }
    }

    /// <summary>Another copy of the fixtures, in a context that nobody else holds and that was told to unload.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference InstallFromPlugIn(PvOpTable table)
    {
        var plugIn = LoadedProgram.Load(Name, Loading.Stream, collectible: true);
        table.Install([KeyValuePair.Create("math.negate", PvTarget.Method(plugIn.Assembly.GetType("PvPatch.Engine.Fixtures.Native", throwOnError: true)!, "Negate"))]);
        plugIn.Context.Unload();
        return new WeakReference(plugIn.Assembly);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference[] LoadCallAndUnload()
    {
        using var set = ImageSet.LoadUnpatched([FixtureProgram.FileOf(Name)], collectible: true);
        Assembly copy = set[Name];
        Fill(copy);
        for (int i = 0; i < 5; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Call(copy);
        Assert.That(MarksOf(copy), Is.EqualTo(1), "the table is gone, the slots still hold");
        return [new WeakReference(copy), new WeakReference(AssemblyLoadContext.GetLoadContext(copy))];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Fill(Assembly copy)
    {
        var table = FixtureProgram.TableOf(copy);
        table.Install([KeyValuePair.Create("copies.mark", PvTarget.Method(copy.GetType("PvPatch.Engine.Fixtures.Copies", throwOnError: true)!, "Mark"))]);
    }

    private static void Call(Assembly copy) => copy.GetType("PvPatch.Engine.Fixtures.Copies", throwOnError: true)!.GetMethod("Call")!.Invoke(null, null);

    private static int MarksOf(Assembly copy) => (int)copy.GetType("PvPatch.Engine.Fixtures.Copies", throwOnError: true)!.GetField("Marks")!.GetValue(null)!;
}
