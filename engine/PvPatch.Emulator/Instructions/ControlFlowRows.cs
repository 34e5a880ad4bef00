using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>Rows of branches and the stack.</summary>
internal static unsafe class ControlFlowRows
{
    public static void Add(RowBuilder rows)
    {
        // Jcc, SETcc, CMOVcc
        rows.Condition<IfO>(
            Code.Jo_rel8_16, Code.Jo_rel8_32, Code.Jo_rel8_64, Code.Jo_rel16, Code.Jo_rel32_32, Code.Jo_rel32_64,
            Code.Seto_rm8, Code.Cmovo_r16_rm16, Code.Cmovo_r32_rm32, Code.Cmovo_r64_rm64);
        rows.Condition<IfNo>(
            Code.Jno_rel8_16, Code.Jno_rel8_32, Code.Jno_rel8_64, Code.Jno_rel16, Code.Jno_rel32_32, Code.Jno_rel32_64,
            Code.Setno_rm8, Code.Cmovno_r16_rm16, Code.Cmovno_r32_rm32, Code.Cmovno_r64_rm64);
        rows.Condition<IfB>(
            Code.Jb_rel8_16, Code.Jb_rel8_32, Code.Jb_rel8_64, Code.Jb_rel16, Code.Jb_rel32_32, Code.Jb_rel32_64,
            Code.Setb_rm8, Code.Cmovb_r16_rm16, Code.Cmovb_r32_rm32, Code.Cmovb_r64_rm64);
        rows.Condition<IfAe>(
            Code.Jae_rel8_16, Code.Jae_rel8_32, Code.Jae_rel8_64, Code.Jae_rel16, Code.Jae_rel32_32, Code.Jae_rel32_64,
            Code.Setae_rm8, Code.Cmovae_r16_rm16, Code.Cmovae_r32_rm32, Code.Cmovae_r64_rm64);
        rows.Condition<IfE>(
            Code.Je_rel8_16, Code.Je_rel8_32, Code.Je_rel8_64, Code.Je_rel16, Code.Je_rel32_32, Code.Je_rel32_64,
            Code.Sete_rm8, Code.Cmove_r16_rm16, Code.Cmove_r32_rm32, Code.Cmove_r64_rm64);
        rows.Condition<IfNe>(
            Code.Jne_rel8_16, Code.Jne_rel8_32, Code.Jne_rel8_64, Code.Jne_rel16, Code.Jne_rel32_32, Code.Jne_rel32_64,
            Code.Setne_rm8, Code.Cmovne_r16_rm16, Code.Cmovne_r32_rm32, Code.Cmovne_r64_rm64);
        rows.Condition<IfBe>(
            Code.Jbe_rel8_16, Code.Jbe_rel8_32, Code.Jbe_rel8_64, Code.Jbe_rel16, Code.Jbe_rel32_32, Code.Jbe_rel32_64,
            Code.Setbe_rm8, Code.Cmovbe_r16_rm16, Code.Cmovbe_r32_rm32, Code.Cmovbe_r64_rm64);
        rows.Condition<IfA>(
            Code.Ja_rel8_16, Code.Ja_rel8_32, Code.Ja_rel8_64, Code.Ja_rel16, Code.Ja_rel32_32, Code.Ja_rel32_64,
            Code.Seta_rm8, Code.Cmova_r16_rm16, Code.Cmova_r32_rm32, Code.Cmova_r64_rm64);
        rows.Condition<IfS>(
            Code.Js_rel8_16, Code.Js_rel8_32, Code.Js_rel8_64, Code.Js_rel16, Code.Js_rel32_32, Code.Js_rel32_64,
            Code.Sets_rm8, Code.Cmovs_r16_rm16, Code.Cmovs_r32_rm32, Code.Cmovs_r64_rm64);
        rows.Condition<IfNs>(
            Code.Jns_rel8_16, Code.Jns_rel8_32, Code.Jns_rel8_64, Code.Jns_rel16, Code.Jns_rel32_32, Code.Jns_rel32_64,
            Code.Setns_rm8, Code.Cmovns_r16_rm16, Code.Cmovns_r32_rm32, Code.Cmovns_r64_rm64);
        rows.Condition<IfP>(
            Code.Jp_rel8_16, Code.Jp_rel8_32, Code.Jp_rel8_64, Code.Jp_rel16, Code.Jp_rel32_32, Code.Jp_rel32_64,
            Code.Setp_rm8, Code.Cmovp_r16_rm16, Code.Cmovp_r32_rm32, Code.Cmovp_r64_rm64);
        rows.Condition<IfNp>(
            Code.Jnp_rel8_16, Code.Jnp_rel8_32, Code.Jnp_rel8_64, Code.Jnp_rel16, Code.Jnp_rel32_32, Code.Jnp_rel32_64,
            Code.Setnp_rm8, Code.Cmovnp_r16_rm16, Code.Cmovnp_r32_rm32, Code.Cmovnp_r64_rm64);
        rows.Condition<IfL>(
            Code.Jl_rel8_16, Code.Jl_rel8_32, Code.Jl_rel8_64, Code.Jl_rel16, Code.Jl_rel32_32, Code.Jl_rel32_64,
            Code.Setl_rm8, Code.Cmovl_r16_rm16, Code.Cmovl_r32_rm32, Code.Cmovl_r64_rm64);
        rows.Condition<IfGe>(
            Code.Jge_rel8_16, Code.Jge_rel8_32, Code.Jge_rel8_64, Code.Jge_rel16, Code.Jge_rel32_32, Code.Jge_rel32_64,
            Code.Setge_rm8, Code.Cmovge_r16_rm16, Code.Cmovge_r32_rm32, Code.Cmovge_r64_rm64);
        rows.Condition<IfLe>(
            Code.Jle_rel8_16, Code.Jle_rel8_32, Code.Jle_rel8_64, Code.Jle_rel16, Code.Jle_rel32_32, Code.Jle_rel32_64,
            Code.Setle_rm8, Code.Cmovle_r16_rm16, Code.Cmovle_r32_rm32, Code.Cmovle_r64_rm64);
        rows.Condition<IfG>(
            Code.Jg_rel8_16, Code.Jg_rel8_32, Code.Jg_rel8_64, Code.Jg_rel16, Code.Jg_rel32_32, Code.Jg_rel32_64,
            Code.Setg_rm8, Code.Cmovg_r16_rm16, Code.Cmovg_r32_rm32, Code.Cmovg_r64_rm64);

        // JMP, CALL, RET
        rows.Each(&ControlFlow.JumpDirect, Code.Jmp_rel8_16, Code.Jmp_rel8_32, Code.Jmp_rel8_64, Code.Jmp_rel16, Code.Jmp_rel32_32, Code.Jmp_rel32_64);
        rows.Set(Code.Jmp_rm16, &ControlFlow.JumpRegister<ushort>, &ControlFlow.JumpMemory<ushort>);
        rows.Set(Code.Jmp_rm32, &ControlFlow.JumpRegister<uint>, &ControlFlow.JumpMemory<uint>);
        rows.Set(Code.Jmp_rm64, &ControlFlow.JumpRegister<ulong>, &ControlFlow.JumpMemory<ulong>);
        rows.Set(Code.Call_rel16, &ControlFlow.CallDirect<ushort>);
        rows.Set(Code.Call_rel32_32, &ControlFlow.CallDirect<uint>);
        rows.Set(Code.Call_rel32_64, &ControlFlow.CallDirect<ulong>);
        rows.Set(Code.Call_rm16, &ControlFlow.CallRegister<ushort>, &ControlFlow.CallMemory<ushort>);
        rows.Set(Code.Call_rm32, &ControlFlow.CallRegister<uint>, &ControlFlow.CallMemory<uint>);
        rows.Set(Code.Call_rm64, &ControlFlow.CallRegister<ulong>, &ControlFlow.CallMemory<ulong>);
        rows.Each(&ControlFlow.Return<ushort>, Code.Retnw, Code.Retnw_imm16);
        rows.Each(&ControlFlow.Return<uint>, Code.Retnd, Code.Retnd_imm16);
        rows.Each(&ControlFlow.Return<ulong>, Code.Retnq, Code.Retnq_imm16);

        // LOOP, JCXZ
        rows.Each(&ControlFlow.Loop, Code.Loop_rel8_16_CX, Code.Loop_rel8_32_CX, Code.Loop_rel8_16_ECX, Code.Loop_rel8_32_ECX, Code.Loop_rel8_64_ECX, Code.Loop_rel8_16_RCX, Code.Loop_rel8_64_RCX);
        rows.Each(&ControlFlow.LoopEqual, Code.Loope_rel8_16_CX, Code.Loope_rel8_32_CX, Code.Loope_rel8_16_ECX, Code.Loope_rel8_32_ECX, Code.Loope_rel8_64_ECX, Code.Loope_rel8_16_RCX, Code.Loope_rel8_64_RCX);
        rows.Each(&ControlFlow.LoopNotEqual, Code.Loopne_rel8_16_CX, Code.Loopne_rel8_32_CX, Code.Loopne_rel8_16_ECX, Code.Loopne_rel8_32_ECX, Code.Loopne_rel8_64_ECX, Code.Loopne_rel8_16_RCX, Code.Loopne_rel8_64_RCX);
        rows.Each(&ControlFlow.JumpIfCounterZero, Code.Jcxz_rel8_16, Code.Jcxz_rel8_32, Code.Jecxz_rel8_16, Code.Jecxz_rel8_32, Code.Jecxz_rel8_64, Code.Jrcxz_rel8_16, Code.Jrcxz_rel8_64);

        // PUSH, POP, ENTER, LEAVE
        rows.Set(Code.Push_r16, &Stack.PushRegister<ushort>);
        rows.Set(Code.Push_rm16, &Stack.PushRegister<ushort>, &Stack.PushMemory<ushort>);
        rows.Set(Code.Pop_r16, &Stack.PopRegister<ushort>);
        rows.Set(Code.Pop_rm16, &Stack.PopRegister<ushort>, &Stack.PopMemory<ushort>);
        rows.Set(Code.Push_r32, &Stack.PushRegister<uint>);
        rows.Set(Code.Push_rm32, &Stack.PushRegister<uint>, &Stack.PushMemory<uint>);
        rows.Set(Code.Pop_r32, &Stack.PopRegister<uint>);
        rows.Set(Code.Pop_rm32, &Stack.PopRegister<uint>, &Stack.PopMemory<uint>);
        rows.Set(Code.Push_r64, &Stack.PushRegister<ulong>);
        rows.Set(Code.Push_rm64, &Stack.PushRegister<ulong>, &Stack.PushMemory<ulong>);
        rows.Set(Code.Pop_r64, &Stack.PopRegister<ulong>);
        rows.Set(Code.Pop_rm64, &Stack.PopRegister<ulong>, &Stack.PopMemory<ulong>);
        rows.Each(&Stack.PushImmediate<ushort>, Code.Push_imm16, Code.Pushw_imm8);
        rows.Each(&Stack.PushImmediate<uint>, Code.Pushd_imm32, Code.Pushd_imm8);
        rows.Each(&Stack.PushImmediate<ulong>, Code.Pushq_imm32, Code.Pushq_imm8);
        rows.Each(&Stack.PushSegment<ushort>, Code.Pushw_ES, Code.Pushw_CS, Code.Pushw_SS, Code.Pushw_DS, Code.Pushw_FS, Code.Pushw_GS);
        rows.Each(&Stack.PushSegment<uint>, Code.Pushd_ES, Code.Pushd_CS, Code.Pushd_SS, Code.Pushd_DS, Code.Pushd_FS, Code.Pushd_GS);
        rows.Each(&Stack.PushSegment<ulong>, Code.Pushq_FS, Code.Pushq_GS);
        rows.Set(Code.Leavew, &Stack.Leave<ushort>);
        rows.Set(Code.Enterw_imm16_imm8, &Stack.Enter<ushort>);
        rows.Set(Code.Leaved, &Stack.Leave<uint>);
        rows.Set(Code.Enterd_imm16_imm8, &Stack.Enter<uint>);
        rows.Set(Code.Leaveq, &Stack.Leave<ulong>);
        rows.Set(Code.Enterq_imm16_imm8, &Stack.Enter<ulong>);
        rows.Set(Code.Pushaw, &Stack.PushAll<ushort>);
        rows.Set(Code.Pushad, &Stack.PushAll<uint>);
        rows.Set(Code.Popaw, &Stack.PopAll<ushort>);
        rows.Set(Code.Popad, &Stack.PopAll<uint>);
    }
}
