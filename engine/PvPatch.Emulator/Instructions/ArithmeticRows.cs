using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>Rows of arithmetic, logic, shifts and bit instructions.</summary>
internal static unsafe class ArithmeticRows
{
    public static void Add(RowBuilder rows)
    {
        // Decimal adjustments and BOUND, which 64-bit code does not have
        rows.Set(Code.Aaa, &DecimalArithmetic.AdjustAfterAddition);
        rows.Set(Code.Aas, &DecimalArithmetic.AdjustAfterSubtraction);
        rows.Set(Code.Aam_imm8, &DecimalArithmetic.AdjustAfterMultiplication);
        rows.Set(Code.Aad_imm8, &DecimalArithmetic.AdjustBeforeDivision);
        rows.Set(Code.Daa, &DecimalArithmetic.AdjustPackedAfterAddition);
        rows.Set(Code.Das, &DecimalArithmetic.AdjustPackedAfterSubtraction);
        rows.Set(Code.Bound_r16_m1616, null, &Bounds.Check<ushort>);
        rows.Set(Code.Bound_r32_m3232, null, &Bounds.Check<uint>);

        // ADD, OR, ADC, SBB, AND, SUB, XOR, CMP
        rows.RmR<Add>(Code.Add_rm8_r8, Code.Add_rm16_r16, Code.Add_rm32_r32, Code.Add_rm64_r64);
        rows.RRm<Add>(Code.Add_r8_rm8, Code.Add_r16_rm16, Code.Add_r32_rm32, Code.Add_r64_rm64);
        rows.RmImm<Add>(Code.Add_AL_imm8, Code.Add_AX_imm16, Code.Add_EAX_imm32, Code.Add_RAX_imm32);
        rows.RmImm<Add>(Code.Add_rm8_imm8, Code.Add_rm16_imm16, Code.Add_rm32_imm32, Code.Add_rm64_imm32);
        rows.RmImm<Add>(Code.Add_rm16_imm8, Code.Add_rm32_imm8, Code.Add_rm64_imm8);
        rows.RmImm<Add>(code8: Code.Add_rm8_imm8_82);
        rows.RmR<Or>(Code.Or_rm8_r8, Code.Or_rm16_r16, Code.Or_rm32_r32, Code.Or_rm64_r64);
        rows.RRm<Or>(Code.Or_r8_rm8, Code.Or_r16_rm16, Code.Or_r32_rm32, Code.Or_r64_rm64);
        rows.RmImm<Or>(Code.Or_AL_imm8, Code.Or_AX_imm16, Code.Or_EAX_imm32, Code.Or_RAX_imm32);
        rows.RmImm<Or>(Code.Or_rm8_imm8, Code.Or_rm16_imm16, Code.Or_rm32_imm32, Code.Or_rm64_imm32);
        rows.RmImm<Or>(Code.Or_rm16_imm8, Code.Or_rm32_imm8, Code.Or_rm64_imm8);
        rows.RmImm<Or>(code8: Code.Or_rm8_imm8_82);
        rows.RmR<Adc>(Code.Adc_rm8_r8, Code.Adc_rm16_r16, Code.Adc_rm32_r32, Code.Adc_rm64_r64);
        rows.RRm<Adc>(Code.Adc_r8_rm8, Code.Adc_r16_rm16, Code.Adc_r32_rm32, Code.Adc_r64_rm64);
        rows.RmImm<Adc>(Code.Adc_AL_imm8, Code.Adc_AX_imm16, Code.Adc_EAX_imm32, Code.Adc_RAX_imm32);
        rows.RmImm<Adc>(Code.Adc_rm8_imm8, Code.Adc_rm16_imm16, Code.Adc_rm32_imm32, Code.Adc_rm64_imm32);
        rows.RmImm<Adc>(Code.Adc_rm16_imm8, Code.Adc_rm32_imm8, Code.Adc_rm64_imm8);
        rows.RmImm<Adc>(code8: Code.Adc_rm8_imm8_82);
        rows.RmR<Sbb>(Code.Sbb_rm8_r8, Code.Sbb_rm16_r16, Code.Sbb_rm32_r32, Code.Sbb_rm64_r64);
        rows.RRm<Sbb>(Code.Sbb_r8_rm8, Code.Sbb_r16_rm16, Code.Sbb_r32_rm32, Code.Sbb_r64_rm64);
        rows.RmImm<Sbb>(Code.Sbb_AL_imm8, Code.Sbb_AX_imm16, Code.Sbb_EAX_imm32, Code.Sbb_RAX_imm32);
        rows.RmImm<Sbb>(Code.Sbb_rm8_imm8, Code.Sbb_rm16_imm16, Code.Sbb_rm32_imm32, Code.Sbb_rm64_imm32);
        rows.RmImm<Sbb>(Code.Sbb_rm16_imm8, Code.Sbb_rm32_imm8, Code.Sbb_rm64_imm8);
        rows.RmImm<Sbb>(code8: Code.Sbb_rm8_imm8_82);
        rows.RmR<And>(Code.And_rm8_r8, Code.And_rm16_r16, Code.And_rm32_r32, Code.And_rm64_r64);
        rows.RRm<And>(Code.And_r8_rm8, Code.And_r16_rm16, Code.And_r32_rm32, Code.And_r64_rm64);
        rows.RmImm<And>(Code.And_AL_imm8, Code.And_AX_imm16, Code.And_EAX_imm32, Code.And_RAX_imm32);
        rows.RmImm<And>(Code.And_rm8_imm8, Code.And_rm16_imm16, Code.And_rm32_imm32, Code.And_rm64_imm32);
        rows.RmImm<And>(Code.And_rm16_imm8, Code.And_rm32_imm8, Code.And_rm64_imm8);
        rows.RmImm<And>(code8: Code.And_rm8_imm8_82);
        rows.RmR<Sub>(Code.Sub_rm8_r8, Code.Sub_rm16_r16, Code.Sub_rm32_r32, Code.Sub_rm64_r64);
        rows.RRm<Sub>(Code.Sub_r8_rm8, Code.Sub_r16_rm16, Code.Sub_r32_rm32, Code.Sub_r64_rm64);
        rows.RmImm<Sub>(Code.Sub_AL_imm8, Code.Sub_AX_imm16, Code.Sub_EAX_imm32, Code.Sub_RAX_imm32);
        rows.RmImm<Sub>(Code.Sub_rm8_imm8, Code.Sub_rm16_imm16, Code.Sub_rm32_imm32, Code.Sub_rm64_imm32);
        rows.RmImm<Sub>(Code.Sub_rm16_imm8, Code.Sub_rm32_imm8, Code.Sub_rm64_imm8);
        rows.RmImm<Sub>(code8: Code.Sub_rm8_imm8_82);
        rows.RmR<Xor>(Code.Xor_rm8_r8, Code.Xor_rm16_r16, Code.Xor_rm32_r32, Code.Xor_rm64_r64);
        rows.RRm<Xor>(Code.Xor_r8_rm8, Code.Xor_r16_rm16, Code.Xor_r32_rm32, Code.Xor_r64_rm64);
        rows.RmImm<Xor>(Code.Xor_AL_imm8, Code.Xor_AX_imm16, Code.Xor_EAX_imm32, Code.Xor_RAX_imm32);
        rows.RmImm<Xor>(Code.Xor_rm8_imm8, Code.Xor_rm16_imm16, Code.Xor_rm32_imm32, Code.Xor_rm64_imm32);
        rows.RmImm<Xor>(Code.Xor_rm16_imm8, Code.Xor_rm32_imm8, Code.Xor_rm64_imm8);
        rows.RmImm<Xor>(code8: Code.Xor_rm8_imm8_82);
        rows.RmR<Cmp>(Code.Cmp_rm8_r8, Code.Cmp_rm16_r16, Code.Cmp_rm32_r32, Code.Cmp_rm64_r64);
        rows.RRm<Cmp>(Code.Cmp_r8_rm8, Code.Cmp_r16_rm16, Code.Cmp_r32_rm32, Code.Cmp_r64_rm64);
        rows.RmImm<Cmp>(Code.Cmp_AL_imm8, Code.Cmp_AX_imm16, Code.Cmp_EAX_imm32, Code.Cmp_RAX_imm32);
        rows.RmImm<Cmp>(Code.Cmp_rm8_imm8, Code.Cmp_rm16_imm16, Code.Cmp_rm32_imm32, Code.Cmp_rm64_imm32);
        rows.RmImm<Cmp>(Code.Cmp_rm16_imm8, Code.Cmp_rm32_imm8, Code.Cmp_rm64_imm8);
        rows.RmImm<Cmp>(code8: Code.Cmp_rm8_imm8_82);

        // TEST
        rows.RmR<Test>(Code.Test_rm8_r8, Code.Test_rm16_r16, Code.Test_rm32_r32, Code.Test_rm64_r64);
        rows.RmImm<Test>(Code.Test_AL_imm8, Code.Test_AX_imm16, Code.Test_EAX_imm32, Code.Test_RAX_imm32);
        rows.RmImm<Test>(Code.Test_rm8_imm8, Code.Test_rm16_imm16, Code.Test_rm32_imm32, Code.Test_rm64_imm32);
        rows.RmImm<Test>(Code.Test_rm8_imm8_F6r1, Code.Test_rm16_imm16_F7r1, Code.Test_rm32_imm32_F7r1, Code.Test_rm64_imm32_F7r1);

        // INC, DEC, NEG, NOT, BSWAP
        rows.Rm<Inc>(Code.Inc_rm8, Code.Inc_rm16, Code.Inc_rm32, Code.Inc_rm64);
        rows.Rm<Dec>(Code.Dec_rm8, Code.Dec_rm16, Code.Dec_rm32, Code.Dec_rm64);
        rows.Rm<Neg>(Code.Neg_rm8, Code.Neg_rm16, Code.Neg_rm32, Code.Neg_rm64);
        rows.Rm<Not>(Code.Not_rm8, Code.Not_rm16, Code.Not_rm32, Code.Not_rm64);
        rows.Rm<Inc>(code16: Code.Inc_r16, code32: Code.Inc_r32);
        rows.Rm<Dec>(code16: Code.Dec_r16, code32: Code.Dec_r32);
        rows.Rm<Bswap>(code16: Code.Bswap_r16, code32: Code.Bswap_r32, code64: Code.Bswap_r64);

        // Shifts and rotates
        rows.RmImm<Rol>(Code.Rol_rm8_imm8, Code.Rol_rm16_imm8, Code.Rol_rm32_imm8, Code.Rol_rm64_imm8);
        rows.RmImm<Rol>(Code.Rol_rm8_1, Code.Rol_rm16_1, Code.Rol_rm32_1, Code.Rol_rm64_1);
        rows.RmR<Rol>(Code.Rol_rm8_CL, Code.Rol_rm16_CL, Code.Rol_rm32_CL, Code.Rol_rm64_CL);
        rows.RmImm<Ror>(Code.Ror_rm8_imm8, Code.Ror_rm16_imm8, Code.Ror_rm32_imm8, Code.Ror_rm64_imm8);
        rows.RmImm<Ror>(Code.Ror_rm8_1, Code.Ror_rm16_1, Code.Ror_rm32_1, Code.Ror_rm64_1);
        rows.RmR<Ror>(Code.Ror_rm8_CL, Code.Ror_rm16_CL, Code.Ror_rm32_CL, Code.Ror_rm64_CL);
        rows.RmImm<Rcl>(Code.Rcl_rm8_imm8, Code.Rcl_rm16_imm8, Code.Rcl_rm32_imm8, Code.Rcl_rm64_imm8);
        rows.RmImm<Rcl>(Code.Rcl_rm8_1, Code.Rcl_rm16_1, Code.Rcl_rm32_1, Code.Rcl_rm64_1);
        rows.RmR<Rcl>(Code.Rcl_rm8_CL, Code.Rcl_rm16_CL, Code.Rcl_rm32_CL, Code.Rcl_rm64_CL);
        rows.RmImm<Rcr>(Code.Rcr_rm8_imm8, Code.Rcr_rm16_imm8, Code.Rcr_rm32_imm8, Code.Rcr_rm64_imm8);
        rows.RmImm<Rcr>(Code.Rcr_rm8_1, Code.Rcr_rm16_1, Code.Rcr_rm32_1, Code.Rcr_rm64_1);
        rows.RmR<Rcr>(Code.Rcr_rm8_CL, Code.Rcr_rm16_CL, Code.Rcr_rm32_CL, Code.Rcr_rm64_CL);
        rows.RmImm<Shl>(Code.Shl_rm8_imm8, Code.Shl_rm16_imm8, Code.Shl_rm32_imm8, Code.Shl_rm64_imm8);
        rows.RmImm<Shl>(Code.Shl_rm8_1, Code.Shl_rm16_1, Code.Shl_rm32_1, Code.Shl_rm64_1);
        rows.RmR<Shl>(Code.Shl_rm8_CL, Code.Shl_rm16_CL, Code.Shl_rm32_CL, Code.Shl_rm64_CL);
        rows.RmImm<Shl>(Code.Sal_rm8_imm8, Code.Sal_rm16_imm8, Code.Sal_rm32_imm8, Code.Sal_rm64_imm8);
        rows.RmImm<Shl>(Code.Sal_rm8_1, Code.Sal_rm16_1, Code.Sal_rm32_1, Code.Sal_rm64_1);
        rows.RmR<Shl>(Code.Sal_rm8_CL, Code.Sal_rm16_CL, Code.Sal_rm32_CL, Code.Sal_rm64_CL);
        rows.RmImm<Shr>(Code.Shr_rm8_imm8, Code.Shr_rm16_imm8, Code.Shr_rm32_imm8, Code.Shr_rm64_imm8);
        rows.RmImm<Shr>(Code.Shr_rm8_1, Code.Shr_rm16_1, Code.Shr_rm32_1, Code.Shr_rm64_1);
        rows.RmR<Shr>(Code.Shr_rm8_CL, Code.Shr_rm16_CL, Code.Shr_rm32_CL, Code.Shr_rm64_CL);
        rows.RmImm<Sar>(Code.Sar_rm8_imm8, Code.Sar_rm16_imm8, Code.Sar_rm32_imm8, Code.Sar_rm64_imm8);
        rows.RmImm<Sar>(Code.Sar_rm8_1, Code.Sar_rm16_1, Code.Sar_rm32_1, Code.Sar_rm64_1);
        rows.RmR<Sar>(Code.Sar_rm8_CL, Code.Sar_rm16_CL, Code.Sar_rm32_CL, Code.Sar_rm64_CL);
        rows.Set(Code.Shld_rm16_r16_imm8, &DoubleShifts.ByImmediate<DoubleLeft, ushort>, &DoubleShifts.MemoryByImmediate<DoubleLeft, ushort>);
        rows.Set(Code.Shld_rm16_r16_CL, &DoubleShifts.ByCl<DoubleLeft, ushort>, &DoubleShifts.MemoryByCl<DoubleLeft, ushort>);
        rows.Set(Code.Shld_rm32_r32_imm8, &DoubleShifts.ByImmediate<DoubleLeft, uint>, &DoubleShifts.MemoryByImmediate<DoubleLeft, uint>);
        rows.Set(Code.Shld_rm32_r32_CL, &DoubleShifts.ByCl<DoubleLeft, uint>, &DoubleShifts.MemoryByCl<DoubleLeft, uint>);
        rows.Set(Code.Shld_rm64_r64_imm8, &DoubleShifts.ByImmediate<DoubleLeft, ulong>, &DoubleShifts.MemoryByImmediate<DoubleLeft, ulong>);
        rows.Set(Code.Shld_rm64_r64_CL, &DoubleShifts.ByCl<DoubleLeft, ulong>, &DoubleShifts.MemoryByCl<DoubleLeft, ulong>);
        rows.Set(Code.Shrd_rm16_r16_imm8, &DoubleShifts.ByImmediate<DoubleRight, ushort>, &DoubleShifts.MemoryByImmediate<DoubleRight, ushort>);
        rows.Set(Code.Shrd_rm16_r16_CL, &DoubleShifts.ByCl<DoubleRight, ushort>, &DoubleShifts.MemoryByCl<DoubleRight, ushort>);
        rows.Set(Code.Shrd_rm32_r32_imm8, &DoubleShifts.ByImmediate<DoubleRight, uint>, &DoubleShifts.MemoryByImmediate<DoubleRight, uint>);
        rows.Set(Code.Shrd_rm32_r32_CL, &DoubleShifts.ByCl<DoubleRight, uint>, &DoubleShifts.MemoryByCl<DoubleRight, uint>);
        rows.Set(Code.Shrd_rm64_r64_imm8, &DoubleShifts.ByImmediate<DoubleRight, ulong>, &DoubleShifts.MemoryByImmediate<DoubleRight, ulong>);
        rows.Set(Code.Shrd_rm64_r64_CL, &DoubleShifts.ByCl<DoubleRight, ulong>, &DoubleShifts.MemoryByCl<DoubleRight, ulong>);

        // Multiplication and division
        rows.OnAccumulator<MulAccumulator>(Code.Mul_rm8, Code.Mul_rm16, Code.Mul_rm32, Code.Mul_rm64);
        rows.OnAccumulator<ImulAccumulator>(Code.Imul_rm8, Code.Imul_rm16, Code.Imul_rm32, Code.Imul_rm64);
        rows.OnAccumulator<DivAccumulator>(Code.Div_rm8, Code.Div_rm16, Code.Div_rm32, Code.Div_rm64);
        rows.OnAccumulator<IdivAccumulator>(Code.Idiv_rm8, Code.Idiv_rm16, Code.Idiv_rm32, Code.Idiv_rm64);
        rows.RRm<Imul>(Code.Imul_r16_rm16, Code.Imul_r32_rm32, Code.Imul_r64_rm64);
        rows.RRmImm<Imul>(Code.Imul_r16_rm16_imm16, Code.Imul_r32_rm32_imm32, Code.Imul_r64_rm64_imm32);
        rows.RRmImm<Imul>(Code.Imul_r16_rm16_imm8, Code.Imul_r32_rm32_imm8, Code.Imul_r64_rm64_imm8);
        rows.Set(Code.VEX_Mulx_r32_r32_rm32, &MultiplicationShapes.MulxRegister<uint>, &MultiplicationShapes.MulxMemory<uint>);
        rows.Set(Code.VEX_Mulx_r64_r64_rm64, &MultiplicationShapes.MulxRegister<ulong>, &MultiplicationShapes.MulxMemory<ulong>);

        // Bits
        rows.Bit<Bt>(Code.Bt_rm16_r16, Code.Bt_rm32_r32, Code.Bt_rm64_r64, Code.Bt_rm16_imm8, Code.Bt_rm32_imm8, Code.Bt_rm64_imm8);
        rows.Bit<Bts>(Code.Bts_rm16_r16, Code.Bts_rm32_r32, Code.Bts_rm64_r64, Code.Bts_rm16_imm8, Code.Bts_rm32_imm8, Code.Bts_rm64_imm8);
        rows.Bit<Btr>(Code.Btr_rm16_r16, Code.Btr_rm32_r32, Code.Btr_rm64_r64, Code.Btr_rm16_imm8, Code.Btr_rm32_imm8, Code.Btr_rm64_imm8);
        rows.Bit<Btc>(Code.Btc_rm16_r16, Code.Btc_rm32_r32, Code.Btc_rm64_r64, Code.Btc_rm16_imm8, Code.Btc_rm32_imm8, Code.Btc_rm64_imm8);
        rows.Set(Code.Bsf_r16_rm16, &BitScanShapes.Register<Bsf, ushort>, &BitScanShapes.Memory<Bsf, ushort>);
        rows.Set(Code.Bsf_r32_rm32, &BitScanShapes.Register<Bsf, uint>, &BitScanShapes.Memory<Bsf, uint>);
        rows.Set(Code.Bsf_r64_rm64, &BitScanShapes.Register<Bsf, ulong>, &BitScanShapes.Memory<Bsf, ulong>);
        rows.Set(Code.Bsr_r16_rm16, &BitScanShapes.Register<Bsr, ushort>, &BitScanShapes.Memory<Bsr, ushort>);
        rows.Set(Code.Bsr_r32_rm32, &BitScanShapes.Register<Bsr, uint>, &BitScanShapes.Memory<Bsr, uint>);
        rows.Set(Code.Bsr_r64_rm64, &BitScanShapes.Register<Bsr, ulong>, &BitScanShapes.Memory<Bsr, ulong>);
        rows.RRm<Tzcnt>(Code.Tzcnt_r16_rm16, Code.Tzcnt_r32_rm32, Code.Tzcnt_r64_rm64);
        rows.RRm<Lzcnt>(Code.Lzcnt_r16_rm16, Code.Lzcnt_r32_rm32, Code.Lzcnt_r64_rm64);
        rows.RRm<Popcnt>(Code.Popcnt_r16_rm16, Code.Popcnt_r32_rm32, Code.Popcnt_r64_rm64);
        rows.Set(Code.Crc32_r32_rm8, &MultiplicationShapes.Crc32Register<byte>, &MultiplicationShapes.Crc32Memory<byte>);
        rows.Set(Code.Crc32_r64_rm8, &MultiplicationShapes.Crc32Register<byte>, &MultiplicationShapes.Crc32Memory<byte>);
        rows.Set(Code.Crc32_r32_rm16, &MultiplicationShapes.Crc32Register<ushort>, &MultiplicationShapes.Crc32Memory<ushort>);
        rows.Set(Code.Crc32_r32_rm32, &MultiplicationShapes.Crc32Register<uint>, &MultiplicationShapes.Crc32Memory<uint>);
        rows.Set(Code.Crc32_r64_rm64, &MultiplicationShapes.Crc32Register<ulong>, &MultiplicationShapes.Crc32Memory<ulong>);

        // BMI1, BMI2, ADX
        rows.RRm<Adcx>(code32: Code.Adcx_r32_rm32, code64: Code.Adcx_r64_rm64);
        rows.RRm<Adox>(code32: Code.Adox_r32_rm32, code64: Code.Adox_r64_rm64);
        rows.RRRm<Andn>(Code.VEX_Andn_r32_r32_rm32, Code.VEX_Andn_r64_r64_rm64);
        rows.RRRm<Pdep>(Code.VEX_Pdep_r32_r32_rm32, Code.VEX_Pdep_r64_r64_rm64);
        rows.RRRm<Pext>(Code.VEX_Pext_r32_r32_rm32, Code.VEX_Pext_r64_r64_rm64);
        rows.RRmR<Bextr>(Code.VEX_Bextr_r32_rm32_r32, Code.VEX_Bextr_r64_rm64_r64);
        rows.RRmR<Bzhi>(Code.VEX_Bzhi_r32_rm32_r32, Code.VEX_Bzhi_r64_rm64_r64);
        rows.RRmR<Shlx>(Code.VEX_Shlx_r32_rm32_r32, Code.VEX_Shlx_r64_rm64_r64);
        rows.RRmR<Shrx>(Code.VEX_Shrx_r32_rm32_r32, Code.VEX_Shrx_r64_rm64_r64);
        rows.RRmR<Sarx>(Code.VEX_Sarx_r32_rm32_r32, Code.VEX_Sarx_r64_rm64_r64);
        rows.RRmImm<Rorx>(code32: Code.VEX_Rorx_r32_rm32_imm8, code64: Code.VEX_Rorx_r64_rm64_imm8);
        rows.RRm<Blsi>(code32: Code.VEX_Blsi_r32_rm32, code64: Code.VEX_Blsi_r64_rm64);
        rows.RRm<Blsr>(code32: Code.VEX_Blsr_r32_rm32, code64: Code.VEX_Blsr_r64_rm64);
        rows.RRm<Blsmsk>(code32: Code.VEX_Blsmsk_r32_rm32, code64: Code.VEX_Blsmsk_r64_rm64);
    }
}
