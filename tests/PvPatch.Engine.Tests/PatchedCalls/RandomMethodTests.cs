using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.PatchedCalls;

/// <summary>Whatever the code around the sites looks like, it computes the same before and after.</summary>
internal sealed class RandomMethodTests
{
    private const int MethodsPerSeed = 150;

    public static readonly (long A, long B)[] Arguments = [(0, 0), (1, -1), (5, 3), (-7, 100), (123456789012, 6)];

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(20251122)]
    public void Patched_methods_compute_what_unpatched_ones_do(int seed)
    {
        string name = FixtureProgram.Names[1];
        string folder = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, $"random-{seed}")).FullName;
        string file = Path.Combine(folder, $"{name}.dll");
        RandomMethods.Write(FixtureProgram.FileOf(name), file, seed, MethodsPerSeed);

        using var before = ImageSet.LoadUnpatched([file]);
        var table = FixtureProgram.TableOf(before[name]);
        FixtureProgram.Install(table, before[name]);
        PatchPlan plan = Patcher.Plan(table, [file]);
        using var after = ImageSet.Load(plan);
        FixtureProgram.TableOf(after[name]).InstallFrom(table);

        ILookup<string, PatchedSite> rows = plan.Report.Sites.ToLookup(s => s.Method, StringComparer.Ordinal);
        Assert.That(rows.SelectMany(r => r).Count(r => r.State == SiteState.Patched), Is.GreaterThan(3 * MethodsPerSeed), $"seed {seed}");
        for (int i = 0; i < MethodsPerSeed; i++)
        {
            MethodInfo unpatched = MethodOf(before[name], i), patched = MethodOf(after[name], i);
            string evidence = $"seed {seed}, method M{i}:\n{string.Join('\n', rows[$"RandomMethods.M{i}"].Select(r => $"{r.IlOffset:x4} {r.State} {r.Before} -> {r.After}"))}";
            Assert.That(() => RuntimeHelpers.PrepareMethod(patched.MethodHandle), Throws.Nothing, evidence);
            foreach ((long a, long b) in Arguments)
                Assert.That(ResultOf(patched, a, b), Is.EqualTo(ResultOf(unpatched, a, b)), evidence);
        }
    }

    [Test]
    [CancelAfter(Patience.Milliseconds)]
    public async Task Random_programs_compute_the_same_in_every_way_and_state(CancellationToken cancel)
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("PVPATCH_FUZZ_SEED"), CultureInfo.InvariantCulture, out int given) ? given : 20261122;
        TestContext.Out.WriteLine($"PVPATCH_FUZZ_SEED={seed}");
        string[] part = ["random", seed.ToString(CultureInfo.InvariantCulture), "200"];
        (int exitCode, string output) = await ChildProcess.RunAsync(part, ["DOTNET_TC_CallCountingDelayMs=0"], cancel);
        TestContext.Out.WriteLine(output);
        Assert.That(exitCode, Is.Zero, output);
    }

    private static MethodInfo MethodOf(Assembly assembly, int i) => assembly.GetType("RandomMethods", throwOnError: true)!.GetMethod($"M{i}")!;

    /// <summary>The value, or the exception that the method ends with.</summary>
    private static object ResultOf(MethodInfo method, long a, long b)
    {
        try
        {
            return method.CreateDelegate<Func<long, long, long>>()(a, b);
        }
        catch (NullReferenceException)
        {
            return "throws";
        }
    }
}
