using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Translator;

namespace PvPatch.Emulator;

/// <summary>What a machine is made of.</summary>
public sealed record MachineOptions
{
    /// <summary>The most vCPUs a machine can have.</summary>
    public const int MaxCpus = 8;

    /// <summary>What stands under the guest.</summary>
    public required IPlatform Platform { get; init; }

    /// <summary>How many vCPUs, 1 to <see cref="MaxCpus"/>.</summary>
    public int Cpus { get; init; } = 1;

    /// <summary>Bytes of RAM from address 0 on.</summary>
    public ulong RamSize { get; init; } = 64ul << 20;

    /// <summary>What stops the machine although it could be passed over.</summary>
    public ExitCauses ExitOn { get; init; }

    /// <summary>
    /// The clock; the machine disposes it. None: the host's clock, at 1 GHz. With a <see cref="VirtualClock"/>, whose time comes
    /// from the instruction count, runs are repeatable.
    /// </summary>
    public MachineClock? Clock { get; init; }

    /// <summary>The time of day.</summary>
    public TimeProvider WallClock { get; init; } = TimeProvider.System;

    /// <summary>Where the numbers of RDRAND and RDSEED start, for runs that are the same each time. None: the host's random numbers.</summary>
    public ulong? RandomSeed { get; init; }

    /// <summary>What executes x86 code.</summary>
    public ExecutionTier Tier { get; init; } = ExecutionTier.Automatic;

    /// <summary>How translated code calls the sensitive ops.</summary>
    public SensitiveBinding Sensitive { get; init; }

    /// <summary>Takes each line the guest writes to its console.</summary>
    public Action<string> Console { get; init; } = static _ => { };
}
