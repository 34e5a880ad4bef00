using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Memory;

/// <summary>What an access does.</summary>
public enum AccessKind
{
    /// <summary>A data read.</summary>
    Read,

    /// <summary>A data write, or the read of a read-modify-write.</summary>
    Write,

    /// <summary>An instruction fetch.</summary>
    Execute,
}

/// <summary>On whose behalf an access is made (Intel SDM vol. 3, 4.6). Each mode has its own table in the TLB.</summary>
public enum AccessMode
{
    /// <summary>CPL below 3, or an implicit access to a descriptor table or TSS at any CPL: SMAP holds.</summary>
    Supervisor,

    /// <summary>CPL below 3 with SMAP suspended by RFLAGS.AC.</summary>
    SupervisorUnrestricted,

    /// <summary>CPL 3.</summary>
    User,
}

/// <summary>Finds the access mode of the CPU's own explicit accesses.</summary>
public static unsafe class AccessModes
{
    /// <summary>How many modes there are.</summary>
    public const int Count = 3;

    /// <summary>The mode of the explicit accesses that the CPU makes now.</summary>
    public static AccessMode Of(CpuState* cpu)
    {
        if (PrivilegeLevel.Of(cpu) == 3)
            return AccessMode.User;
        bool suspended = (cpu->Cr4 & Cr4Bits.Smap) != 0 && (cpu->RFlags & RFlags.AlignmentCheck) != 0;
        return suspended ? AccessMode.SupervisorUnrestricted : AccessMode.Supervisor;
    }
}
