namespace PvPatch.Emulator.Exits;

/// <summary>What the machine could pass over as hardware does, but its owner wants to know.</summary>
[Flags]
public enum ExitCauses
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A port without a device: <see cref="MachineExit.UnclaimedPort"/>.</summary>
    UnclaimedPort = 1,

    /// <summary>A physical address where nothing is: <see cref="MachineExit.UnclaimedMemory"/>.</summary>
    UnclaimedMemory = 2,

    /// <summary>A write to ROM: <see cref="MachineExit.UnclaimedMemory"/>.</summary>
    RomWrite = 4,

    /// <summary>A hypercall that the platform does not know, which else is #UD: <see cref="MachineExit.Hypercall"/>.</summary>
    Hypercall = 8,
}
