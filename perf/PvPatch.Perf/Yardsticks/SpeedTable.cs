using System.Globalization;
using System.Text.RegularExpressions;

namespace PvPatch.Perf.Yardsticks;

/// <summary>What a contender took for a yardstick.</summary>
/// <param name="Contender">Who.</param>
/// <param name="Repetitions">How many repetitions were measured.</param>
/// <param name="StartMilliseconds">CPU time of a run with no repetition.</param>
/// <param name="Microseconds">CPU time of one repetition, start-up taken off.</param>
/// <param name="Ratio">That, native ones being 1.</param>
/// <param name="Mips">Guest instructions a second of CPU time, in millions.</param>
internal sealed record SpeedCell(string Contender, long Repetitions, double StartMilliseconds, double Microseconds, double Ratio, double Mips);

/// <summary>A yardstick's row.</summary>
/// <param name="Yardstick">Its name.</param>
/// <param name="Instructions">Guest instructions of a repetition.</param>
/// <param name="Cells">The contenders that can run it.</param>
internal sealed record SpeedRow(string Yardstick, double Instructions, IReadOnlyList<SpeedCell> Cells);

/// <summary>
/// The yardsticks in CPU time: each contender in turn, medians, start-up taken off. Every contender must print the same
/// checksum as the native program.
/// </summary>
internal sealed partial class SpeedTable(IReadOnlyList<Contender> contenders, string tool, double seconds, int runs)
{
    /// <summary>Measures a yardstick.</summary>
    public SpeedRow Measure(Yardstick yardstick)
    {
        Contender native = contenders[0];
        string checksum = native.Run(yardstick, 1)!.Output;
        Contender[] able = [.. contenders.Where(contender => contender.Command(yardstick, 1) is not null)];
        foreach (Contender contender in able)
        {
            if (contender.Run(yardstick, 1)!.Output is var other && other != checksum)
                throw new InvalidOperationException($"{yardstick.Name}: {contender.Name} computes {other.Trim()}, the processor {checksum.Trim()}.");
        }

        long repetitions = Calibrate(native, yardstick, 1);
        Dictionary<Contender, long> counts = able.ToDictionary(contender => contender, contender => contender == native ? repetitions : Calibrate(contender, yardstick, Math.Max(1, repetitions / contender.Share)));
        IEnumerable<Func<double>> forms = able.SelectMany(contender => (Func<double>[])[
            () => contender.Run(yardstick, 0)!.CpuSeconds,
            () => contender.Run(yardstick, counts[contender])!.CpuSeconds]);
        double[] medians = Medians.InTurn(runs, [.. forms]);
        double instructions = (InstructionsOf(yardstick, 3) - InstructionsOf(yardstick, 1)) / 2.0;
        double[] each = [.. able.Select((contender, i) => (medians[(2 * i) + 1] - medians[2 * i]) / counts[contender])];
        return new SpeedRow(yardstick.Name, instructions, [.. able.Select((contender, i) =>
            new SpeedCell(contender.Name, counts[contender], medians[2 * i] * 1e3, each[i] * 1e6, each[i] / each[0], instructions / each[i] / 1e6))]);
    }

    /// <summary>The table, with geometric means of the ratios over the rows that each contender has.</summary>
    public IEnumerable<string> Text(IReadOnlyList<SpeedRow> rows)
    {
        string[] names = [.. contenders.Skip(1).Select(contender => contender.Name)];
        yield return $"{"times native, by CPU time",-26}{string.Concat(names.Select(name => $"{name,20}"))}    MIPS: {string.Join(", ", contenders.Select(contender => contender.Name))}";
        foreach (SpeedRow row in rows)
        {
            IEnumerable<string> ratios = names.Select(name => Cell(row, name) is { } cell ? Number(cell.Ratio, "F2") : "-");
            IEnumerable<string> mips = contenders.Select(contender => Cell(row, contender.Name) is { } cell ? Number(cell.Mips, "F0") : "-");
            yield return $"{row.Yardstick,-26}{string.Concat(ratios.Select(ratio => $"{ratio,20}"))}    {string.Join(", ", mips)}";
        }

        yield return $"{"geometric mean",-26}{string.Concat(names.Select(name => $"{Number(Mean(rows, name), "F2"),20}"))}";
        yield return $"{"start-up, ms of CPU time",-26}{string.Concat(names.Select(name => $"{Number(Medians.Of(Cells(rows, name).Select(cell => cell.StartMilliseconds)), "F1"),20}"))}";
    }

    private static double Mean(IReadOnlyList<SpeedRow> rows, string name) => Medians.GeometricMean(Cells(rows, name).Select(cell => cell.Ratio));

    private static IEnumerable<SpeedCell> Cells(IReadOnlyList<SpeedRow> rows, string name) => rows.Select(row => Cell(row, name)).OfType<SpeedCell>();

    private static SpeedCell? Cell(SpeedRow row, string name) => row.Cells.FirstOrDefault(cell => cell.Contender == name);

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>How many repetitions, at least so many, take the wanted time, and longer than the start-up that is taken off.</summary>
    private long Calibrate(Contender contender, Yardstick yardstick, long repetitions)
    {
        double start = contender.Run(yardstick, 0)!.CpuSeconds;
        double wanted = Math.Max(seconds / 2, start);
        while (true)
        {
            double spent = contender.Run(yardstick, repetitions)!.CpuSeconds - start;
            if (spent >= wanted)
                return repetitions;
            repetitions = (long)Math.Ceiling(repetitions * Math.Clamp(1.5 * wanted / Math.Max(spent, 1e-6), 2, 32));
        }
    }

    private long InstructionsOf(Yardstick yardstick, long repetitions)
    {
        string error = ChildProcess.RunWell([tool, "run", "--stats", yardstick.Program, $"{repetitions}"]).Error;
        return long.Parse(Instructions().Match(error).Groups["count"].ValueSpan, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("PvPatch: (?<count>[0-9,]+) instructions", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Instructions();
}
