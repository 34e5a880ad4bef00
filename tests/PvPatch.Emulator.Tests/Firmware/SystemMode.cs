namespace PvPatch.Emulator.Tests.Firmware;

/// <summary>The modes that a system case can start in.</summary>
public enum SystemMode
{
    /// <summary>Real mode.</summary>
    Real,

    /// <summary>Virtual-8086 mode.</summary>
    Virtual8086,

    /// <summary>Protected mode, 16-bit code, no paging.</summary>
    Protected16,

    /// <summary>Protected mode, 32-bit code, no paging.</summary>
    Protected32,

    /// <summary>Protected mode, 32-bit code, 32-bit paging.</summary>
    Paged32,

    /// <summary>Protected mode, 32-bit code, PAE paging.</summary>
    Pae32,

    /// <summary>Long mode, 32-bit code.</summary>
    Compatibility,

    /// <summary>64-bit mode.</summary>
    Long64,
}
