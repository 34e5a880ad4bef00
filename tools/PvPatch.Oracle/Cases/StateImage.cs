using Iced.Intel;

namespace PvPatch.Oracle.Cases;

/// <summary>Instructions that save or restore the state of x87 and SSE as a whole.</summary>
internal static class StateImage
{
    /// <summary>Bytes of an XSAVE area up to where the components behind the header begin.</summary>
    public const int SmallestArea = 576;

    /// <summary>Bytes of an XSAVE area with all that the emulator has.</summary>
    private const int LargestArea = SmallestArea + 256;

    /// <summary>Bytes of the image in memory; 0 for other instructions.</summary>
    public static int Size(in Instruction instruction)
    {
        if (UsesHeader(instruction))
            return LargestArea;
        return instruction.Mnemonic is Mnemonic.Fxsave or Mnemonic.Fxsave64 or Mnemonic.Fxrstor or Mnemonic.Fxrstor64 ? 512 : 0;
    }

    /// <summary>Whether an instruction is one of them.</summary>
    public static bool Uses(in Instruction instruction) => Size(instruction) != 0;

    /// <summary>Whether it has the header of XSAVE.</summary>
    public static bool UsesHeader(in Instruction instruction) => instruction.Mnemonic is
        Mnemonic.Xsave or Mnemonic.Xsave64 or Mnemonic.Xsaveopt or Mnemonic.Xsaveopt64 or
        Mnemonic.Xsavec or Mnemonic.Xsavec64 or Mnemonic.Xrstor or Mnemonic.Xrstor64;

    /// <summary>Whether it restores.</summary>
    public static bool IsRestored(in Instruction instruction) => instruction.Mnemonic is
        Mnemonic.Fxrstor or Mnemonic.Fxrstor64 or Mnemonic.Xrstor or Mnemonic.Xrstor64;

    /// <summary>Whether it saves.</summary>
    public static bool IsSaved(in Instruction instruction) => Uses(instruction) && !IsRestored(instruction);
}
