using System.Reflection.Emit;

namespace PvPatch.Engine.Il;

/// <summary>One decoded instruction (ECMA-335, partition III). A prefix such as <c>volatile.</c> is an instruction of its own.</summary>
/// <param name="Offset">Where it starts, in bytes from the start of the method's IL.</param>
/// <param name="Size">Its length with its operand, in bytes.</param>
/// <param name="Code">The opcode.</param>
/// <param name="Operand">Number, token, variable or the offset of the branch target; 0 where there is none.</param>
internal readonly record struct Instruction(int Offset, int Size, OpCode Code, long Operand)
{
    /// <summary>Offset of the instruction behind it.</summary>
    public int End => Offset + Size;

    /// <summary>The operand as a metadata token.</summary>
    public int Token => unchecked((int)Operand);

    /// <summary>The targets of a <c>switch</c>, as offsets.</summary>
    public int[] Targets { get; init; } = [];

    /// <summary>Whether it is this opcode.</summary>
    public bool Is(OpCode code) => Code.Value == code.Value;

    /// <summary>Whether it only modifies the instruction behind it.</summary>
    public bool IsPrefix => Code.OpCodeType == OpCodeType.Prefix;

    /// <summary>The argument that is stored to, or whose address is taken; −1 for other instructions.</summary>
    public int ChangedArgument =>
        Is(OpCodes.Starg) || Is(OpCodes.Starg_S) || Is(OpCodes.Ldarga) || Is(OpCodes.Ldarga_S) ? (int)Operand : -1;

    /// <summary>The number that a <c>ldc.i4</c>, in whatever form, pushes; <see langword="null"/> for other instructions.</summary>
    public int? PushedInt32
    {
        get
        {
            if (Code.Value >= OpCodes.Ldc_I4_M1.Value && Code.Value <= OpCodes.Ldc_I4_8.Value)
                return Code.Value - OpCodes.Ldc_I4_0.Value;
            return Is(OpCodes.Ldc_I4) || Is(OpCodes.Ldc_I4_S) ? (int)Operand : null;
        }
    }

    /// <summary>The local variable that a <c>ldloc</c>, in whatever form, reads; −1 for other instructions.</summary>
    public int LoadedLocal => VariableOf(OpCodes.Ldloc_0, OpCodes.Ldloc_3, OpCodes.Ldloc_S, OpCodes.Ldloc);

    /// <summary>The local variable that a <c>stloc</c>, in whatever form, writes; −1 for other instructions.</summary>
    public int StoredLocal => VariableOf(OpCodes.Stloc_0, OpCodes.Stloc_3, OpCodes.Stloc_S, OpCodes.Stloc);

    /// <summary>The argument that a <c>ldarg</c>, in whatever form, pushes; −1 for other instructions.</summary>
    public int LoadedArgument => VariableOf(OpCodes.Ldarg_0, OpCodes.Ldarg_3, OpCodes.Ldarg_S, OpCodes.Ldarg);

    /// <summary>The local variable whose address is taken; −1 for other instructions.</summary>
    public int AddressedLocal => Is(OpCodes.Ldloca_S) || Is(OpCodes.Ldloca) ? (int)Operand : -1;

    /// <summary>Whether it pushes an argument or a constant and does nothing else.</summary>
    public bool IsPlainPush =>
        LoadedArgument >= 0 || (Code.Value >= OpCodes.Ldnull.Value && Code.Value <= OpCodes.Ldc_R8.Value);

    /// <summary>Whether it converts one number into another and can neither fail nor do anything else.</summary>
    public bool IsPureConversion =>
        (Code.Value >= OpCodes.Conv_I1.Value && Code.Value <= OpCodes.Conv_U8.Value) || Is(OpCodes.Conv_R_Un)
        || Is(OpCodes.Conv_U2) || Is(OpCodes.Conv_U1) || Is(OpCodes.Conv_I) || Is(OpCodes.Conv_U);

    private int VariableOf(OpCode first, OpCode last, OpCode shortForm, OpCode longForm)
    {
        if (Code.Value >= first.Value && Code.Value <= last.Value)
            return Code.Value - first.Value;
        return Is(shortForm) || Is(longForm) ? (int)Operand : -1;
    }
}
