namespace PvPatch.Emulator.Exits;

/// <summary>What a platform did with an access to an MSR.</summary>
public enum MsrAnswer
{
    /// <summary>It is none of the platform's: the processor's own answers.</summary>
    Native,

    /// <summary>The platform answered.</summary>
    Done,

    /// <summary>The access raises #GP(0).</summary>
    Fault,
}
