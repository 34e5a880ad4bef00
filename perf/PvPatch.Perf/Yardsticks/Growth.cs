using System.Globalization;

namespace PvPatch.Perf.Yardsticks;

/// <summary>A long run.</summary>
/// <param name="Program">What runs.</param>
/// <param name="Instructions">How many guest instructions; 0 if it is the time that ends it.</param>
/// <param name="Mips">Millions of them a second of CPU time, start-up included; 0 if it is the time that ends it.</param>
/// <param name="Resident">The process's resident memory in KiB: after a quarter, half, three quarters and at the end.</param>
internal sealed record Growth(string Program, double Instructions, double Mips, IReadOnlyList<long> Resident)
{
    private const int LimitReached = 124;

    /// <summary>Measures and prints.</summary>
    /// <param name="installation">The tool.</param>
    /// <param name="quick">A tenth of the instructions and of the time.</param>
    public static IReadOnlyList<Growth> Measure(Installation installation, bool quick)
    {
        var rows = new List<Growth>();
        Console.WriteLine($"{"Growth",-30}{"instructions",16}{"MIPS",8}    KiB resident, by quarters");
        if (Installation.Has("gcc"))
        {
            Yardstick yardstick = Yardstick.Compile("bytecode", installation.Folder);
            foreach (string tier in Contender.Tiers)
            {
                double most = quick ? 1e8 : tier is "auto" ? 1e10 : 1e9;
                for (double instructions = 1e7; instructions <= most; instructions *= 10)
                    rows.Add(Endless(installation, tier, yardstick, instructions));
            }
        }
        else
        {
            Console.WriteLine("gcc is not installed, so no yardstick is run.");
        }

        if (Installation.Has("busybox"))
            rows.Add(Shell(installation, quick ? 6 : 60));
        else
            Console.WriteLine("busybox is not installed (Debian: busybox-static), so no shell script is run.");
        return rows;
    }

    private static Growth Endless(Installation installation, string tier, Yardstick yardstick, double instructions)
    {
        string limit = instructions.ToString("F0", CultureInfo.InvariantCulture);
        string[] command = [installation.Tool, "run", "--tier", tier, "--max-instructions", limit, yardstick.Program, $"{long.MaxValue}"];
        ChildProcess child = ChildProcess.Run(command, TimeSpan.FromMilliseconds(20)).Well(command, LimitReached);
        return Told(new Growth($"{yardstick.Name}, tier {tier}", instructions, instructions / child.CpuSeconds / 1e6, Quarters(child.Resident)));
    }

    /// <summary>Processes, pipes, files and arithmetic for some time.</summary>
    private static Growth Shell(Installation installation, int seconds)
    {
        string script = $"end=$(($(date +%s) + {seconds})); n=0; while [ $(date +%s) -lt $end ]; do n=$((n + 1)); ls /etc | sort | md5sum; done | tail -n 1";
        string busybox = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, "busybox")).First(File.Exists);
        string[] command = [installation.Tool, "run", busybox, "sh", "-c", script];
        ChildProcess child = ChildProcess.Run(command, TimeSpan.FromMilliseconds(100)).Well(command);
        return Told(new Growth($"busybox sh for {seconds} s", 0, 0, Quarters(child.Resident)));
    }

    private static long[] Quarters(IReadOnlyList<long> samples)
    {
        long[] alive = [.. samples.Where(size => size > 0)];
        return alive.Length < 4 ? alive : [.. Enumerable.Range(1, 4).Select(quarter => alive[(alive.Length * quarter / 4) - 1])];
    }

    private static Growth Told(Growth row)
    {
        string instructions = row.Instructions == 0 ? "-" : row.Instructions.ToString("n0", CultureInfo.InvariantCulture);
        string mips = row.Mips == 0 ? "-" : row.Mips.ToString("F0", CultureInfo.InvariantCulture);
        Console.WriteLine($"{row.Program,-30}{instructions,16}{mips,8}    {string.Join(", ", row.Resident)}");
        return row;
    }
}
