using System.Globalization;
using System.Reflection;
using PvPatch.Engine;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Perf.Rows;
using PvPatch.Perf.Yardsticks;

namespace PvPatch.Perf;

/// <summary>
/// What it takes to patch an image before it is loaded, when the engine is warm: milliseconds of CPU time by the number of
/// sites, where the bytes suffice and where every site needs a token that the module has not. The limits: 10,000 sites in 30 ms where the
/// bytes suffice, and linear in sites.
/// </summary>
internal static class PlanCosts
{
    private const int WarmUps = 150, Runs = 25; // until then the runtime compiles again, in the same process's CPU time

    /// <summary>Measures and prints.</summary>
    /// <param name="counts">Numbers of sites; from ten to a hundred thousand, if none is given.</param>
    public static void Measure(params int[] counts)
    {
        string folder = Directory.CreateTempSubdirectory("pvpatch-plan-").FullName;
        Console.WriteLine("Planning an image, median CPU ms and MiB allocated:  same size, a method a site   same size, one method   new tokens, a method a site");
        foreach (int sites in counts is [] ? [10, 100, 1_000, 10_000, 100_000] : counts)
        {
            string own = Write(folder, sites, inOneMethod: false), one = Write(folder, sites, inOneMethod: true);
            PlanCost[] costs = [Median(own, PatchableImage.Fill), Median(one, PatchableImage.Fill), Median(own, PatchableImage.FillForeign)];
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {sites,9:N0} sites{costs[0],54}{costs[1],24}{costs[2],29}"));
        }

        Directory.Delete(folder, recursive: true);
    }

    private static string Write(string folder, int sites, bool inOneMethod)
    {
        string file = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, $"{sites}-{inOneMethod}")).FullName, $"{SitesImage.Name}.dll");
        SitesImage.Write(file, sites, inOneMethod);
        return file;
    }

    /// <summary>Plans a file again and again.</summary>
    /// <param name="file">The image.</param>
    /// <param name="fill">Fills the table of the loaded image.</param>
    private static PlanCost Median(string file, Func<Assembly, PvOpTable> fill)
    {
        using ImageSet set = ImageSet.LoadUnpatched([file], collectible: true);
        PvOpTable table = fill(set[SitesImage.Name]);
        var times = new List<double>();
        long allocated = 0;
        for (int run = 0; run < WarmUps + Runs; run++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            TimeSpan start = Environment.CpuUsage.TotalTime;
            PatchPlan plan = Patcher.Plan(table, [file]);
            double time = (Environment.CpuUsage.TotalTime - start).TotalMilliseconds;
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (plan.Report.Totals.Left != 0)
                throw new InvalidOperationException(plan.Report.Sites.First(s => s.Reason is not null).Reason);
            if (run >= WarmUps)
                times.Add(time);
            if (time > 500 && run >= 3)
                return new PlanCost(time, allocated); // warm after a few, and long enough to be one figure
        }

        return new PlanCost(Medians.Of(times), allocated);
    }
}

/// <summary>What one plan takes.</summary>
/// <param name="Milliseconds">CPU time.</param>
/// <param name="Bytes">Bytes allocated.</param>
internal sealed record PlanCost(double Milliseconds, long Bytes)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Milliseconds:F2} ({Bytes / 1048576.0:F1})");
}
