using System.Globalization;

namespace PvPatch.Perf.Yardsticks;

/// <summary>What code costs that is executed once or a few times, in nanoseconds of CPU time an instruction, start-up taken off.</summary>
/// <param name="Runner">Who executes it.</param>
/// <param name="Once">100,000 instructions, each executed once.</param>
/// <param name="TenTimes">The same, each executed ten times: a tenth of it is the cost of one execution.</param>
internal sealed record ColdCode(string Runner, double Once, double TenTimes)
{
    private const int Instructions = 100_000;

    /// <summary>Measures and prints.</summary>
    public static IReadOnlyList<ColdCode> Measure(Installation installation, int runs)
    {
        string[] programs = [.. ((int[])[0, 1, 10]).Select(repetitions => GeneratedElf.Cold(installation.Folder, Instructions, repetitions))];
        List<(string Name, string[] Prefix)> contenders = [(Contender.Native.Name, [])];
        if (Installation.Has("qemu-x86_64"))
            contenders.Add(("qemu-x86_64", ["qemu-x86_64"]));
        contenders.AddRange(Contender.Tiers.Select(tier => ($"tier {tier}", (string[])[installation.Tool, "run", "--tier", tier])));
        IEnumerable<Func<double>> forms = contenders.SelectMany(contender =>
            programs.Select(program => (Func<double>)(() => ChildProcess.RunWell([.. contender.Prefix, program]).CpuSeconds)));
        double[] seconds = Medians.InTurn(runs, [.. forms]);
        var rows = new List<ColdCode>();
        for (int i = 0; i < contenders.Count; i++)
        {
            double start = seconds[3 * i];
            rows.Add(new ColdCode(contenders[i].Name, (seconds[(3 * i) + 1] - start) * 1e9 / Instructions, (seconds[(3 * i) + 2] - start) * 1e9 / Instructions));
        }

        Console.WriteLine($"{Instructions:n0} different instructions, ns each, executed     once   ten times");
        foreach (ColdCode row in rows)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {row.Runner,-44}  {row.Once,8:F1}  {row.TenTimes,10:F1}"));
        return rows;
    }
}
