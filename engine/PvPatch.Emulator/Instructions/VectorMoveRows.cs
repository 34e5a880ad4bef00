using System.Runtime.Intrinsics;
using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>Rows of moves to and from XMM registers.</summary>
internal static unsafe class VectorMoveRows
{
    public static void Add(RowBuilder rows)
    {
        // 16 bytes
        rows.Packed(Code.Movaps_xmm_xmmm128, PackedShuffles.Second);
        rows.VectorStore<Vector128<byte>, Aligned>(Code.Movaps_xmmm128_xmm, PackedShuffles.Second);
        rows.Packed(Code.Movapd_xmm_xmmm128, PackedShuffles.Second);
        rows.VectorStore<Vector128<byte>, Aligned>(Code.Movapd_xmmm128_xmm, PackedShuffles.Second);
        rows.Packed(Code.Movdqa_xmm_xmmm128, PackedShuffles.Second);
        rows.VectorStore<Vector128<byte>, Aligned>(Code.Movdqa_xmmm128_xmm, PackedShuffles.Second);
        rows.UnalignedLoad(Code.Movups_xmm_xmmm128, Code.Movupd_xmm_xmmm128, Code.Movdqu_xmm_xmmm128);
        rows.VectorStore<Vector128<byte>, Unaligned>(Code.Movups_xmmm128_xmm, PackedShuffles.Second);
        rows.VectorStore<Vector128<byte>, Unaligned>(Code.Movupd_xmmm128_xmm, PackedShuffles.Second);
        rows.VectorStore<Vector128<byte>, Unaligned>(Code.Movdqu_xmmm128_xmm, PackedShuffles.Second);
        rows.UnalignedLoad(Code.Lddqu_xmm_m128);
        rows.Packed(Code.Movntdqa_xmm_m128, PackedShuffles.Second);
        rows.VectorStore<Vector128<byte>, Aligned>(Code.Movntps_m128_xmm, PackedShuffles.Second);
        rows.VectorStore<Vector128<byte>, Aligned>(Code.Movntpd_m128_xmm, PackedShuffles.Second);
        rows.VectorStore<Vector128<byte>, Aligned>(Code.Movntdq_m128_xmm, PackedShuffles.Second);
        rows.Set(Code.Maskmovdqu_rDI_xmm_xmm, null, &VectorShapes.MaskedStore);

        // 4 and 8 bytes
        rows.Packed(Code.Movss_xmm_xmmm32, PackedShuffles.ReplaceLow32, PackedShuffles.Second);
        rows.Packed(Code.Movsd_xmm_xmmm64, PackedShuffles.ReplaceLow64, PackedShuffles.Second);
        rows.VectorStore<uint, Unaligned>(Code.Movss_xmmm32_xmm, PackedShuffles.ReplaceLow32);
        rows.VectorStore<ulong, Unaligned>(Code.Movsd_xmmm64_xmm, PackedShuffles.ReplaceLow64);
        rows.Packed(Code.Movq_xmm_xmmm64, PackedShuffles.SecondLow64);
        rows.VectorStore<ulong, Unaligned>(Code.Movq_xmmm64_xmm, PackedShuffles.SecondLow64);
        rows.Packed(Code.Movlps_xmm_m64, PackedShuffles.ReplaceLow64);
        rows.Packed(Code.Movlpd_xmm_m64, PackedShuffles.ReplaceLow64);
        rows.Packed(Code.Movhps_xmm_m64, PackedShuffles.LowToHigh);
        rows.Packed(Code.Movhpd_xmm_m64, PackedShuffles.LowToHigh);
        rows.Packed(Code.Movhlps_xmm_xmm, PackedShuffles.HighToLow);
        rows.Packed(Code.Movlhps_xmm_xmm, PackedShuffles.LowToHigh);
        rows.VectorStore<ulong, Unaligned>(Code.Movlps_m64_xmm, PackedShuffles.Second);
        rows.VectorStore<ulong, Unaligned>(Code.Movlpd_m64_xmm, PackedShuffles.Second);
        rows.Set(Code.Movhps_m64_xmm, null, &VectorShapes.StoreHigh);
        rows.Set(Code.Movhpd_m64_xmm, null, &VectorShapes.StoreHigh);

        // To and from general registers
        rows.VectorFromGeneral<uint>(Code.Movd_xmm_rm32);
        rows.Set(Code.Movd_rm32_xmm, &VectorShapes.ToGeneral<uint>, &VectorShapes.Store<uint, Unaligned>);
        rows.VectorFromGeneral<ulong>(Code.Movq_xmm_rm64);
        rows.Set(Code.Movq_rm64_xmm, &VectorShapes.ToGeneral<ulong>, &VectorShapes.Store<ulong, Unaligned>);
        rows.Set(Code.Pinsrw_xmm_r32m16_imm8, &VectorShapes.InsertRegister<ushort>, &VectorShapes.InsertMemory<ushort>);
        rows.Set(Code.Pinsrw_xmm_r64m16_imm8, &VectorShapes.InsertRegister<ushort>, &VectorShapes.InsertMemory<ushort>);
        rows.Set(Code.Pinsrb_xmm_r32m8_imm8, &VectorShapes.InsertRegister<byte>, &VectorShapes.InsertMemory<byte>);
        rows.Set(Code.Pinsrb_xmm_r64m8_imm8, &VectorShapes.InsertRegister<byte>, &VectorShapes.InsertMemory<byte>);
        rows.Set(Code.Pinsrd_xmm_rm32_imm8, &VectorShapes.InsertRegister<uint>, &VectorShapes.InsertMemory<uint>);
        rows.Set(Code.Pinsrq_xmm_rm64_imm8, &VectorShapes.InsertRegister<ulong>, &VectorShapes.InsertMemory<ulong>);
        rows.Set(Code.Pextrw_r32_xmm_imm8, &VectorShapes.ExtractRegister<ushort>, &VectorShapes.ExtractMemory<ushort>);
        rows.Set(Code.Pextrw_r64_xmm_imm8, &VectorShapes.ExtractRegister<ushort>, &VectorShapes.ExtractMemory<ushort>);
        rows.Set(Code.Pextrb_r32m8_xmm_imm8, &VectorShapes.ExtractRegister<byte>, &VectorShapes.ExtractMemory<byte>);
        rows.Set(Code.Pextrb_r64m8_xmm_imm8, &VectorShapes.ExtractRegister<byte>, &VectorShapes.ExtractMemory<byte>);
        rows.Set(Code.Pextrw_r32m16_xmm_imm8, &VectorShapes.ExtractRegister<ushort>, &VectorShapes.ExtractMemory<ushort>);
        rows.Set(Code.Pextrw_r64m16_xmm_imm8, &VectorShapes.ExtractRegister<ushort>, &VectorShapes.ExtractMemory<ushort>);
        rows.Set(Code.Pextrd_rm32_xmm_imm8, &VectorShapes.ExtractRegister<uint>, &VectorShapes.ExtractMemory<uint>);
        rows.Set(Code.Pextrq_rm64_xmm_imm8, &VectorShapes.ExtractRegister<ulong>, &VectorShapes.ExtractMemory<ulong>);
        rows.Set(Code.Extractps_rm32_xmm_imm8, &VectorShapes.ExtractRegister<uint>, &VectorShapes.ExtractMemory<uint>);
        rows.Set(Code.Extractps_r64m32_xmm_imm8, &VectorShapes.ExtractRegister<uint>, &VectorShapes.ExtractMemory<uint>);
        rows.Set(Code.Pmovmskb_r32_xmm, &VectorShapes.SignMask<byte>);
        rows.Set(Code.Pmovmskb_r64_xmm, &VectorShapes.SignMask<byte>);
        rows.Set(Code.Movmskps_r32_xmm, &VectorShapes.SignMask<uint>);
        rows.Set(Code.Movmskps_r64_xmm, &VectorShapes.SignMask<uint>);
        rows.Set(Code.Movmskpd_r32_xmm, &VectorShapes.SignMask<ulong>);
        rows.Set(Code.Movmskpd_r64_xmm, &VectorShapes.SignMask<ulong>);
    }
}
