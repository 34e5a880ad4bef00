using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.Tests.PatchedCalls;

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
