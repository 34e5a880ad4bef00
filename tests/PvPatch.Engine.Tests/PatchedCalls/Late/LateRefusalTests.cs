using System.Reflection;
using System.Runtime.CompilerServices;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.PatchedCalls.Late;
using PvPatch.Engine.Reports;
using PvPatch.Engine.Tests.PatchedCalls.InPlace;

namespace PvPatch.Engine.Tests.PatchedCalls.Late;

/// <summary>Methods that are not redirected, and whatever methods there are copied.</summary>
internal sealed class LateRefusalTests
{
    private const BindingFlags Declared =
        BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    [Test]
    public void Code_that_is_compiled_once_for_all_is_deferred() => Deferred(FixtureProgram.Names[0], collectible: false, "compiled once for all");

    [Test]
    public void An_assembly_that_can_be_unloaded_is_deferred() => Deferred(FixtureProgram.Names[1], collectible: true, "can be unloaded");

    [Test]
    public void A_method_that_asks_for_its_caller_is_not_copied()
    {
        Assert.That(MethodCopy.Of(GetType().GetMethod(nameof(AsksWhoItIs), Declared)!, out string? refusal), Is.Null);
        Assert.That(refusal, Does.Contain("has no like in a copy"));
        Assert.That(AsksWhoItIs(), Is.Not.Null);
    }

    [Test]
    public void For_many_methods_the_map_of_the_memory_is_read_once()
    {
        MethodInfo method = GetType().GetMethod(nameof(AsksWhoItIs), Declared)!;
        var swap = new EntrySwap();
        string? refusal = swap.RefusalOf(method);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++)
            Assert.That(swap.RefusalOf(method), Is.EqualTo(refusal));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(File.ReadAllText("/proc/self/maps").Length), "less than the map's text");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static MethodBase? AsksWhoItIs() => MethodBase.GetCurrentMethod();

    private static void Deferred(string fixture, bool collectible, string reason)
    {
        var program = LoadedProgram.Load(fixture, Loading.Stream, collectible);
        Func<long, long> hot = program.Function("PvPatch.Engine.Fixtures.HotPlaces", "Leaf_Direct");
        hot(5);
        using LivePatch patch = Apply(program);
        PatchedSite row = patch.Report.Sites.Single(s => s.Method.EndsWith(".Leaf_Direct", StringComparison.Ordinal));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(row.State, Is.EqualTo(SiteState.Deferred));
            Assert.That(row.Reason, Does.Contain(reason));
            Assert.That(program.CallsThroughSlots(hot), Is.EqualTo(1));
            Assert.That(hot(5), Is.EqualTo(-5));
        }
    }

    private static LivePatch Apply(LoadedProgram program) =>
        Patcher.Apply(program.Table, new ApplyOptions { Assemblies = a => a == program.Assembly, WatchLoads = false, RedirectCompiled = true });
}
