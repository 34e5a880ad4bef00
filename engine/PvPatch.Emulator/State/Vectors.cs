namespace PvPatch.Emulator.State;

/// <summary>Exception vectors (Intel SDM vol. 3, 6.3.1).</summary>
public static class Vectors
{
    /// <summary>#DE.</summary>
    public const uint DivideError = 0;

    /// <summary>#DB.</summary>
    public const uint Debug = 1;

    /// <summary>NMI.</summary>
    public const uint Nmi = 2;

    /// <summary>#BP.</summary>
    public const uint Breakpoint = 3;

    /// <summary>#OF.</summary>
    public const uint Overflow = 4;

    /// <summary>#BR.</summary>
    public const uint BoundRange = 5;

    /// <summary>#UD.</summary>
    public const uint InvalidOpcode = 6;

    /// <summary>#NM.</summary>
    public const uint DeviceNotAvailable = 7;

    /// <summary>#DF.</summary>
    public const uint DoubleFault = 8;

    /// <summary>#TS.</summary>
    public const uint InvalidTss = 10;

    /// <summary>#NP.</summary>
    public const uint SegmentNotPresent = 11;

    /// <summary>#SS.</summary>
    public const uint StackFault = 12;

    /// <summary>#GP.</summary>
    public const uint GeneralProtection = 13;

    /// <summary>#PF.</summary>
    public const uint PageFault = 14;

    /// <summary>#MF.</summary>
    public const uint X87Error = 16;

    /// <summary>#AC.</summary>
    public const uint AlignmentCheck = 17;

    /// <summary>#XM.</summary>
    public const uint SimdError = 19;
}
