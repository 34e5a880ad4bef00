using PvPatch.Emulator.Memory;

namespace PvPatch.Emulator.Exits;

/// <summary>Why a machine stopped running its guest. The nested records are all there are.</summary>
public abstract record MachineExit
{
    private MachineExit()
    {
    }

    /// <summary>The C# guest's code came to its end; the machine can run more.</summary>
    public sealed record Returned : MachineExit;

    /// <summary>The number of instructions asked for was executed; the machine can run on.</summary>
    public sealed record InstructionLimit : MachineExit;

    /// <summary>The owner or a hook asked for it; the machine can run on.</summary>
    public sealed record Stopped : MachineExit;

    /// <summary>An IN or OUT for which there is no device, where the owner wants to know. It is done, an IN with ones; the machine can run on.</summary>
    /// <param name="Cpu">The vCPU.</param>
    /// <param name="Port">The lowest port.</param>
    /// <param name="Size">Bytes: 1, 2 or 4.</param>
    /// <param name="Written">The value of an OUT, null for an IN.</param>
    public sealed record UnclaimedPort(int Cpu, ushort Port, int Size, uint? Written) : MachineExit;

    /// <summary>An access to physical memory that nothing answered, where the owner wants to know. It is done, a read with ones; the machine can run on.</summary>
    /// <param name="Cpu">The vCPU.</param>
    /// <param name="Access">The access; the first one, if the instruction made several.</param>
    public sealed record UnclaimedMemory(int Cpu, UnclaimedAccess Access) : MachineExit;

    /// <summary>A hypercall that the platform does not know, where the owner wants to know. RIP is behind it, the registers hold what it was asked; the machine can run on.</summary>
    /// <param name="Cpu">The vCPU.</param>
    /// <param name="Number">RAX.</param>
    public sealed record Hypercall(int Cpu, ulong Number) : MachineExit;

    /// <summary>The guest powered the machine off.</summary>
    public sealed record PoweredOff : MachineExit;

    /// <summary>The guest told the panic device that it cannot go on.</summary>
    /// <param name="Message">The last lines it wrote to its console.</param>
    public sealed record Panicked(string Message) : MachineExit;

    /// <summary>An exception could not be delivered, nor the double fault after it; hardware would reset.</summary>
    /// <param name="Detail">What could not be delivered to which vCPU, and why.</param>
    public sealed record TripleFault(string Detail) : MachineExit;

    /// <summary>The boot vCPU halted and nothing in the machine can wake it. A machine that runs x86 code can run on once its owner raised an interrupt.</summary>
    /// <param name="InterruptsEnabled">Whether RFLAGS.IF was set: then no timer was armed either.</param>
    public sealed record Halted(bool InterruptsEnabled) : MachineExit;

    /// <summary>A vCPU spun in its slice for something only a vCPU that waits below it could do.</summary>
    /// <param name="Detail">Which vCPU and how long.</param>
    public sealed record Stuck(string Detail) : MachineExit;

    /// <summary>An exception of the host came out of a C# guest, a device, a hook or the platform.</summary>
    /// <param name="Cause">The exception.</param>
    public sealed record Threw(Exception Cause) : MachineExit;
}
