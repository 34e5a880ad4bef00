namespace PvPatch.Perf.Yardsticks;

/// <summary>One way to run a yardstick.</summary>
/// <param name="Name">Its name in the table.</param>
/// <param name="Share">It runs one repetition where the native program runs so many: what is slow is measured as long, not as often.</param>
/// <param name="Command">The command line for so many repetitions; null if it cannot run this one.</param>
/// <param name="ExitCode">How it ends when all is well.</param>
internal sealed record Contender(string Name, int Share, Func<Yardstick, long, IReadOnlyList<string>?> Command, int ExitCode = 0)
{
    /// <summary>The native one, to which the others' costs are ratios.</summary>
    public const string Native = "native";

    private const string QemuUser = "qemu-x86_64";
    private const string QemuSystem = "qemu-system-x86_64";

    /// <summary>All that this system has.</summary>
    /// <param name="tool">PvPatch, published.</param>
    /// <param name="missing">Told what is not there, in a sentence.</param>
    public static IReadOnlyList<Contender> All(string tool, Action<string> missing)
    {
        List<Contender> all = [new(Native, 1, (yardstick, repetitions) => [yardstick.Program, $"{repetitions}"])];
        if (Installation.Has(QemuUser))
            all.Add(new(QemuUser, 1, (yardstick, repetitions) => [QemuUser, yardstick.Program, $"{repetitions}"]));
        else
            missing($"{QemuUser} is not installed (Debian: qemu-user), so it has no column.");
        if (Installation.Has(QemuSystem))
            all.Add(new(QemuSystem, 1, (yardstick, repetitions) => yardstick.Kernel is { } kernel ? Machine(kernel, repetitions) : null, ExitCode: 1));
        else
            missing($"{QemuSystem} is not installed (Debian: qemu-system-x86), so it has no column.");
        foreach ((string name, string[] options) in Tiers(tool))
            all.Add(new(name, options is ["--tier", "0"] or [] ? 16 : 1, (yardstick, repetitions) => [tool, "run", .. options, yardstick.Program, $"{repetitions}"]));
        return all;
    }

    /// <summary>The tiers of the tool, with the options that choose them.</summary>
    public static IReadOnlyList<(string Name, string[] Options)> Tiers(string tool) =>
        ChildProcess.RunWell([tool, "run", "--help"]).Output.Contains("--tier", StringComparison.Ordinal)
            ? [("tier 0", ["--tier", "0"]), ("tier auto", ["--tier", "auto"])]
            : [("tier 0", [])];

    /// <summary>Runs a yardstick so many times.</summary>
    public ChildProcess? Run(Yardstick yardstick, long repetitions) =>
        Command(yardstick, repetitions) is { } command ? ChildProcess.Run(command).Well(command, ExitCode) : null;

    /// <summary>A PC of TCG; isa-debug-exit makes the exit code from what the guest writes, which is never 0.</summary>
    private static string[] Machine(string kernel, long repetitions) =>
    [
        QemuSystem, "-accel", "tcg", "-m", "64", "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=1", "-kernel", kernel, "-append", $"{repetitions}",
    ];
}
