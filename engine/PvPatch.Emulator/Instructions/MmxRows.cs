using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>Rows of instructions on MM registers: MMX, and what SSE, SSE2 and SSSE3 added to it.</summary>
internal static unsafe class MmxRows
{
    public static void Add(RowBuilder rows)
    {
        // Addition, subtraction
        rows.Mmx(Code.Paddb_mm_mmm64, PackedArithmetic.Add<byte>);
        rows.Mmx(Code.Paddd_mm_mmm64, PackedArithmetic.Add<uint>);
        rows.Mmx(Code.Paddq_mm_mmm64, PackedArithmetic.Add<ulong>);
        rows.Mmx(Code.Paddsb_mm_mmm64, PackedArithmetic.AddSaturated<sbyte>);
        rows.Mmx(Code.Paddsw_mm_mmm64, PackedArithmetic.AddSaturated<short>);
        rows.Mmx(Code.Paddusb_mm_mmm64, PackedArithmetic.AddSaturated<byte>);
        rows.Mmx(Code.Paddusw_mm_mmm64, PackedArithmetic.AddSaturated<ushort>);
        rows.Mmx(Code.Paddw_mm_mmm64, PackedArithmetic.Add<ushort>);
        rows.Mmx(Code.Pavgb_mm_mmm64, PackedArithmetic.Average<byte>);
        rows.Mmx(Code.Pavgw_mm_mmm64, PackedArithmetic.Average<ushort>);
        rows.Mmx(Code.Phaddd_mm_mmm64, MmxShuffles.AddNeighbours<int>);
        rows.Mmx(Code.Phaddsw_mm_mmm64, MmxShuffles.AddNeighboursSaturated);
        rows.Mmx(Code.Phaddw_mm_mmm64, MmxShuffles.AddNeighbours<short>);
        rows.Mmx(Code.Phsubd_mm_mmm64, MmxShuffles.SubtractNeighbours<int>);
        rows.Mmx(Code.Phsubsw_mm_mmm64, MmxShuffles.SubtractNeighboursSaturated);
        rows.Mmx(Code.Phsubw_mm_mmm64, MmxShuffles.SubtractNeighbours<short>);
        rows.Mmx(Code.Psubb_mm_mmm64, PackedArithmetic.Subtract<byte>);
        rows.Mmx(Code.Psubd_mm_mmm64, PackedArithmetic.Subtract<uint>);
        rows.Mmx(Code.Psubq_mm_mmm64, PackedArithmetic.Subtract<ulong>);
        rows.Mmx(Code.Psubsb_mm_mmm64, PackedArithmetic.SubtractSaturated<sbyte>);
        rows.Mmx(Code.Psubsw_mm_mmm64, PackedArithmetic.SubtractSaturated<short>);
        rows.Mmx(Code.Psubusb_mm_mmm64, PackedArithmetic.SubtractSaturated<byte>);
        rows.Mmx(Code.Psubusw_mm_mmm64, PackedArithmetic.SubtractSaturated<ushort>);
        rows.Mmx(Code.Psubw_mm_mmm64, PackedArithmetic.Subtract<ushort>);

        // Multiplication, sums
        rows.Mmx(Code.Pmaddubsw_mm_mmm64, PackedArithmetic.MultiplyAddBytes);
        rows.Mmx(Code.Pmaddwd_mm_mmm64, PackedArithmetic.MultiplyAddPairs);
        rows.Mmx(Code.Pmulhrsw_mm_mmm64, PackedArithmetic.MultiplyHighRounded);
        rows.Mmx(Code.Pmulhuw_mm_mmm64, PackedArithmetic.MultiplyHigh<ushort>);
        rows.Mmx(Code.Pmulhw_mm_mmm64, PackedArithmetic.MultiplyHigh<short>);
        rows.Mmx(Code.Pmullw_mm_mmm64, PackedArithmetic.MultiplyLow<short>);
        rows.Mmx(Code.Pmuludq_mm_mmm64, PackedArithmetic.MultiplyEven<uint>);
        rows.Mmx(Code.Psadbw_mm_mmm64, PackedArithmetic.SumOfDifferences);

        // Minimum, maximum, comparison, sign
        rows.Mmx(Code.Pabsb_mm_mmm64, PackedArithmetic.Absolute<sbyte>);
        rows.Mmx(Code.Pabsd_mm_mmm64, PackedArithmetic.Absolute<int>);
        rows.Mmx(Code.Pabsw_mm_mmm64, PackedArithmetic.Absolute<short>);
        rows.Mmx(Code.Pcmpeqb_mm_mmm64, PackedArithmetic.Equal<sbyte>);
        rows.Mmx(Code.Pcmpeqd_mm_mmm64, PackedArithmetic.Equal<int>);
        rows.Mmx(Code.Pcmpeqw_mm_mmm64, PackedArithmetic.Equal<short>);
        rows.Mmx(Code.Pcmpgtb_mm_mmm64, PackedArithmetic.Greater<sbyte>);
        rows.Mmx(Code.Pcmpgtd_mm_mmm64, PackedArithmetic.Greater<int>);
        rows.Mmx(Code.Pcmpgtw_mm_mmm64, PackedArithmetic.Greater<short>);
        rows.Mmx(Code.Pmaxsw_mm_mmm64, PackedArithmetic.Maximum<short>);
        rows.Mmx(Code.Pmaxub_mm_mmm64, PackedArithmetic.Maximum<byte>);
        rows.Mmx(Code.Pminsw_mm_mmm64, PackedArithmetic.Minimum<short>);
        rows.Mmx(Code.Pminub_mm_mmm64, PackedArithmetic.Minimum<byte>);
        rows.Mmx(Code.Psignb_mm_mmm64, PackedArithmetic.Sign<sbyte>);
        rows.Mmx(Code.Psignd_mm_mmm64, PackedArithmetic.Sign<int>);
        rows.Mmx(Code.Psignw_mm_mmm64, PackedArithmetic.Sign<short>);

        // Logic
        rows.Mmx(Code.Pand_mm_mmm64, PackedArithmetic.And);
        rows.Mmx(Code.Pandn_mm_mmm64, PackedArithmetic.AndNot);
        rows.Mmx(Code.Por_mm_mmm64, PackedArithmetic.Or);
        rows.Mmx(Code.Pxor_mm_mmm64, PackedArithmetic.Xor);

        // Shifts
        rows.Mmx(Code.Pslld_mm_imm8, PackedShifts.LeftBy<uint>);
        rows.Mmx(Code.Pslld_mm_mmm64, PackedShifts.Left<uint>);
        rows.Mmx(Code.Psllq_mm_imm8, PackedShifts.LeftBy<ulong>);
        rows.Mmx(Code.Psllq_mm_mmm64, PackedShifts.Left<ulong>);
        rows.Mmx(Code.Psllw_mm_imm8, PackedShifts.LeftBy<ushort>);
        rows.Mmx(Code.Psllw_mm_mmm64, PackedShifts.Left<ushort>);
        rows.Mmx(Code.Psrad_mm_imm8, PackedShifts.ArithmeticRightBy<int>);
        rows.Mmx(Code.Psrad_mm_mmm64, PackedShifts.ArithmeticRight<int>);
        rows.Mmx(Code.Psraw_mm_imm8, PackedShifts.ArithmeticRightBy<short>);
        rows.Mmx(Code.Psraw_mm_mmm64, PackedShifts.ArithmeticRight<short>);
        rows.Mmx(Code.Psrld_mm_imm8, PackedShifts.RightBy<uint>);
        rows.Mmx(Code.Psrld_mm_mmm64, PackedShifts.Right<uint>);
        rows.Mmx(Code.Psrlq_mm_imm8, PackedShifts.RightBy<ulong>);
        rows.Mmx(Code.Psrlq_mm_mmm64, PackedShifts.Right<ulong>);
        rows.Mmx(Code.Psrlw_mm_imm8, PackedShifts.RightBy<ushort>);
        rows.Mmx(Code.Psrlw_mm_mmm64, PackedShifts.Right<ushort>);

        // Packing, unpacking, shuffles
        rows.Mmx(Code.Packssdw_mm_mmm64, MmxShuffles.Pack<int, short>);
        rows.Mmx(Code.Packsswb_mm_mmm64, MmxShuffles.Pack<short, sbyte>);
        rows.Mmx(Code.Packuswb_mm_mmm64, MmxShuffles.Pack<short, byte>);
        rows.Mmx(Code.Palignr_mm_mmm64_imm8, MmxShuffles.Align);
        rows.Mmx(Code.Pshufb_mm_mmm64, MmxShuffles.ShuffleBytes);
        rows.Mmx(Code.Pshufw_mm_mmm64_imm8, PackedShuffles.ShuffleLowWords);
        rows.Mmx(Code.Punpckhbw_mm_mmm64, MmxShuffles.UnpackHigh<byte>);
        rows.Mmx(Code.Punpckhdq_mm_mmm64, MmxShuffles.UnpackHigh<uint>);
        rows.Mmx(Code.Punpckhwd_mm_mmm64, MmxShuffles.UnpackHigh<ushort>);
        rows.Mmx(Code.Punpcklbw_mm_mmm32, PackedShuffles.UnpackLow<byte>);
        rows.Mmx(Code.Punpckldq_mm_mmm32, PackedShuffles.UnpackLow<uint>);
        rows.Mmx(Code.Punpcklwd_mm_mmm32, PackedShuffles.UnpackLow<ushort>);

        // Moves
        rows.Mmx(Code.Movq_mm_mmm64, PackedShuffles.Second);
        rows.Set(Code.Movq_mmm64_mm, &MmxShapes.Registers, &MmxShapes.Store<ulong>);
        rows.MeansSecond(Code.Movq_mmm64_mm);
        rows.Set(Code.Movd_mm_rm32, &MmxShapes.FromGeneral<uint>, &MmxShapes.Load<uint>);
        rows.MeansSecond(Code.Movd_mm_rm32);
        rows.Set(Code.Movq_mm_rm64, &MmxShapes.FromGeneral<ulong>, &MmxShapes.Load<ulong>);
        rows.MeansSecond(Code.Movq_mm_rm64);
        rows.Set(Code.Movd_rm32_mm, &MmxShapes.ToGeneral<uint>, &MmxShapes.Store<uint>);
        rows.Set(Code.Movq_rm64_mm, &MmxShapes.ToGeneral<ulong>, &MmxShapes.Store<ulong>);
        rows.Set(Code.Movntq_m64_mm, null, &MmxShapes.Store<ulong>);
        rows.Set(Code.Movq2dq_xmm_mm, &MmxShapes.ToXmm);
        rows.Set(Code.Movdq2q_mm_xmm, &MmxShapes.FromXmm);
        rows.Set(Code.Maskmovq_rDI_mm_mm, null, &MmxShapes.MaskedStore);
        rows.Set(Code.Pinsrw_mm_r32m16_imm8, &MmxShapes.InsertRegister, &MmxShapes.InsertMemory);
        rows.Set(Code.Pinsrw_mm_r64m16_imm8, &MmxShapes.InsertRegister, &MmxShapes.InsertMemory);
        rows.Each(&MmxShapes.Extract, Code.Pextrw_r32_mm_imm8, Code.Pextrw_r64_mm_imm8);
        rows.Each(&MmxShapes.SignMask, Code.Pmovmskb_r32_mm, Code.Pmovmskb_r64_mm);

        // Conversions
        rows.Set(Code.Cvtpi2ps_xmm_mmm64, &MmxConversions.FromRegister<IntegersToSingles, LowHalf>, &MmxConversions.FromMemory<IntegersToSingles, LowHalf>);
        rows.Set(Code.Cvtpi2pd_xmm_mmm64, &MmxConversions.FromRegister<IntegersToDoubles, WholeRegister>, &MmxConversions.FromMemory<IntegersToDoubles, WholeRegister>);
        rows.Set(Code.Cvtps2pi_mm_xmmm64, &MmxConversions.ToRegister<SinglesToIntegers>, &MmxConversions.ToRegisterFromHalf<SinglesToIntegers>);
        rows.Set(Code.Cvttps2pi_mm_xmmm64, &MmxConversions.ToRegister<SinglesToIntegersTruncated>, &MmxConversions.ToRegisterFromHalf<SinglesToIntegersTruncated>);
        rows.Set(Code.Cvtpd2pi_mm_xmmm128, &MmxConversions.ToRegister<DoublesToIntegers>, &MmxConversions.ToRegisterFromWhole<DoublesToIntegers>);
        rows.Set(Code.Cvttpd2pi_mm_xmmm128, &MmxConversions.ToRegister<DoublesToIntegersTruncated>, &MmxConversions.ToRegisterFromWhole<DoublesToIntegersTruncated>);
        rows.Set(Code.Emms, &MmxShapes.Leave);
    }
}
