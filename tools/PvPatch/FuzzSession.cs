using System.Diagnostics;
using System.Runtime.InteropServices;
using PvPatch.Emulator.Interpreter;
using PvPatch.Oracle;

namespace PvPatch.Tool;

/// <summary>One run of the fuzzer, with what it prints.</summary>
/// <param name="options">What was asked for.</param>
/// <param name="tier">What executes the cases in the emulator.</param>
/// <param name="file">Where lines of cases that differ go, too; null for nowhere.</param>
internal sealed class FuzzSession(FuzzOptions options, ExecutionTier tier, string? file)
{
    private const int DifferenceFound = 1;

    private static readonly TimeSpan ProgressOnTerminal = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan ProgressInFile = TimeSpan.FromMinutes(1);

    private readonly Stopwatch _time = new();
    private TimeSpan _nextProgress;
    private int _told;

    /// <summary>Runs it.</summary>
    internal ExitCode Run()
    {
        using StreamWriter? lines = file is null ? null : Open(file);
        using Fuzzer fuzzer = Fuzzer.TryStart(out string reason, tier) ?? throw new ToolException(ExitCode.Environment, $"The emulator can't be judged here: {reason}.");
        using var cancellation = new CancellationTokenSource();
        using PosixSignalRegistration interrupt = EndsWith(PosixSignal.SIGINT, cancellation);
        using PosixSignalRegistration terminate = EndsWith(PosixSignal.SIGTERM, cancellation);
        Console.WriteLine($"Seed {options.Seed}.");
        _time.Start();
        FuzzSummary summary = fuzzer.Run(options, so => Tell(so, lines), cancellation.Token);
        ClearProgress();
        if (summary.Forms == 0)
            throw new ToolException(ExitCode.WrongUsage, $"No form that can be compared starts with '{options.Only}'.");
        WriteEnd(summary);
        return summary.Differing == 0 ? ExitCode.Success : (ExitCode)DifferenceFound;
    }

    private static PosixSignalRegistration EndsWith(PosixSignal signal, CancellationTokenSource cancellation) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            cancellation.Cancel();
        });

    private static StreamWriter Open(string path)
    {
        try
        {
            return new StreamWriter(path, append: true) { AutoFlush = true };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ToolException(ExitCode.BadInput, $"The cases can't be written: {e.Message}", e);
        }
    }

    private void Tell(FuzzSummary summary, StreamWriter? lines)
    {
        for (; _told < summary.Differences.Count; _told++)
        {
            FuzzDifference difference = summary.Differences[_told];
            ClearProgress();
            Console.WriteLine($"{difference.Code}: {difference.What}{Environment.NewLine}  {difference.Line}");
            lines?.WriteLine(difference.Line);
        }

        if (_time.Elapsed < _nextProgress)
            return;
        _nextProgress = _time.Elapsed + (Console.IsErrorRedirected ? ProgressInFile : ProgressOnTerminal);
        string text = $"{summary.Cases:N0} cases, {summary.Cases / _time.Elapsed.TotalSeconds:N0} a second, {summary.Differing:N0} differ";
        Console.Error.Write(Console.IsErrorRedirected ? text + Environment.NewLine : $"\r{text}\e[K");
    }

    private static void ClearProgress()
    {
        if (!Console.IsErrorRedirected)
            Console.Error.Write("\r\e[K");
    }

    private void WriteEnd(FuzzSummary summary)
    {
        Console.WriteLine($"{summary.Forms:N0} forms of instructions took part; what did not:");
        foreach ((string why, int count) in summary.Skipped)
            Console.WriteLine($"  {count,5:N0}  {why}");
        string outcome = summary.Differing == 0 ? "no difference" : $"{summary.Differing:N0} differ";
        Console.WriteLine($"{summary.Cases:N0} cases, {summary.Sequences:N0} of them sequences, in {_time.Elapsed.TotalSeconds:F1} s: {outcome}.");
    }
}
