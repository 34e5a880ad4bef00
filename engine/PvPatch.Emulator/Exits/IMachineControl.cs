using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Exits;

/// <summary>What a platform may do with the machine it was attached to.</summary>
public unsafe interface IMachineControl
{
    /// <summary>The machine's RAM.</summary>
    PhysicalMemory Memory { get; }

    /// <summary>The machine's clock.</summary>
    MachineClock Clock { get; }

    /// <summary>The time of day.</summary>
    TimeProvider WallClock { get; }

    /// <summary>How many vCPUs the machine has.</summary>
    int CpuCount { get; }

    /// <summary>The state of a vCPU.</summary>
    CpuState* Cpu(int index);

    /// <summary>What RDTSC would read on a vCPU when the machine's clock stands at a time.</summary>
    /// <param name="index">The vCPU.</param>
    /// <param name="now">In cycles of <see cref="Clock"/>.</param>
    ulong GuestTsc(int index, ulong now);

    /// <summary>Wakes a vCPU out of HLT; one that is not halted returns from its next HLT at once.</summary>
    void Kick(int index);

    /// <summary>Sends a fixed interrupt to a vCPU's local APIC.</summary>
    void Interrupt(int index, byte vector);

    /// <summary>Sends an NMI to a vCPU.</summary>
    void Nmi(int index);

    /// <summary>Drops all translations a vCPU holds.</summary>
    void FlushTlb(int index);

    /// <summary>Lets another vCPU run for a slice in the caller's place, if it is runnable.</summary>
    void YieldTo(CpuState* from, int index);

    /// <summary>Stops the machine: a C# guest at once, on its vCPU's thread the call does not return; x86 code behind the instruction.</summary>
    void Exit(MachineExit exit);
}
