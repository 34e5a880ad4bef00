using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>Rows of moves, exchanges, strings and instructions that do nothing.</summary>
internal static unsafe class MoveRows
{
    public static void Add(RowBuilder rows)
    {
        // MOV
        rows.RmR<Mov>(Code.Mov_rm8_r8, Code.Mov_rm16_r16, Code.Mov_rm32_r32, Code.Mov_rm64_r64);
        rows.RRm<Mov>(Code.Mov_r8_rm8, Code.Mov_r16_rm16, Code.Mov_r32_rm32, Code.Mov_r64_rm64);
        rows.RmImm<Mov>(Code.Mov_rm8_imm8, Code.Mov_rm16_imm16, Code.Mov_rm32_imm32, Code.Mov_rm64_imm32);
        rows.RmImm<Mov>(Code.Mov_r8_imm8, Code.Mov_r16_imm16, Code.Mov_r32_imm32, Code.Mov_r64_imm64);
        rows.RRm<Mov>(Code.Mov_AL_moffs8, Code.Mov_AX_moffs16, Code.Mov_EAX_moffs32, Code.Mov_RAX_moffs64);
        rows.RmR<Mov>(Code.Mov_moffs8_AL, Code.Mov_moffs16_AX, Code.Mov_moffs32_EAX, Code.Mov_moffs64_RAX);
        rows.RRm<Movbe>(Code.Movbe_r16_m16, Code.Movbe_r32_m32, Code.Movbe_r64_m64);
        rows.RmR<Movbe>(code16: Code.Movbe_m16_r16, code32: Code.Movbe_m32_r32, code64: Code.Movbe_m64_r64);
        rows.RmR<Mov>(code32: Code.Movnti_m32_r32, code64: Code.Movnti_m64_r64);

        // MOVZX, MOVSX, MOVSXD: the width of the result, then the type of the source
        rows.Set(Code.Movzx_r16_rm8, &Moves.ExtendRegister<ushort, byte>, &Moves.ExtendMemory<ushort, byte>);
        rows.Set(Code.Movzx_r16_rm16, &Moves.ExtendRegister<ushort, ushort>, &Moves.ExtendMemory<ushort, ushort>);
        rows.Set(Code.Movzx_r32_rm8, &Moves.ExtendRegister<uint, byte>, &Moves.ExtendMemory<uint, byte>);
        rows.Set(Code.Movzx_r32_rm16, &Moves.ExtendRegister<uint, ushort>, &Moves.ExtendMemory<uint, ushort>);
        rows.Set(Code.Movzx_r64_rm8, &Moves.ExtendRegister<ulong, byte>, &Moves.ExtendMemory<ulong, byte>);
        rows.Set(Code.Movzx_r64_rm16, &Moves.ExtendRegister<ulong, ushort>, &Moves.ExtendMemory<ulong, ushort>);
        rows.Set(Code.Movsx_r16_rm8, &Moves.ExtendRegister<ushort, sbyte>, &Moves.ExtendMemory<ushort, sbyte>);
        rows.Set(Code.Movsx_r16_rm16, &Moves.ExtendRegister<ushort, short>, &Moves.ExtendMemory<ushort, short>);
        rows.Set(Code.Movsx_r32_rm8, &Moves.ExtendRegister<uint, sbyte>, &Moves.ExtendMemory<uint, sbyte>);
        rows.Set(Code.Movsx_r32_rm16, &Moves.ExtendRegister<uint, short>, &Moves.ExtendMemory<uint, short>);
        rows.Set(Code.Movsx_r64_rm8, &Moves.ExtendRegister<ulong, sbyte>, &Moves.ExtendMemory<ulong, sbyte>);
        rows.Set(Code.Movsx_r64_rm16, &Moves.ExtendRegister<ulong, short>, &Moves.ExtendMemory<ulong, short>);
        rows.Set(Code.Movsxd_r16_rm16, &Moves.ExtendRegister<ushort, short>, &Moves.ExtendMemory<ushort, short>);
        rows.Set(Code.Movsxd_r32_rm32, &Moves.ExtendRegister<uint, int>, &Moves.ExtendMemory<uint, int>);
        rows.Set(Code.Movsxd_r64_rm32, &Moves.ExtendRegister<ulong, int>, &Moves.ExtendMemory<ulong, int>);

        // LEA, XCHG, XADD, CMPXCHG
        rows.Set(Code.Lea_r16_m, null, &Moves.Lea<ushort>);
        rows.Set(Code.Lea_r32_m, null, &Moves.Lea<uint>);
        rows.Set(Code.Lea_r64_m, null, &Moves.Lea<ulong>);
        rows.Set(Code.Xchg_rm8_r8, &Moves.ExchangeRegisters<byte>, &Moves.ExchangeMemory<byte>, &Moves.ExchangeMemory<byte>);
        rows.Set(Code.Xadd_rm8_r8, &Moves.ExchangeAddRegisters<byte>, &Moves.ExchangeAddMemory<byte>, &Moves.ExchangeAddMemory<byte>);
        rows.Set(Code.Cmpxchg_rm8_r8, &Moves.CompareExchangeRegisters<byte>, &Moves.CompareExchangeMemory<byte>, &Moves.CompareExchangeMemory<byte>);
        rows.Set(Code.Xchg_rm16_r16, &Moves.ExchangeRegisters<ushort>, &Moves.ExchangeMemory<ushort>, &Moves.ExchangeMemory<ushort>);
        rows.Set(Code.Xadd_rm16_r16, &Moves.ExchangeAddRegisters<ushort>, &Moves.ExchangeAddMemory<ushort>, &Moves.ExchangeAddMemory<ushort>);
        rows.Set(Code.Cmpxchg_rm16_r16, &Moves.CompareExchangeRegisters<ushort>, &Moves.CompareExchangeMemory<ushort>, &Moves.CompareExchangeMemory<ushort>);
        rows.Set(Code.Xchg_rm32_r32, &Moves.ExchangeRegisters<uint>, &Moves.ExchangeMemory<uint>, &Moves.ExchangeMemory<uint>);
        rows.Set(Code.Xadd_rm32_r32, &Moves.ExchangeAddRegisters<uint>, &Moves.ExchangeAddMemory<uint>, &Moves.ExchangeAddMemory<uint>);
        rows.Set(Code.Cmpxchg_rm32_r32, &Moves.CompareExchangeRegisters<uint>, &Moves.CompareExchangeMemory<uint>, &Moves.CompareExchangeMemory<uint>);
        rows.Set(Code.Xchg_rm64_r64, &Moves.ExchangeRegisters<ulong>, &Moves.ExchangeMemory<ulong>, &Moves.ExchangeMemory<ulong>);
        rows.Set(Code.Xadd_rm64_r64, &Moves.ExchangeAddRegisters<ulong>, &Moves.ExchangeAddMemory<ulong>, &Moves.ExchangeAddMemory<ulong>);
        rows.Set(Code.Cmpxchg_rm64_r64, &Moves.CompareExchangeRegisters<ulong>, &Moves.CompareExchangeMemory<ulong>, &Moves.CompareExchangeMemory<ulong>);
        rows.Set(Code.Xchg_r16_AX, &Moves.ExchangeRegisters<ushort>);
        rows.Set(Code.Xchg_r32_EAX, &Moves.ExchangeRegisters<uint>);
        rows.Set(Code.Xchg_r64_RAX, &Moves.ExchangeRegisters<ulong>);
        rows.Set(Code.Cmpxchg8b_m64, null, &Moves.CompareExchange8, &Moves.CompareExchange8);
        rows.Set(Code.Cmpxchg16b_m128, null, &Moves.CompareExchange16, &Moves.CompareExchange16);

        // Sign extension of the accumulator, XLAT, flags
        rows.Set(Code.Cbw, &Moves.ExtendAccumulator<ushort, sbyte>);
        rows.Set(Code.Cwde, &Moves.ExtendAccumulator<uint, short>);
        rows.Set(Code.Cdqe, &Moves.ExtendAccumulator<ulong, int>);
        rows.Set(Code.Cwd, &Moves.SignIntoData<ushort>);
        rows.Set(Code.Cdq, &Moves.SignIntoData<uint>);
        rows.Set(Code.Cqo, &Moves.SignIntoData<ulong>);
        rows.Set(Code.Xlat_m8, null, &Moves.Translate);
        rows.Set(Code.Lahf, &Moves.Lahf);
        rows.Set(Code.Sahf, &Moves.Sahf);
        rows.Set(Code.Salc, &Moves.Salc);
        rows.Set(Code.Clc, &Moves.Clc);
        rows.Set(Code.Stc, &Moves.Stc);
        rows.Set(Code.Cmc, &Moves.Cmc);
        rows.Set(Code.Cld, &Moves.Cld);
        rows.Set(Code.Std, &Moves.Std);

        // Strings
        rows.String<MoveStep>(Code.Movsb_m8_m8, Code.Movsw_m16_m16, Code.Movsd_m32_m32, Code.Movsq_m64_m64);
        rows.String<StoreStep>(Code.Stosb_m8_AL, Code.Stosw_m16_AX, Code.Stosd_m32_EAX, Code.Stosq_m64_RAX);
        rows.String<LoadStep>(Code.Lodsb_AL_m8, Code.Lodsw_AX_m16, Code.Lodsd_EAX_m32, Code.Lodsq_RAX_m64);
        rows.String<CompareStep>(Code.Cmpsb_m8_m8, Code.Cmpsw_m16_m16, Code.Cmpsd_m32_m32, Code.Cmpsq_m64_m64);
        rows.String<ScanStep>(Code.Scasb_AL_m8, Code.Scasw_AX_m16, Code.Scasd_EAX_m32, Code.Scasq_RAX_m64);

        // Nothing to do: no operation, hints, fences, cache control
        rows.EachForm(&Moves.Nothing, Code.Nopw, Code.Nopd, Code.Nopq, Code.Nop_rm16, Code.Nop_rm32, Code.Nop_rm64, Code.Endbr64, Code.Endbr32, Code.Prefetch_m8, Code.Prefetchw_m8, Code.Prefetchwt1_m8, Code.Prefetchnta_m8, Code.Prefetcht0_m8, Code.Prefetcht1_m8, Code.Prefetcht2_m8);
        rows.EachForm(&Moves.Nothing, Code.Reservednop_rm16_r16_0F0D, Code.Reservednop_rm32_r32_0F0D, Code.Reservednop_rm64_r64_0F0D);
        rows.EachForm(&Moves.Nothing, Code.Reservednop_rm16_r16_0F18, Code.Reservednop_rm32_r32_0F18, Code.Reservednop_rm64_r64_0F18);
        rows.EachForm(&Moves.Nothing, Code.Reservednop_rm16_r16_0F19, Code.Reservednop_rm32_r32_0F19, Code.Reservednop_rm64_r64_0F19);
        rows.EachForm(&Moves.Nothing, Code.Reservednop_rm16_r16_0F1A, Code.Reservednop_rm32_r32_0F1A, Code.Reservednop_rm64_r64_0F1A);
        rows.EachForm(&Moves.Nothing, Code.Reservednop_rm16_r16_0F1B, Code.Reservednop_rm32_r32_0F1B, Code.Reservednop_rm64_r64_0F1B);
        rows.EachForm(&Moves.Nothing, Code.Reservednop_rm16_r16_0F1C, Code.Reservednop_rm32_r32_0F1C, Code.Reservednop_rm64_r64_0F1C);
        rows.EachForm(&Moves.Nothing, Code.Reservednop_rm16_r16_0F1D, Code.Reservednop_rm32_r32_0F1D, Code.Reservednop_rm64_r64_0F1D);
        rows.EachForm(&Moves.Nothing, Code.Reservednop_rm16_r16_0F1E, Code.Reservednop_rm32_r32_0F1E, Code.Reservednop_rm64_r64_0F1E);
        rows.EachForm(&Moves.Nothing, Code.Reservednop_rm16_r16_0F1F, Code.Reservednop_rm32_r32_0F1F, Code.Reservednop_rm64_r64_0F1F);

        // Hints of features that are not there: their codes are no operations without them (Intel SDM vol. 2, CLDEMOTE, PREFETCHIT0, RDSSP)
        rows.EachForm(&Moves.Nothing, Code.Cldemote_m8, Code.Prefetchit0_m8, Code.Prefetchit1_m8, Code.Rdsspd_r32, Code.Rdsspq_r64);
        rows.EachForm(&Moves.Nothing, Code.Prefetchreserved3_m8, Code.Prefetchreserved4_m8, Code.Prefetchreserved5_m8, Code.Prefetchreserved6_m8, Code.Prefetchreserved7_m8);

        // Cache lines, fences
        rows.Set(Code.Clflush_m8, null, &CacheLines.Flush);
        rows.Set(Code.Clflushopt_m8, null, &CacheLines.Flush);
        rows.Set(Code.Clwb_m8, null, &CacheLines.Flush);
        rows.Each(&Moves.Nothing, Code.Lfence, Code.Mfence, Code.Sfence);
        rows.Each(&Moves.Nothing, Code.Lfence_E9, Code.Lfence_EA, Code.Lfence_EB, Code.Lfence_EC, Code.Lfence_ED, Code.Lfence_EE, Code.Lfence_EF);
        rows.Each(&Moves.Nothing, Code.Mfence_F1, Code.Mfence_F2, Code.Mfence_F3, Code.Mfence_F4, Code.Mfence_F5, Code.Mfence_F6, Code.Mfence_F7);
        rows.Each(&Moves.Nothing, Code.Sfence_F9, Code.Sfence_FA, Code.Sfence_FB, Code.Sfence_FC, Code.Sfence_FD, Code.Sfence_FE, Code.Sfence_FF);
    }
}
