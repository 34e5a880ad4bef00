using System.Diagnostics;
using System.Globalization;
using PvPatch.Engine.Reports;

namespace PvPatch.Samples;

/// <summary>
/// Compares the speed of a piece of work in several forms, each in a process of its own: what has run through the slots is
/// compiled so, and would spoil the figure of the patched form.
/// </summary>
internal static class Comparison
{
    /// <summary>Every call goes through its slot, as it was compiled.</summary>
    public const string ThroughSlots = "through the slots";

    /// <summary>The same program, patched at start-up.</summary>
    public const string Patched = "patched";

    /// <summary>What one would write by hand if only one implementation existed.</summary>
    public const string HandWritten = "hand-written";

    /// <summary>As plug-ins are called elsewhere.</summary>
    public const string ByDelegate = "by a delegate";

    private const string As = "--as", Short = "--short";
    private const int ChecksumRounds = 100, WarmUpRounds = 60, Runs = 9;
    private static readonly TimeSpan TierUpDelay = TimeSpan.FromMilliseconds(250); // the runtime waits 100 ms, then compiles in the background

    /// <summary>Whether this process is the one that is to be patched.</summary>
    /// <param name="args">The program's arguments.</param>
    public static bool IsPatched(string[] args) => args is [As, Patched, ..];

    /// <summary>
    /// Measures one form if the arguments say which, else starts a process for each and prints what they say. With
    /// <c>--short</c> the figures are those of code that has hardly run: enough to see that it works.
    /// </summary>
    /// <param name="args">The program's arguments.</param>
    /// <param name="title">What is measured, in a few words.</param>
    /// <param name="report">What was patched, in the process that is.</param>
    /// <param name="callsPerRound">Calls of the op in one round.</param>
    /// <param name="work">Does so many rounds through the op, and gives a checksum.</param>
    /// <param name="otherForm">What patched code is compared with besides: <see cref="HandWritten"/> or <see cref="ByDelegate"/>.</param>
    /// <param name="other">The same in that form.</param>
    /// <returns>The process's exit code: 0, or 1 if the forms disagree or one fails.</returns>
    public static int Run(string[] args, string title, PatchReport? report, int callsPerRound, Func<int, ulong> work, string otherForm, Func<int, ulong> other)
    {
        if (args is [As, var form, .. var rest])
        {
            Tell(report, Measure(form == otherForm ? other : work, callsPerRound, isShort: rest is [Short]));
            return 0;
        }

        Console.WriteLine($"{title}, in CPU time a call, each form in a process of its own:");
        string[][] told = [.. new[] { ThroughSlots, Patched, otherForm }.Select(f => RunAs(f, args))];
        foreach (string[] words in told)
            Console.WriteLine($"  {words[0],-20}{words[1],9} ns   checksum {words[2]}   {words[3]}");
        double before = Number(told[0][1]), after = Number(told[1][1]), otherwise = Number(told[2][1]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Patched is {before / after:F1} times as fast as through the slots, and {otherwise / after:F2} times as fast as {otherForm}."));
        return told.All(t => t[2] == told[0][2]) ? 0 : 1;
    }

    private static (ulong Checksum, double Nanoseconds) Measure(Func<int, ulong> work, int callsPerRound, bool isShort)
    {
        ulong checksum = work(ChecksumRounds);
        for (int i = 0; i < WarmUpRounds && !isShort; i++)
        {
            work(ChecksumRounds);
            if (i % (WarmUpRounds / 3) == 0)
                Thread.Sleep(TierUpDelay);
        }

        int rounds = ChecksumRounds;
        while (!isShort && CpuTimeOf(work, rounds) < 20)
            rounds *= 2;
        double[] times = [.. Enumerable.Range(0, Runs).Select(_ => CpuTimeOf(work, rounds)).Order()];
        return (checksum, times[Runs / 2] * 1e6 / rounds / callsPerRound);
    }

    /// <summary>CPU time in milliseconds: what else runs on the machine does not count.</summary>
    private static double CpuTimeOf(Func<int, ulong> work, int rounds)
    {
        TimeSpan start = Environment.CpuUsage.TotalTime;
        work(rounds);
        return (Environment.CpuUsage.TotalTime - start).TotalMilliseconds;
    }

    private static void Tell(PatchReport? report, (ulong Checksum, double Nanoseconds) measured)
    {
        string sites = report is null ? "" : $"{report.Totals.Patched} of {report.Sites.Count} sites patched";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{measured.Nanoseconds:F3}\t{measured.Checksum:x16}\t{sites}"));
    }

    private static string[] RunAs(string form, string[] args)
    {
        string program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(program) is "dotnet")
            start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        foreach (string argument in (string[])[As, form, .. args])
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? [form, .. output.TrimEnd('\n', '\r').Split('\t')]
            : throw new InvalidOperationException($"The process that measures {form} ended with {process.ExitCode}.");
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
