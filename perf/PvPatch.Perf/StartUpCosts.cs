using System.Globalization;
using PvPatch.Perf.Yardsticks;

namespace PvPatch.Perf;

/// <summary>
/// What the engine costs at start-up, and what a method costs in memory that is patched late: whole processes, in turn,
/// medians. The limit: a program of 100 sites starts within 60 ms of one that is not patched.
/// </summary>
internal static class StartUpCosts
{
    private const int Runs = 11, ManySites = 2000;

    /// <summary>Measures and prints.</summary>
    public static void Measure()
    {
        using (var ahead = new GeneratedProgram(sites: 100, aheadOfTime: true))
        using (var own = new GeneratedProgram(sites: 100, aheadOfTime: false))
        {
            Console.WriteLine("A program of 100 ops and sites, from start to end:                  wall ms   CPU ms");
            (string Name, GeneratedProgram Program, string Form)[] forms =
            [
                ("slots filled by hand, all compiled ahead", ahead, "by-hand"),
                ("slots filled by hand, own code compiled when called", own, "by-hand"),
                ("slots filled by the engine", own, "slots"),
                ("patched in place", own, "patched"),
                ("a copy loaded from its file, slots filled by the engine", own, "loaded"),
                ("a copy loaded from its file, patched before", own, "image"),
            ];
            List<ProcessCost>[] costs = Alternating([.. forms.Select(f => (Func<ProcessCost>)(() => f.Program.Start(f.Form)))]);
            for (int i = 0; i < forms.Length; i++)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {forms[i].Name,-60}  {Median(costs[i], c => c.WallMilliseconds),11:F1}  {Median(costs[i], c => c.CpuMilliseconds),7:F1}"));
        }

        using var many = new GeneratedProgram(ManySites, aheadOfTime: false);
        List<ProcessCost>[] memory = Alternating([() => many.Start("old"), () => many.Start("late")]);
        double bytes = (Median(memory[1], c => c.Memory) - Median(memory[0], c => c.Memory)) / ManySites;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"A method led to a copy takes {bytes / 1024:F1} KiB ({ManySites} small methods)."));
    }

    /// <summary>Each in turn, so that what the machine does meanwhile meets all alike.</summary>
    private static List<ProcessCost>[] Alternating(Func<ProcessCost>[] forms)
    {
        List<ProcessCost>[] costs = [.. forms.Select(_ => new List<ProcessCost>())];
        for (int run = 0; run < Runs; run++)
        {
            for (int i = 0; i < forms.Length; i++)
                costs[i].Add(forms[i]());
        }

        return costs.SelectMany(c => c).DistinctBy(c => c.Checksum, StringComparer.Ordinal).Count() == 1 ? costs : throw new InvalidOperationException("The forms compute different things.");
    }

    private static double Median(List<ProcessCost> costs, Func<ProcessCost, double> of) => Medians.Of(costs.Select(of));
}
