using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Translator;

/// <summary>What is known of a side exit when its region is made.</summary>
internal unsafe struct ExitRecord
{
    /// <summary><see cref="Waiting"/> of an exit where code comes by that several operations may wait in: translated code tells which.</summary>
    public const int InLocal = -1;

    /// <summary>The instruction that is executed next.</summary>
    public DecodedInstruction* Next;

    /// <summary>Instructions that were counted and not executed.</summary>
    public uint NotExecuted;

    /// <summary>The <see cref="LazyFlags.Number"/> of the operation whose flags wait, or <see cref="InLocal"/>.</summary>
    public int Waiting;
}
