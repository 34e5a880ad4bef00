namespace PvPatch.Emulator.Interpreter;

/// <summary>What executes a CPU's instructions. Registers, memory, faults and counts are the same with each.</summary>
public enum ExecutionTier
{
    /// <summary>The interpreter alone, which is the reference.</summary>
    Interpreted,

    /// <summary>Everything that can be is translated before it is executed first: for tests.</summary>
    Translated,

    /// <summary>What is executed often is translated.</summary>
    Automatic,
}
