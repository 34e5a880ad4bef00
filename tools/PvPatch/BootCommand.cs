using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using PvPatch.Hosts;

namespace PvPatch.Tool;

/// <summary><c>boot</c>: boots the guest kernel on a hypervisor, patches it, measures a workload before and after.</summary>
internal static class BootCommand
{
    /// <summary>The modes by their words, the usual one first.</summary>
    internal static readonly (string Word, BootMode Mode)[] Modes = [("image", BootMode.Image), ("inplace", BootMode.InPlace), ("late", BootMode.Late)];

    /// <summary>The command with its options.</summary>
    internal static Command Create()
    {
        string hosts = string.Join(", ", KnownHosts.All.Select(host => host.Key));
        Option<string?> hypervisor = new("--hypervisor") { Description = $"Boot on this hypervisor instead of the detected one: {hosts}.", HelpName = "NAME" };
        Option<bool> noPatch = new("--no-patch") { Description = "Leave every call site indirect." };
        Option<string> mode = new("--mode") { Description = "Patch the files before they are loaded (image), the loaded images before they run (inplace), or the kernel that ran hot (late).", HelpName = "MODE", DefaultValueFactory = _ => Modes[0].Word };
        Option<string> workload = new("--workload") { Description = "What the kernel runs: irq, mmu, switch, lock or mixed.", HelpName = "NAME", DefaultValueFactory = _ => "irq" };
        Option<ulong> seed = new("--seed") { Description = "Where the workload's pseudo-random choices start.", HelpName = "N", DefaultValueFactory = _ => 1, CustomParser = ParseSeed };
        Option<bool> diagnose = new("--diagnose") { Description = "Tell which bodies of the patched methods the runtime compiled, which of them run, and who inlined whom." };
        Option<string?> report = new("--report") { Description = "Write what was patched and measured to this file, as JSON.", HelpName = "FILE" };
        Option<string?> guest = new("--guest") { Description = "The kernel's image, an assembly with a class that implements IGuestKernel.", HelpName = "FILE" };
        Option<bool> quiet = new("--quiet", "-q") { Description = "Print the result only, not the boot log and the patch summary." };
        Option<bool> verbose = new("--verbose", "-v") { Description = "Print each site's IL before and after, too." };
        hypervisor.CompletionSources.Add([.. KnownHosts.All.Select(host => host.Key)]);
        hypervisor.Validators.Add(result => CheckHypervisor(result, hosts));
        mode.CompletionSources.Add([.. Modes.Select(known => known.Word)]);
        mode.Validators.Add(CheckMode);
        workload.CompletionSources.Add("irq", "mmu", "switch", "lock", "mixed");

        var command = new Command("boot", "Boot the guest kernel on the hypervisor that was detected, patch its call sites, and measure a workload through the slots and patched.")
        {
            hypervisor, noPatch, mode, workload, seed, diagnose, report, guest, quiet, verbose,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(quiet) && result.GetValue(verbose))
                result.AddError("'--quiet' and '--verbose' exclude each other");
            if (result.GetValue(noPatch) && result.GetResult(mode) is { Implicit: false })
                result.AddError("'--no-patch' and '--mode' exclude each other");
            if (result.GetValue(noPatch) && result.GetValue(diagnose))
                result.AddError("'--no-patch' and '--diagnose' exclude each other");
        });
        command.SetAction(parsed => (int)new BootSession(new BootOptions
        {
            Hypervisor = parsed.GetValue(hypervisor),
            Patch = !parsed.GetValue(noPatch),
            Mode = Modes.Single(known => string.Equals(known.Word, parsed.GetValue(mode), StringComparison.Ordinal)).Mode,
            Workload = parsed.GetValue(workload)!,
            Seed = parsed.GetValue(seed),
            Diagnose = parsed.GetValue(diagnose),
            Report = parsed.GetValue(report),
            Guest = parsed.GetValue(guest),
            Quiet = parsed.GetValue(quiet),
            Verbose = parsed.GetValue(verbose),
        }).Run());
        return command;
    }

    private static ulong ParseSeed(ArgumentResult argument)
    {
        string word = argument.Tokens[0].Value;
        if (!ulong.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed))
            argument.AddError($"'{word}' is no seed; it is a whole number from 0 to {ulong.MaxValue}");
        return seed;
    }

    private static void CheckMode(OptionResult result)
    {
        if (result.Tokens is [Token only, ..] && !Modes.Any(known => string.Equals(known.Word, only.Value, StringComparison.Ordinal)))
            result.AddError($"'{only.Value}' is no mode; there are {string.Join(", ", Modes.Select(known => known.Word))}");
    }

    private static void CheckHypervisor(OptionResult result, string hosts)
    {
        if (result.Tokens is [Token only, ..] && KnownHosts.Find(only.Value) is null)
            result.AddError($"'{only.Value}' is no hypervisor that the guest can boot on; there are {hosts}");
    }
}
