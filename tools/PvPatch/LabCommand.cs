using System.CommandLine;
using PvPatch.Perf;
using PvPatch.Perf.Measuring;

namespace PvPatch.Tool;

/// <summary><c>lab</c>: measures what calls, patching and the guest cost.</summary>
internal static class LabCommand
{
    private const string Description = """
        Measure what a call costs in every way that a .NET program has, what patching costs and saves, what that means for the
        guest kernel's work, and what the emulator costs. Everything is compared with a baseline in the same run.
        "lab compare A.json B.json" compares two runs.

        Exit codes:
          0  done
          1  --check: something is not held; compare: something got worse
          2, 3, 4, 70  as in "PvPatch --help"; 2: no benchmark has the name; 3: an assembly, one of its benchmarks, a folder or
             a result file cannot be used
        """;

    /// <summary>The command with its options.</summary>
    internal static Command Create()
    {
        Option<bool> quick = new("--quick") { Description = "Take less than three minutes for everything. The default." };
        Option<bool> full = new("--full") { Description = "Take longer: for figures that go into a document." };
        Option<string[]> filter = new("--filter") { Description = "Measure what has such a name, with * and ?: '*Chain*'. May be given more than once.", HelpName = "NAME", DefaultValueFactory = _ => [] };
        Option<string[]> assembly = new("--assembly") { Description = "Measure the benchmarks of this assembly instead: classes with BenchmarkDotNet's attributes.", HelpName = "FILE", DefaultValueFactory = _ => [] };
        Option<string?> output = new("--out") { Description = "Write lab.json, lab.csv, lab.md, lab.html and the charts into this folder.", HelpName = "DIR" };
        Option<bool> check = new("--check") { Description = "Fail where patched code is slower than hand-written, the slot not ten times patched, or patching not linear. A quick run fails only where it is so far beyond noise." };
        Option<bool> list = new("--list") { Description = "Name the benchmarks, and measure nothing." };
        var command = new Command("lab", Description) { quick, full, filter, assembly, output, check, list };
        command.Validators.Add(result =>
        {
            if (result.GetValue(quick) && result.GetValue(full))
                result.AddError("'--quick' and '--full' exclude each other");
        });
        command.SetAction(parsed =>
        {
            var session = new LabSession(
                parsed.GetValue(assembly)!,
                parsed.GetValue(filter)!,
                parsed.GetValue(full) ? LabMode.Full : LabMode.Quick,
                parsed.GetValue(output),
                parsed.GetValue(check));
            return (int)(parsed.GetValue(list) ? session.List() : session.Run());
        });
        command.Subcommands.Add(CreateCompare());
        return command;
    }

    /// <summary>The hidden command of the lab's own processes.</summary>
    internal static Command CreateProcess()
    {
        var arguments = new Argument<string[]>("arguments");
        var command = new Command(Lab.ProcessWord) { arguments };
        command.Hidden = true;
        command.SetAction(parsed => Lab.BeProcess(parsed.GetValue(arguments)!));
        return command;
    }

    private static Command CreateCompare()
    {
        var before = new Argument<string>("A.json") { Description = "The lab.json of the first run." };
        var after = new Argument<string>("B.json") { Description = "The lab.json of the second run." };
        var command = new Command("compare", "Tell what got better or worse from one run to another, beyond noise. Exit code 1: something got worse.") { before, after };
        command.SetAction(parsed => (int)LabSession.Compare(parsed.GetValue(before)!, parsed.GetValue(after)!));
        return command;
    }
}
