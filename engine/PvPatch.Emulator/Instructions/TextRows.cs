using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>Rows of the string and text instructions of SSE4.2.</summary>
internal static unsafe class TextRows
{
    public static void Add(RowBuilder rows)
    {
        rows.Set(Code.Pcmpestri_xmm_xmmm128_imm8, &TextShapes.Registers<LengthsInEax, ToIndex>, &TextShapes.Memory<LengthsInEax, ToIndex>);
        rows.Set(Code.Pcmpestri64_xmm_xmmm128_imm8, &TextShapes.Registers<LengthsInRax, ToIndex>, &TextShapes.Memory<LengthsInRax, ToIndex>);
        rows.Set(Code.Pcmpestrm_xmm_xmmm128_imm8, &TextShapes.Registers<LengthsInEax, ToMask>, &TextShapes.Memory<LengthsInEax, ToMask>);
        rows.Set(Code.Pcmpestrm64_xmm_xmmm128_imm8, &TextShapes.Registers<LengthsInRax, ToMask>, &TextShapes.Memory<LengthsInRax, ToMask>);
        rows.Set(Code.Pcmpistri_xmm_xmmm128_imm8, &TextShapes.Registers<LengthsToNull, ToIndex>, &TextShapes.Memory<LengthsToNull, ToIndex>);
        rows.Set(Code.Pcmpistrm_xmm_xmmm128_imm8, &TextShapes.Registers<LengthsToNull, ToMask>, &TextShapes.Memory<LengthsToNull, ToMask>);
    }
}
