namespace PvPatch.Emulator.Exits;

/// <summary>Why a machine stopped running its guest. The nested records are all there are.</summary>
public abstract record MachineExit
{
    private MachineExit()
    {
    }

    /// <summary>The guest's code came to its end; the machine can run more.</summary>
    public sealed record Returned : MachineExit;

    /// <summary>The guest powered the machine off.</summary>
    public sealed record PoweredOff : MachineExit;

    /// <summary>The guest told the panic device that it cannot go on.</summary>
    /// <param name="Message">The last lines it wrote to its console.</param>
    public sealed record Panicked(string Message) : MachineExit;

    /// <summary>An exception could not be delivered, nor the double fault after it; hardware would reset.</summary>
    /// <param name="Detail">What could not be delivered to which vCPU, and why.</param>
    public sealed record TripleFault(string Detail) : MachineExit;

    /// <summary>The boot vCPU halted and nothing in the machine can wake it.</summary>
    /// <param name="InterruptsEnabled">Whether RFLAGS.IF was set: then no timer was armed either.</param>
    public sealed record Halted(bool InterruptsEnabled) : MachineExit;

    /// <summary>A vCPU spun in its slice for something only a vCPU that waits below it could do.</summary>
    /// <param name="Detail">Which vCPU and how long.</param>
    public sealed record Stuck(string Detail) : MachineExit;

    /// <summary>An exception of the host came out of guest code, a device or the platform.</summary>
    /// <param name="Cause">The exception.</param>
    public sealed record Threw(Exception Cause) : MachineExit;
}
