using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>Rows of AVX and AVX2 moves.</summary>
internal static unsafe class VexMoveRows
{
    public static void Add(RowBuilder rows)
    {
        // 16 and 32 bytes
        rows.VexAlignedLoad(Code.VEX_Vmovaps_xmm_xmmm128, Code.VEX_Vmovaps_ymm_ymmm256);
        rows.VexStore<Aligned>(Code.VEX_Vmovaps_xmmm128_xmm, Code.VEX_Vmovaps_ymmm256_ymm);
        rows.VexAlignedLoad(Code.VEX_Vmovapd_xmm_xmmm128, Code.VEX_Vmovapd_ymm_ymmm256);
        rows.VexStore<Aligned>(Code.VEX_Vmovapd_xmmm128_xmm, Code.VEX_Vmovapd_ymmm256_ymm);
        rows.VexAlignedLoad(Code.VEX_Vmovdqa_xmm_xmmm128, Code.VEX_Vmovdqa_ymm_ymmm256);
        rows.VexStore<Aligned>(Code.VEX_Vmovdqa_xmmm128_xmm, Code.VEX_Vmovdqa_ymmm256_ymm);
        rows.VexMeaning(PackedShuffles.Second, Code.VEX_Vmovups_xmm_xmmm128, Code.VEX_Vmovups_ymm_ymmm256);
        rows.VexStore<Unaligned>(Code.VEX_Vmovups_xmmm128_xmm, Code.VEX_Vmovups_ymmm256_ymm);
        rows.VexMeaning(PackedShuffles.Second, Code.VEX_Vmovupd_xmm_xmmm128, Code.VEX_Vmovupd_ymm_ymmm256);
        rows.VexStore<Unaligned>(Code.VEX_Vmovupd_xmmm128_xmm, Code.VEX_Vmovupd_ymmm256_ymm);
        rows.VexMeaning(PackedShuffles.Second, Code.VEX_Vmovdqu_xmm_xmmm128, Code.VEX_Vmovdqu_ymm_ymmm256);
        rows.VexStore<Unaligned>(Code.VEX_Vmovdqu_xmmm128_xmm, Code.VEX_Vmovdqu_ymmm256_ymm);
        rows.VexMeaning(PackedShuffles.Second, Code.VEX_Vlddqu_xmm_m128, Code.VEX_Vlddqu_ymm_m256);
        rows.VexAlignedLoad(Code.VEX_Vmovntdqa_xmm_m128, Code.VEX_Vmovntdqa_ymm_m256);
        rows.VexStore<Aligned>(Code.VEX_Vmovntps_m128_xmm, Code.VEX_Vmovntps_m256_ymm);
        rows.VexStore<Aligned>(Code.VEX_Vmovntpd_m128_xmm, Code.VEX_Vmovntpd_m256_ymm);
        rows.VexStore<Aligned>(Code.VEX_Vmovntdq_m128_xmm, Code.VEX_Vmovntdq_m256_ymm);
        rows.VexLike(Code.Maskmovdqu_rDI_xmm_xmm, Code.VEX_Vmaskmovdqu_rDI_xmm_xmm);
        rows.Vex(Code.VEX_Vextractf128_xmmm128_ymm_imm8, &VexMoves.ExtractLane, &VexMoves.StoreLane);
        rows.Vex(Code.VEX_Vextracti128_xmmm128_ymm_imm8, &VexMoves.ExtractLane, &VexMoves.StoreLane);
        rows.Vex(Code.VEX_Vzeroupper, &VexMoves.ZeroUpper);
        rows.Vex(Code.VEX_Vzeroall, &VexMoves.ZeroAll);

        // 4 and 8 bytes
        rows.VexMeaning(PackedShuffles.ReplaceLow32, Code.VEX_Vmovss_xmm_xmm_xmm, null);
        rows.VexMeaning(PackedShuffles.Second, Code.VEX_Vmovss_xmm_m32, null);
        rows.VexMeaning(PackedShuffles.ReplaceLow64, Code.VEX_Vmovsd_xmm_xmm_xmm, null);
        rows.VexMeaning(PackedShuffles.Second, Code.VEX_Vmovsd_xmm_m64, null);
        rows.VexStore<uint>(Code.VEX_Vmovss_xmm_xmm_xmm_0F11, Code.VEX_Vmovss_m32_xmm, PackedShuffles.ReplaceLow32);
        rows.VexStore<ulong>(Code.VEX_Vmovsd_xmm_xmm_xmm_0F11, Code.VEX_Vmovsd_m64_xmm, PackedShuffles.ReplaceLow64);
        rows.VexMeaning(PackedShuffles.SecondLow64, Code.VEX_Vmovq_xmm_xmmm64, null);
        rows.VexStore<ulong>(Code.VEX_Vmovq_xmmm64_xmm, Code.VEX_Vmovq_xmmm64_xmm, PackedShuffles.SecondLow64);
        rows.VexMeaning(PackedShuffles.ReplaceLow64, Code.VEX_Vmovlps_xmm_xmm_m64, null);
        rows.VexMeaning(PackedShuffles.ReplaceLow64, Code.VEX_Vmovlpd_xmm_xmm_m64, null);
        rows.VexMeaning(PackedShuffles.LowToHigh, Code.VEX_Vmovhps_xmm_xmm_m64, null);
        rows.VexMeaning(PackedShuffles.LowToHigh, Code.VEX_Vmovhpd_xmm_xmm_m64, null);
        rows.VexMeaning(PackedShuffles.HighToLow, Code.VEX_Vmovhlps_xmm_xmm_xmm, null);
        rows.VexMeaning(PackedShuffles.LowToHigh, Code.VEX_Vmovlhps_xmm_xmm_xmm, null);
        rows.VexStore<ulong>(null, Code.VEX_Vmovlps_m64_xmm, PackedShuffles.Second);
        rows.VexStore<ulong>(null, Code.VEX_Vmovlpd_m64_xmm, PackedShuffles.Second);
        rows.VexLike(Code.Movhps_m64_xmm, Code.VEX_Vmovhps_m64_xmm, Code.VEX_Vmovhpd_m64_xmm);

        // To and from general registers
        rows.VexFromGeneral<uint>(Code.VEX_Vmovd_xmm_rm32);
        rows.VexFromGeneral<ulong>(Code.VEX_Vmovq_xmm_rm64);
        rows.VexLike(Code.Movd_rm32_xmm, Code.VEX_Vmovd_rm32_xmm);
        rows.VexLike(Code.Movq_rm64_xmm, Code.VEX_Vmovq_rm64_xmm);
        rows.Vex(Code.VEX_Vpinsrw_xmm_xmm_r32m16_imm8, &VexMoves.InsertRegister<ushort>, &VexMoves.InsertMemory<ushort>);
        rows.Vex(Code.VEX_Vpinsrw_xmm_xmm_r64m16_imm8, &VexMoves.InsertRegister<ushort>, &VexMoves.InsertMemory<ushort>);
        rows.Vex(Code.VEX_Vpinsrb_xmm_xmm_r32m8_imm8, &VexMoves.InsertRegister<byte>, &VexMoves.InsertMemory<byte>);
        rows.Vex(Code.VEX_Vpinsrb_xmm_xmm_r64m8_imm8, &VexMoves.InsertRegister<byte>, &VexMoves.InsertMemory<byte>);
        rows.Vex(Code.VEX_Vpinsrd_xmm_xmm_rm32_imm8, &VexMoves.InsertRegister<uint>, &VexMoves.InsertMemory<uint>);
        rows.Vex(Code.VEX_Vpinsrq_xmm_xmm_rm64_imm8, &VexMoves.InsertRegister<ulong>, &VexMoves.InsertMemory<ulong>);
        rows.VexLike(Code.Pextrw_r32_xmm_imm8, Code.VEX_Vpextrw_r32_xmm_imm8, Code.VEX_Vpextrw_r64_xmm_imm8);
        rows.VexLike(Code.Pextrb_r32m8_xmm_imm8, Code.VEX_Vpextrb_r32m8_xmm_imm8, Code.VEX_Vpextrb_r64m8_xmm_imm8);
        rows.VexLike(Code.Pextrw_r32m16_xmm_imm8, Code.VEX_Vpextrw_r32m16_xmm_imm8, Code.VEX_Vpextrw_r64m16_xmm_imm8);
        rows.VexLike(Code.Pextrd_rm32_xmm_imm8, Code.VEX_Vpextrd_rm32_xmm_imm8);
        rows.VexLike(Code.Pextrq_rm64_xmm_imm8, Code.VEX_Vpextrq_rm64_xmm_imm8);
        rows.VexLike(Code.Extractps_rm32_xmm_imm8, Code.VEX_Vextractps_rm32_xmm_imm8, Code.VEX_Vextractps_r64m32_xmm_imm8);
        rows.VexLike(Code.Pmovmskb_r32_xmm, Code.VEX_Vpmovmskb_r32_xmm, Code.VEX_Vpmovmskb_r64_xmm);
        rows.VexLike(Code.Movmskps_r32_xmm, Code.VEX_Vmovmskps_r32_xmm, Code.VEX_Vmovmskps_r64_xmm);
        rows.VexLike(Code.Movmskpd_r32_xmm, Code.VEX_Vmovmskpd_r32_xmm, Code.VEX_Vmovmskpd_r64_xmm);
        rows.Vex(Code.VEX_Vpmovmskb_r32_ymm, &VexMoves.SignMask<byte>);
        rows.Vex(Code.VEX_Vpmovmskb_r64_ymm, &VexMoves.SignMask<byte>);
        rows.Vex(Code.VEX_Vmovmskps_r32_ymm, &VexMoves.SignMask<uint>);
        rows.Vex(Code.VEX_Vmovmskps_r64_ymm, &VexMoves.SignMask<uint>);
        rows.Vex(Code.VEX_Vmovmskpd_r32_ymm, &VexMoves.SignMask<ulong>);
        rows.Vex(Code.VEX_Vmovmskpd_r64_ymm, &VexMoves.SignMask<ulong>);

        // By masks, and by a vector of addresses
        rows.Vex(Code.VEX_Vmaskmovps_xmm_xmm_m128, null, &MaskedMoves.Load<Vex128, uint>);
        rows.Vex(Code.VEX_Vmaskmovps_m128_xmm_xmm, null, &MaskedMoves.Store<Vex128, uint>);
        rows.Vex(Code.VEX_Vmaskmovps_ymm_ymm_m256, null, &MaskedMoves.Load<Vex256, uint>);
        rows.Vex(Code.VEX_Vmaskmovps_m256_ymm_ymm, null, &MaskedMoves.Store<Vex256, uint>);
        rows.Vex(Code.VEX_Vmaskmovpd_xmm_xmm_m128, null, &MaskedMoves.Load<Vex128, ulong>);
        rows.Vex(Code.VEX_Vmaskmovpd_m128_xmm_xmm, null, &MaskedMoves.Store<Vex128, ulong>);
        rows.Vex(Code.VEX_Vmaskmovpd_ymm_ymm_m256, null, &MaskedMoves.Load<Vex256, ulong>);
        rows.Vex(Code.VEX_Vmaskmovpd_m256_ymm_ymm, null, &MaskedMoves.Store<Vex256, ulong>);
        rows.Vex(Code.VEX_Vpmaskmovd_xmm_xmm_m128, null, &MaskedMoves.Load<Vex128, uint>);
        rows.Vex(Code.VEX_Vpmaskmovd_m128_xmm_xmm, null, &MaskedMoves.Store<Vex128, uint>);
        rows.Vex(Code.VEX_Vpmaskmovd_ymm_ymm_m256, null, &MaskedMoves.Load<Vex256, uint>);
        rows.Vex(Code.VEX_Vpmaskmovd_m256_ymm_ymm, null, &MaskedMoves.Store<Vex256, uint>);
        rows.Vex(Code.VEX_Vpmaskmovq_xmm_xmm_m128, null, &MaskedMoves.Load<Vex128, ulong>);
        rows.Vex(Code.VEX_Vpmaskmovq_m128_xmm_xmm, null, &MaskedMoves.Store<Vex128, ulong>);
        rows.Vex(Code.VEX_Vpmaskmovq_ymm_ymm_m256, null, &MaskedMoves.Load<Vex256, ulong>);
        rows.Vex(Code.VEX_Vpmaskmovq_m256_ymm_ymm, null, &MaskedMoves.Store<Vex256, ulong>);
        rows.Vex(Code.VEX_Vpgatherdd_xmm_vm32x_xmm, null, &Gathers.Load<Vex128, int, uint>);
        rows.Vex(Code.VEX_Vpgatherdd_ymm_vm32y_ymm, null, &Gathers.Load<Vex256, int, uint>);
        rows.Vex(Code.VEX_Vpgatherdq_xmm_vm32x_xmm, null, &Gathers.Load<Vex128, int, ulong>);
        rows.Vex(Code.VEX_Vpgatherdq_ymm_vm32x_ymm, null, &Gathers.Load<Vex256, int, ulong>);
        rows.Vex(Code.VEX_Vpgatherqd_xmm_vm64x_xmm, null, &Gathers.Load<Vex128, long, uint>);
        rows.Vex(Code.VEX_Vpgatherqd_xmm_vm64y_xmm, null, &Gathers.Load<Vex256, long, uint>);
        rows.Vex(Code.VEX_Vpgatherqq_xmm_vm64x_xmm, null, &Gathers.Load<Vex128, long, ulong>);
        rows.Vex(Code.VEX_Vpgatherqq_ymm_vm64y_ymm, null, &Gathers.Load<Vex256, long, ulong>);
        rows.Vex(Code.VEX_Vgatherdps_xmm_vm32x_xmm, null, &Gathers.Load<Vex128, int, uint>);
        rows.Vex(Code.VEX_Vgatherdps_ymm_vm32y_ymm, null, &Gathers.Load<Vex256, int, uint>);
        rows.Vex(Code.VEX_Vgatherdpd_xmm_vm32x_xmm, null, &Gathers.Load<Vex128, int, ulong>);
        rows.Vex(Code.VEX_Vgatherdpd_ymm_vm32x_ymm, null, &Gathers.Load<Vex256, int, ulong>);
        rows.Vex(Code.VEX_Vgatherqps_xmm_vm64x_xmm, null, &Gathers.Load<Vex128, long, uint>);
        rows.Vex(Code.VEX_Vgatherqps_xmm_vm64y_xmm, null, &Gathers.Load<Vex256, long, uint>);
        rows.Vex(Code.VEX_Vgatherqpd_xmm_vm64x_xmm, null, &Gathers.Load<Vex128, long, ulong>);
        rows.Vex(Code.VEX_Vgatherqpd_ymm_vm64y_ymm, null, &Gathers.Load<Vex256, long, ulong>);
    }
}
