using PvPatch.Perf.Measuring;

namespace PvPatch.Perf.Yardsticks;

/// <summary>One way to run a yardstick.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Command">The command line for so many repetitions. Throws <see cref="PlatformNotSupportedException"/> where it cannot run this one.</param>
/// <param name="ExitCode">How it ends when all is well.</param>
internal sealed record Contender(string Name, Func<Yardstick, long, IReadOnlyList<string>> Command, int ExitCode = 0)
{
    /// <summary>The processor.</summary>
    public static Contender Native { get; } = new("native", (yardstick, repetitions) => [yardstick.Program, $"{repetitions}"]);

    /// <summary>QEMU's user mode.</summary>
    public static Contender QemuUser { get; } = new("qemu-x86_64", (yardstick, repetitions) =>
        [Installation.Required("qemu-x86_64", "qemu-user"), yardstick.Program, $"{repetitions}"]);

    /// <summary>A PC of QEMU's translator; isa-debug-exit makes the exit code from what the guest writes, which is never 0.</summary>
    public static Contender QemuSystem { get; } = new("qemu-system-x86_64", ExitCode: 1, Command: (yardstick, repetitions) =>
    [
        Installation.Required("qemu-system-x86_64", "qemu-system-x86"), "-accel", "tcg", "-m", "64", "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
        "-kernel", yardstick.Kernel ?? throw new PlatformNotSupportedException($"{yardstick.Name} needs Linux under it, so no bare machine runs it."),
        "-append", $"{repetitions}",
    ]);

    /// <summary>The words of the tool's tiers: the interpreter alone, and with it the translator for what runs often.</summary>
    public static IReadOnlyList<string> Tiers { get; } = ["0", "auto"];

    /// <summary>The tool, which this program has to be.</summary>
    /// <param name="tier">The word of its tier.</param>
    public static Contender Tool(string tier) => new($"tier {tier}", (yardstick, repetitions) => OwnProgram.IsPvPatch
        ? [.. OwnProgram.Command, "run", "--tier", tier, yardstick.Program, $"{repetitions}"]
        : throw new PlatformNotSupportedException("Only 'PvPatch lab' measures 'PvPatch run'."));

    /// <summary>Runs a yardstick so many times.</summary>
    public ChildProcess Run(Yardstick yardstick, long repetitions)
    {
        IReadOnlyList<string> command = Command(yardstick, repetitions);
        return ChildProcess.Run(command).Well(command, ExitCode);
    }
}
