using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using PvPatch.Engine.Il;
using PvPatch.Engine.PatchedCalls.Flow;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.PatchedCalls.Damage;

/// <summary>A hundred thousand damaged images: each is refused with a typed error, or planned.</summary>
internal sealed class MutationTests
{
    /// <summary>What one of them may allocate in all, in bytes, most of which is garbage at once.</summary>
    private const long MostAllocated = 64L << 20;

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "mutations");

    private static int Seed => int.TryParse(Environment.GetEnvironmentVariable("PVPATCH_FUZZ_SEED"), CultureInfo.InvariantCulture, out int given) ? given : 20261122;

    /// <summary>The only mutation to try, of the number that a failure tells.</summary>
    private static int? Only => int.TryParse(Environment.GetEnvironmentVariable("PVPATCH_MUTATION"), CultureInfo.InvariantCulture, out int given) ? given : null;

    [TestCase(50_000)]
    [CancelAfter(Patience.Milliseconds)]
    public void Of_a_small_image_with_sites(int count, CancellationToken cancel)
    {
        byte[] sound = SmallImage();
        Try(sound, count, Planned, cancel);
    }

    [TestCase(typeof(Serilog.Log), 20_000)]
    [TestCase(typeof(Mono.Cecil.AssemblyDefinition), 15_000)]
    [TestCase(typeof(TestAttribute), 10_000)]
    [TestCase(typeof(BenchmarkDotNet.Running.BenchmarkRunner), 3_000)]
    [TestCase(typeof(Iced.Intel.Decoder), 2_000)]
    [CancelAfter(Patience.Milliseconds)]
    public void Of_a_package_s_image(Type inside, int count, CancellationToken cancel) =>
        Try(File.ReadAllBytes(inside.Assembly.Location), count, Followed, cancel);

    private static void Try(byte[] sound, int count, Func<byte[], int, string> use, CancellationToken cancel)
    {
        var mutation = new Mutation(sound);
        var outcomes = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        int seed = Seed;
        long most = 0;
        (int first, int end) = Only is { } only ? (only, only + 1) : (0, count);
        Parallel.For(first, end, new ParallelOptions { CancellationToken = cancel, MaxDegreeOfParallelism = Environment.ProcessorCount }, number =>
        {
            (byte[] damaged, int method) = mutation.Of(seed, number);
            long before = GC.GetAllocatedBytesForCurrentThread();
            string outcome;
            try
            {
                outcome = use(damaged, method);
            }
            catch (PatchException e)
            {
                outcome = e.Error.ToString();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seed}, number {number}: {e}", e);
            }

            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > MostAllocated)
                throw new InvalidOperationException($"Seed {seed}, number {number}: {allocated} bytes were allocated.");
            InterlockedMax(ref most, allocated);
            outcomes.AddOrUpdate(outcome, 1, (_, n) => n + 1);
        });
        TestContext.Out.WriteLine($"seed {seed}, {count} mutations of {sound.Length} bytes, of which none allocated more than {most >> 20} MiB: {string.Join(", ", outcomes.OrderByDescending(o => o.Value).Select(o => $"{o.Value} {o.Key}"))}");
        Assert.That(outcomes.Keys, Has.Count.GreaterThan(Only is null ? 3 : 0));
    }

    private static void InterlockedMax(ref long most, long value)
    {
        for (long seen = Interlocked.Read(ref most); value > seen;)
        {
            long before = Interlocked.CompareExchange(ref most, value, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }

    /// <summary>All that the image way does.</summary>
    private static string Planned(byte[] image, int method)
    {
        string file = Path.Combine(Folder, $"{Environment.CurrentManagedThreadId}.dll");
        File.WriteAllBytes(file, image);
        PatchPlan plan = Patcher.Plan(FixtureProgram.Of(FixtureProgram.Names[1]).Table, [file]);
        return plan.Report.Totals switch
        {
            { Patched: > 0 } => "plans with patched sites",
            { Left: > 0 } => "plans with sites left",
            _ => "empty plans",
        };
    }

    /// <summary>What the image way does with methods, for some of those of an image that has no sites.</summary>
    private static string Followed(byte[] bytes, int method)
    {
        const int Methods = 4;
        using var image = ModuleImage.Open(bytes, "damaged.dll");
        string outcome = "followed";
        try
        {
            var flow = new StackFlow(image, new SlotMap(image, new SlotTree([])));
            for (int row = method; row < method + Methods && row <= image.Metadata.MethodDefinitions.Count; row++)
            {
                MethodDefinitionHandle handle = MetadataTokens.MethodDefinitionHandle(row);
                if (image.Metadata.GetMethodDefinition(handle).RelativeVirtualAddress == 0)
                    continue;
                try
                {
                    flow.Follow(image.BodyOf(handle), []);
                }
                catch (PatchException)
                {
                    outcome = "followed in part";
                }
            }
        }
        catch (Exception e) when (Engine.Il.Damage.IsShownBy(e))
        {
            return "damage shown";
        }

        return outcome;
    }

    /// <summary>The fixture with a few of its methods, so that there is time for many mutations.</summary>
    private static byte[] SmallImage()
    {
        string[] programs = ["Growths", "HotPlaces", "Inliners", "Inlines", "Others", "Pairs", "Parameters", "Places", "AsyncPlaces", "Refusals", "SlotShapes"];
        Directory.CreateDirectory(Folder);
        string file = Path.Combine(Folder, "small.dll");
        using (var assembly = Mono.Cecil.AssemblyDefinition.ReadAssembly(FixtureProgram.FileOf(FixtureProgram.Names[1])))
        {
            foreach (Mono.Cecil.TypeDefinition type in assembly.MainModule.Types.Where(t => Array.IndexOf(programs, t.Name) >= 0).ToArray())
                assembly.MainModule.Types.Remove(type);
            var methods = assembly.MainModule.Types.Single(t => t.Name == "Shapes").Methods;
            foreach (Mono.Cecil.MethodDefinition method in methods.Skip(12).ToArray())
                methods.Remove(method);
            assembly.Write(file);
        }

        return File.ReadAllBytes(file);
    }
}
