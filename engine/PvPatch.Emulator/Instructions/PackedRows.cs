using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>Rows of packed integer instructions, shuffles and logic on XMM registers.</summary>
internal static unsafe class PackedRows
{
    public static void Add(RowBuilder rows)
    {
        // Addition, subtraction
        rows.Packed(Code.Paddb_xmm_xmmm128, PackedArithmetic.Add<byte>);
        rows.Packed(Code.Psubb_xmm_xmmm128, PackedArithmetic.Subtract<byte>);
        rows.Packed(Code.Paddw_xmm_xmmm128, PackedArithmetic.Add<ushort>);
        rows.Packed(Code.Psubw_xmm_xmmm128, PackedArithmetic.Subtract<ushort>);
        rows.Packed(Code.Paddd_xmm_xmmm128, PackedArithmetic.Add<uint>);
        rows.Packed(Code.Psubd_xmm_xmmm128, PackedArithmetic.Subtract<uint>);
        rows.Packed(Code.Paddq_xmm_xmmm128, PackedArithmetic.Add<ulong>);
        rows.Packed(Code.Psubq_xmm_xmmm128, PackedArithmetic.Subtract<ulong>);
        rows.Packed(Code.Paddsb_xmm_xmmm128, PackedArithmetic.AddSaturated<sbyte>);
        rows.Packed(Code.Psubsb_xmm_xmmm128, PackedArithmetic.SubtractSaturated<sbyte>);
        rows.Packed(Code.Paddsw_xmm_xmmm128, PackedArithmetic.AddSaturated<short>);
        rows.Packed(Code.Psubsw_xmm_xmmm128, PackedArithmetic.SubtractSaturated<short>);
        rows.Packed(Code.Paddusb_xmm_xmmm128, PackedArithmetic.AddSaturated<byte>);
        rows.Packed(Code.Psubusb_xmm_xmmm128, PackedArithmetic.SubtractSaturated<byte>);
        rows.Packed(Code.Paddusw_xmm_xmmm128, PackedArithmetic.AddSaturated<ushort>);
        rows.Packed(Code.Psubusw_xmm_xmmm128, PackedArithmetic.SubtractSaturated<ushort>);
        rows.Packed(Code.Pavgb_xmm_xmmm128, PackedArithmetic.Average<byte>);
        rows.Packed(Code.Pavgw_xmm_xmmm128, PackedArithmetic.Average<ushort>);
        rows.Packed(Code.Phaddw_xmm_xmmm128, PackedArithmetic.AddNeighbours<short>);
        rows.Packed(Code.Phsubw_xmm_xmmm128, PackedArithmetic.SubtractNeighbours<short>);
        rows.Packed(Code.Phaddd_xmm_xmmm128, PackedArithmetic.AddNeighbours<int>);
        rows.Packed(Code.Phsubd_xmm_xmmm128, PackedArithmetic.SubtractNeighbours<int>);
        rows.Packed(Code.Phaddsw_xmm_xmmm128, PackedArithmetic.AddNeighboursSaturated);
        rows.Packed(Code.Phsubsw_xmm_xmmm128, PackedArithmetic.SubtractNeighboursSaturated);

        // Multiplication, sums
        rows.Packed(Code.Pmullw_xmm_xmmm128, PackedArithmetic.MultiplyLow<short>);
        rows.Packed(Code.Pmulld_xmm_xmmm128, PackedArithmetic.MultiplyLow<int>);
        rows.Packed(Code.Pmulhw_xmm_xmmm128, PackedArithmetic.MultiplyHigh<short>);
        rows.Packed(Code.Pmulhuw_xmm_xmmm128, PackedArithmetic.MultiplyHigh<ushort>);
        rows.Packed(Code.Pmulhrsw_xmm_xmmm128, PackedArithmetic.MultiplyHighRounded);
        rows.Packed(Code.Pmuludq_xmm_xmmm128, PackedArithmetic.MultiplyEven<uint>);
        rows.Packed(Code.Pmuldq_xmm_xmmm128, PackedArithmetic.MultiplyEven<int>);
        rows.Packed(Code.Pmaddwd_xmm_xmmm128, PackedArithmetic.MultiplyAddPairs);
        rows.Packed(Code.Pmaddubsw_xmm_xmmm128, PackedArithmetic.MultiplyAddBytes);
        rows.Packed(Code.Psadbw_xmm_xmmm128, PackedArithmetic.SumOfDifferences);
        rows.Packed(Code.Mpsadbw_xmm_xmmm128_imm8, PackedArithmetic.SumsOfBlocks);

        // Minimum, maximum, comparison, sign
        rows.Packed(Code.Pminub_xmm_xmmm128, PackedArithmetic.Minimum<byte>);
        rows.Packed(Code.Pmaxub_xmm_xmmm128, PackedArithmetic.Maximum<byte>);
        rows.Packed(Code.Pminsw_xmm_xmmm128, PackedArithmetic.Minimum<short>);
        rows.Packed(Code.Pmaxsw_xmm_xmmm128, PackedArithmetic.Maximum<short>);
        rows.Packed(Code.Pminsb_xmm_xmmm128, PackedArithmetic.Minimum<sbyte>);
        rows.Packed(Code.Pmaxsb_xmm_xmmm128, PackedArithmetic.Maximum<sbyte>);
        rows.Packed(Code.Pminsd_xmm_xmmm128, PackedArithmetic.Minimum<int>);
        rows.Packed(Code.Pmaxsd_xmm_xmmm128, PackedArithmetic.Maximum<int>);
        rows.Packed(Code.Pminuw_xmm_xmmm128, PackedArithmetic.Minimum<ushort>);
        rows.Packed(Code.Pmaxuw_xmm_xmmm128, PackedArithmetic.Maximum<ushort>);
        rows.Packed(Code.Pminud_xmm_xmmm128, PackedArithmetic.Minimum<uint>);
        rows.Packed(Code.Pmaxud_xmm_xmmm128, PackedArithmetic.Maximum<uint>);
        rows.Packed(Code.Pcmpeqb_xmm_xmmm128, PackedArithmetic.Equal<sbyte>);
        rows.Packed(Code.Pcmpgtb_xmm_xmmm128, PackedArithmetic.Greater<sbyte>);
        rows.Packed(Code.Pcmpeqw_xmm_xmmm128, PackedArithmetic.Equal<short>);
        rows.Packed(Code.Pcmpgtw_xmm_xmmm128, PackedArithmetic.Greater<short>);
        rows.Packed(Code.Pcmpeqd_xmm_xmmm128, PackedArithmetic.Equal<int>);
        rows.Packed(Code.Pcmpgtd_xmm_xmmm128, PackedArithmetic.Greater<int>);
        rows.Packed(Code.Pcmpeqq_xmm_xmmm128, PackedArithmetic.Equal<long>);
        rows.Packed(Code.Pcmpgtq_xmm_xmmm128, PackedArithmetic.Greater<long>);
        rows.Packed(Code.Pabsb_xmm_xmmm128, PackedArithmetic.Absolute<sbyte>);
        rows.Packed(Code.Psignb_xmm_xmmm128, PackedArithmetic.Sign<sbyte>);
        rows.Packed(Code.Pabsw_xmm_xmmm128, PackedArithmetic.Absolute<short>);
        rows.Packed(Code.Psignw_xmm_xmmm128, PackedArithmetic.Sign<short>);
        rows.Packed(Code.Pabsd_xmm_xmmm128, PackedArithmetic.Absolute<int>);
        rows.Packed(Code.Psignd_xmm_xmmm128, PackedArithmetic.Sign<int>);
        rows.Packed(Code.Phminposuw_xmm_xmmm128, PackedArithmetic.MinimumAndPlace);

        // Logic
        rows.Packed(Code.Pand_xmm_xmmm128, PackedArithmetic.And);
        rows.Packed(Code.Pandn_xmm_xmmm128, PackedArithmetic.AndNot);
        rows.Packed(Code.Por_xmm_xmmm128, PackedArithmetic.Or);
        rows.Packed(Code.Pxor_xmm_xmmm128, PackedArithmetic.Xor);
        rows.Packed(Code.Andps_xmm_xmmm128, PackedArithmetic.And);
        rows.Packed(Code.Andnps_xmm_xmmm128, PackedArithmetic.AndNot);
        rows.Packed(Code.Orps_xmm_xmmm128, PackedArithmetic.Or);
        rows.Packed(Code.Xorps_xmm_xmmm128, PackedArithmetic.Xor);
        rows.Packed(Code.Andpd_xmm_xmmm128, PackedArithmetic.And);
        rows.Packed(Code.Andnpd_xmm_xmmm128, PackedArithmetic.AndNot);
        rows.Packed(Code.Orpd_xmm_xmmm128, PackedArithmetic.Or);
        rows.Packed(Code.Xorpd_xmm_xmmm128, PackedArithmetic.Xor);
        rows.SetAligned(Code.Ptest_xmm_xmmm128, &VectorShapes.TestRegisters, &VectorShapes.TestMemory);

        // Shifts
        rows.Packed(Code.Psllw_xmm_xmmm128, PackedShifts.Left<ushort>);
        rows.Packed(Code.Psllw_xmm_imm8, PackedShifts.LeftBy<ushort>);
        rows.Packed(Code.Pslld_xmm_xmmm128, PackedShifts.Left<uint>);
        rows.Packed(Code.Pslld_xmm_imm8, PackedShifts.LeftBy<uint>);
        rows.Packed(Code.Psllq_xmm_xmmm128, PackedShifts.Left<ulong>);
        rows.Packed(Code.Psllq_xmm_imm8, PackedShifts.LeftBy<ulong>);
        rows.Packed(Code.Psrlw_xmm_xmmm128, PackedShifts.Right<ushort>);
        rows.Packed(Code.Psrlw_xmm_imm8, PackedShifts.RightBy<ushort>);
        rows.Packed(Code.Psrld_xmm_xmmm128, PackedShifts.Right<uint>);
        rows.Packed(Code.Psrld_xmm_imm8, PackedShifts.RightBy<uint>);
        rows.Packed(Code.Psrlq_xmm_xmmm128, PackedShifts.Right<ulong>);
        rows.Packed(Code.Psrlq_xmm_imm8, PackedShifts.RightBy<ulong>);
        rows.Packed(Code.Psraw_xmm_xmmm128, PackedShifts.ArithmeticRight<short>);
        rows.Packed(Code.Psraw_xmm_imm8, PackedShifts.ArithmeticRightBy<short>);
        rows.Packed(Code.Psrad_xmm_xmmm128, PackedShifts.ArithmeticRight<int>);
        rows.Packed(Code.Psrad_xmm_imm8, PackedShifts.ArithmeticRightBy<int>);
        rows.Packed(Code.Pslldq_xmm_imm8, PackedShifts.LeftBytes);
        rows.Packed(Code.Psrldq_xmm_imm8, PackedShifts.RightBytes);

        // Packing, unpacking, widening
        rows.Packed(Code.Packsswb_xmm_xmmm128, PackedShuffles.Pack<short, sbyte>);
        rows.Packed(Code.Packuswb_xmm_xmmm128, PackedShuffles.Pack<short, byte>);
        rows.Packed(Code.Packssdw_xmm_xmmm128, PackedShuffles.Pack<int, short>);
        rows.Packed(Code.Packusdw_xmm_xmmm128, PackedShuffles.Pack<int, ushort>);
        rows.Packed(Code.Punpcklbw_xmm_xmmm128, PackedShuffles.UnpackLow<byte>);
        rows.Packed(Code.Punpckhbw_xmm_xmmm128, PackedShuffles.UnpackHigh<byte>);
        rows.Packed(Code.Punpcklwd_xmm_xmmm128, PackedShuffles.UnpackLow<ushort>);
        rows.Packed(Code.Punpckhwd_xmm_xmmm128, PackedShuffles.UnpackHigh<ushort>);
        rows.Packed(Code.Punpckldq_xmm_xmmm128, PackedShuffles.UnpackLow<uint>);
        rows.Packed(Code.Punpckhdq_xmm_xmmm128, PackedShuffles.UnpackHigh<uint>);
        rows.Packed(Code.Punpcklqdq_xmm_xmmm128, PackedShuffles.UnpackLow<ulong>);
        rows.Packed(Code.Punpckhqdq_xmm_xmmm128, PackedShuffles.UnpackHigh<ulong>);
        rows.Packed(Code.Unpcklps_xmm_xmmm128, PackedShuffles.UnpackLow<uint>);
        rows.Packed(Code.Unpckhps_xmm_xmmm128, PackedShuffles.UnpackHigh<uint>);
        rows.Packed(Code.Unpcklpd_xmm_xmmm128, PackedShuffles.UnpackLow<ulong>);
        rows.Packed(Code.Unpckhpd_xmm_xmmm128, PackedShuffles.UnpackHigh<ulong>);
        rows.Packed(Code.Pmovzxbw_xmm_xmmm64, PackedShuffles.Widen<byte, ushort>);
        rows.Packed(Code.Pmovsxbw_xmm_xmmm64, PackedShuffles.Widen<sbyte, short>);
        rows.Packed(Code.Pmovzxbd_xmm_xmmm32, PackedShuffles.Widen<byte, uint>);
        rows.Packed(Code.Pmovsxbd_xmm_xmmm32, PackedShuffles.Widen<sbyte, int>);
        rows.Packed(Code.Pmovzxbq_xmm_xmmm16, PackedShuffles.Widen<byte, ulong>);
        rows.Packed(Code.Pmovsxbq_xmm_xmmm16, PackedShuffles.Widen<sbyte, long>);
        rows.Packed(Code.Pmovzxwd_xmm_xmmm64, PackedShuffles.Widen<ushort, uint>);
        rows.Packed(Code.Pmovsxwd_xmm_xmmm64, PackedShuffles.Widen<short, int>);
        rows.Packed(Code.Pmovzxwq_xmm_xmmm32, PackedShuffles.Widen<ushort, ulong>);
        rows.Packed(Code.Pmovsxwq_xmm_xmmm32, PackedShuffles.Widen<short, long>);
        rows.Packed(Code.Pmovzxdq_xmm_xmmm64, PackedShuffles.Widen<uint, ulong>);
        rows.Packed(Code.Pmovsxdq_xmm_xmmm64, PackedShuffles.Widen<int, long>);

        // Shuffles, blends
        rows.Packed(Code.Pshufd_xmm_xmmm128_imm8, PackedShuffles.ShuffleDwords);
        rows.Packed(Code.Pshuflw_xmm_xmmm128_imm8, PackedShuffles.ShuffleLowWords);
        rows.Packed(Code.Pshufhw_xmm_xmmm128_imm8, PackedShuffles.ShuffleHighWords);
        rows.Packed(Code.Shufps_xmm_xmmm128_imm8, PackedShuffles.ShuffleSingles);
        rows.Packed(Code.Shufpd_xmm_xmmm128_imm8, PackedShuffles.ShuffleDoubles);
        rows.Packed(Code.Pshufb_xmm_xmmm128, PackedShuffles.ShuffleBytes);
        rows.Packed(Code.Palignr_xmm_xmmm128_imm8, PackedShuffles.Align);
        rows.Packed(Code.Pblendw_xmm_xmmm128_imm8, PackedShuffles.Blend<ushort>);
        rows.Packed(Code.Blendps_xmm_xmmm128_imm8, PackedShuffles.Blend<uint>);
        rows.Packed(Code.Blendpd_xmm_xmmm128_imm8, PackedShuffles.Blend<ulong>);
        rows.SetAligned(Code.Pblendvb_xmm_xmmm128, &ShapesWithXmm0.BlendRegisters<byte>, &ShapesWithXmm0.BlendMemory<byte>);
        rows.SetAligned(Code.Blendvps_xmm_xmmm128, &ShapesWithXmm0.BlendRegisters<uint>, &ShapesWithXmm0.BlendMemory<uint>);
        rows.SetAligned(Code.Blendvpd_xmm_xmmm128, &ShapesWithXmm0.BlendRegisters<ulong>, &ShapesWithXmm0.BlendMemory<ulong>);
        rows.Packed(Code.Insertps_xmm_xmmm32_imm8, PackedShuffles.InsertSingle, PackedShuffles.InsertLoadedSingle);
        rows.Packed(Code.Movddup_xmm_xmmm64, PackedShuffles.DuplicateDouble);
        rows.Packed(Code.Movsldup_xmm_xmmm128, PackedShuffles.DuplicateEven);
        rows.Packed(Code.Movshdup_xmm_xmmm128, PackedShuffles.DuplicateOdd);
    }
}
