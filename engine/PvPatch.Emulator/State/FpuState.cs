namespace PvPatch.Emulator.State;

/// <summary>The x87 unit and the MMX registers, which are its mantissas (Intel SDM vol. 1, chapters 8 and 9).</summary>
public unsafe struct FpuState
{
    /// <summary>Mantissas of the eight registers R0 to R7, by number, not by place on the stack; also MM0 to MM7.</summary>
    public fixed ulong Mantissa[8];

    /// <summary>Sign (bit 15) and exponent of the eight registers.</summary>
    public fixed ushort Exponent[8];

    /// <summary>Control word.</summary>
    public ushort Control;

    /// <summary>Status word with TOP in bits 11 to 13.</summary>
    public ushort Status;

    /// <summary>A bit for each register that is not empty, as FXSAVE stores the tag word.</summary>
    public byte Used;

    /// <summary>The last instruction's opcode, 11 bits.</summary>
    public ushort LastOpcode;

    /// <summary>Where the last instruction stood.</summary>
    public ulong LastInstruction;

    /// <summary>Where its memory operand stood.</summary>
    public ulong LastData;
}
