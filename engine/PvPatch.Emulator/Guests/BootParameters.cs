using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Guests;

/// <summary>What a machine hands its guest at start, as a boot loader does.</summary>
/// <param name="cpu">The boot CPU.</param>
/// <param name="commandLine">The kernel command line, words separated by blanks.</param>
public sealed unsafe class BootParameters(CpuState* cpu, string commandLine)
{
    /// <summary>The boot CPU; the machine's memory hangs on it.</summary>
    public CpuState* Cpu { get; } = cpu;

    /// <summary>The kernel command line.</summary>
    public string CommandLine { get; } = commandLine;
}
