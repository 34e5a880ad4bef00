using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>Rows of flags as a whole, traps and what reaches beyond the CPU's own registers.</summary>
internal static unsafe class SystemRows
{
    public static void Add(RowBuilder rows)
    {
        // Flags
        rows.Set(Code.Pushfw, &FlagsRegister.Push<ushort>);
        rows.Set(Code.Pushfd, &FlagsRegister.Push<uint>);
        rows.Set(Code.Pushfq, &FlagsRegister.Push<ulong>);
        rows.Set(Code.Popfw, &FlagsRegister.Pop<ushort>);
        rows.Set(Code.Popfd, &FlagsRegister.Pop<uint>);
        rows.Set(Code.Popfq, &FlagsRegister.Pop<ulong>);

        // Traps
        rows.Set(Code.Int3, &Traps.Breakpoint);
        rows.Set(Code.Int1, &Traps.Int1);
        rows.Set(Code.Int_imm8, &Traps.Software);
        rows.Set(Code.Into, &Traps.IfOverflow);
        rows.EachForm(&Faults.InvalidOpcode, Code.Ud2, Code.Ud0, Code.Ud0_r16_rm16, Code.Ud0_r32_rm32, Code.Ud0_r64_rm64);
        rows.EachForm(&Faults.InvalidOpcode, Code.Ud1_r16_rm16, Code.Ud1_r32_rm32, Code.Ud1_r64_rm64);

        // Interrupts, processor identification, model-specific registers, time
        rows.Set(Code.Cli, &Privileged.Cli);
        rows.Set(Code.Sti, &Privileged.Sti);
        rows.Set(Code.Hlt, &Privileged.Hlt);
        rows.Set(Code.Pause, &Privileged.Pause);
        rows.Set(Code.Cpuid, &Privileged.Cpuid);
        rows.Set(Code.Rdmsr, &Privileged.Rdmsr);
        rows.Set(Code.Wrmsr, &Privileged.Wrmsr);
        rows.Set(Code.Rdpmc, &Privileged.Rdpmc);
        rows.Set(Code.Rdtsc, &Privileged.Rdtsc);
        rows.Set(Code.Rdtscp, &Privileged.Rdtscp);
        rows.Each(&Privileged.Rdpid, Code.Rdpid_r32, Code.Rdpid_r64);
        rows.Each(&RandomNumbers.Read<ushort>, Code.Rdrand_r16, Code.Rdseed_r16);
        rows.Each(&RandomNumbers.Read<uint>, Code.Rdrand_r32, Code.Rdseed_r32);
        rows.Each(&RandomNumbers.Read<ulong>, Code.Rdrand_r64, Code.Rdseed_r64);
        rows.Each(&Privileged.Wbinvd, Code.Wbinvd, Code.Wbnoinvd, Code.Invd);
        rows.Each(&Privileged.Vmcall, Code.Vmcall, Code.Vmmcall);
        rows.Set(Code.Invlpg_m, null, &Privileged.Invlpg);

        // Control and debug registers, descriptor tables
        rows.Each(&Privileged.FromControl, Code.Mov_r32_cr, Code.Mov_r64_cr);
        rows.Each(&Privileged.ToControl, Code.Mov_cr_r32, Code.Mov_cr_r64);
        rows.Each(&Privileged.FromDebug, Code.Mov_r32_dr, Code.Mov_r64_dr);
        rows.Each(&Privileged.ToDebug, Code.Mov_dr_r32, Code.Mov_dr_r64);
        rows.Set(Code.Clts, &Privileged.Clts);
        rows.EachForm(&Invalidations.Invpcid, Code.Invpcid_r32_m128, Code.Invpcid_r64_m128);
        rows.Set(Code.Lgdt_m1632_16, null, &Privileged.LoadNarrowGdt);
        rows.Set(Code.Lidt_m1632_16, null, &Privileged.LoadNarrowIdt);
        rows.Set(Code.Sgdt_m1632_16, null, &Privileged.StoreGdt);
        rows.Set(Code.Sidt_m1632_16, null, &Privileged.StoreIdt);
        rows.Set(Code.Lgdt_m1632, null, &Privileged.LoadGdt);
        rows.Set(Code.Lgdt_m1664, null, &Privileged.LoadGdt);
        rows.Set(Code.Lidt_m1632, null, &Privileged.LoadIdt);
        rows.Set(Code.Lidt_m1664, null, &Privileged.LoadIdt);
        rows.Set(Code.Sgdt_m1632, null, &Privileged.StoreGdt);
        rows.Set(Code.Sgdt_m1664, null, &Privileged.StoreGdt);
        rows.Set(Code.Sidt_m1632, null, &Privileged.StoreIdt);
        rows.Set(Code.Sidt_m1664, null, &Privileged.StoreIdt);

        // System calls and far transfers
        rows.Set(Code.Syscall, &SystemCalls.Syscall);
        rows.Set(Code.Sysretq, &SystemCalls.Sysret64);
        rows.Set(Code.Sysretd, &SystemCalls.Sysret32);
        rows.Set(Code.Swapgs, &SystemCalls.Swapgs);
        rows.Set(Code.Sysenter, &SystemCalls.Sysenter);
        rows.Set(Code.Sysexitd, &SystemCalls.Sysexit32);
        rows.Set(Code.Sysexitq, &SystemCalls.Sysexit64);
        rows.Set(Code.Iretw, &InterruptReturns.Return<ushort>);
        rows.Set(Code.Iretd, &InterruptReturns.Return<uint>);
        rows.Set(Code.Iretq, &InterruptReturns.Return<ulong>);
        rows.Each(&FarReturns.Return<ushort>, Code.Retfw, Code.Retfw_imm16);
        rows.Each(&FarReturns.Return<uint>, Code.Retfd, Code.Retfd_imm16);
        rows.Each(&FarReturns.Return<ulong>, Code.Retfq, Code.Retfq_imm16);
        rows.Each(&FarTransfers.JumpDirect, Code.Jmp_ptr1616, Code.Jmp_ptr1632);
        rows.Set(Code.Call_ptr1616, &FarTransfers.CallDirect<ushort>);
        rows.Set(Code.Call_ptr1632, &FarTransfers.CallDirect<uint>);
        rows.Set(Code.Jmp_m1616, null, &FarTransfers.Jump<ushort>);
        rows.Set(Code.Jmp_m1632, null, &FarTransfers.Jump<uint>);
        rows.Set(Code.Jmp_m1664, null, &FarTransfers.Jump<ulong>);
        rows.Set(Code.Call_m1616, null, &FarTransfers.Call<ushort>);
        rows.Set(Code.Call_m1632, null, &FarTransfers.Call<uint>);
        rows.Set(Code.Call_m1664, null, &FarTransfers.Call<ulong>);

        // Ports
        rows.Set(Code.In_AL_imm8, &Ports.InImmediate<byte>);
        rows.Set(Code.In_AX_imm8, &Ports.InImmediate<ushort>);
        rows.Set(Code.In_EAX_imm8, &Ports.InImmediate<uint>);
        rows.Set(Code.In_AL_DX, &Ports.InDx<byte>);
        rows.Set(Code.In_AX_DX, &Ports.InDx<ushort>);
        rows.Set(Code.In_EAX_DX, &Ports.InDx<uint>);
        rows.Set(Code.Out_imm8_AL, &Ports.OutImmediate<byte>);
        rows.Set(Code.Out_imm8_AX, &Ports.OutImmediate<ushort>);
        rows.Set(Code.Out_imm8_EAX, &Ports.OutImmediate<uint>);
        rows.Set(Code.Out_DX_AL, &Ports.OutDx<byte>);
        rows.Set(Code.Out_DX_AX, &Ports.OutDx<ushort>);
        rows.Set(Code.Out_DX_EAX, &Ports.OutDx<uint>);

        rows.Set(Code.Insb_m8_DX, null, &Strings.Run<InputStep, byte>);
        rows.Set(Code.Insw_m16_DX, null, &Strings.Run<InputStep, ushort>);
        rows.Set(Code.Insd_m32_DX, null, &Strings.Run<InputStep, uint>);
        rows.Set(Code.Outsb_DX_m8, null, &Strings.Run<OutputStep, byte>);
        rows.Set(Code.Outsw_DX_m16, null, &Strings.Run<OutputStep, ushort>);
        rows.Set(Code.Outsd_DX_m32, null, &Strings.Run<OutputStep, uint>);

        // Segment registers and their kind
        rows.Set(Code.Mov_rm16_Sreg, &SegmentMoves.FromSegment<ushort>, &SegmentMoves.SegmentToMemory);
        rows.Set(Code.Mov_r32m16_Sreg, &SegmentMoves.FromSegment<uint>, &SegmentMoves.SegmentToMemory);
        rows.Set(Code.Mov_r64m16_Sreg, &SegmentMoves.FromSegment<ulong>, &SegmentMoves.SegmentToMemory);
        foreach (Code code in (ReadOnlySpan<Code>)[Code.Mov_Sreg_rm16, Code.Mov_Sreg_r32m16, Code.Mov_Sreg_r64m16])
            rows.Set(code, &SegmentMoves.ToSegment, &SegmentMoves.MemoryToSegment);
        rows.Each(&SegmentMoves.Pop<ushort>, Code.Popw_ES, Code.Popw_SS, Code.Popw_DS, Code.Popw_FS, Code.Popw_GS);
        rows.Each(&SegmentMoves.Pop<uint>, Code.Popd_ES, Code.Popd_SS, Code.Popd_DS, Code.Popd_FS, Code.Popd_GS);
        rows.Each(&SegmentMoves.Pop<ulong>, Code.Popq_FS, Code.Popq_GS);
        foreach (Code code in (ReadOnlySpan<Code>)[Code.Lldt_rm16, Code.Lldt_r32m16, Code.Lldt_r64m16])
            rows.Set(code, &SegmentMoves.LoadLdt, &SegmentMoves.LoadLdtFromMemory);
        foreach (Code code in (ReadOnlySpan<Code>)[Code.Ltr_rm16, Code.Ltr_r32m16, Code.Ltr_r64m16])
            rows.Set(code, &SegmentMoves.LoadTask, &SegmentMoves.LoadTaskFromMemory);
        foreach (Code code in (ReadOnlySpan<Code>)[Code.Lmsw_rm16, Code.Lmsw_r32m16, Code.Lmsw_r64m16])
            rows.Set(code, &SegmentMoves.LoadStatus, &SegmentMoves.LoadStatusFromMemory);
        rows.Set(Code.Sldt_rm16, &SegmentMoves.StoreLdt<ushort>, &SegmentMoves.StoreLdtToMemory);
        rows.Set(Code.Sldt_r32m16, &SegmentMoves.StoreLdt<uint>, &SegmentMoves.StoreLdtToMemory);
        rows.Set(Code.Sldt_r64m16, &SegmentMoves.StoreLdt<ulong>, &SegmentMoves.StoreLdtToMemory);
        rows.Set(Code.Str_rm16, &SegmentMoves.StoreTask<ushort>, &SegmentMoves.StoreTaskToMemory);
        rows.Set(Code.Str_r32m16, &SegmentMoves.StoreTask<uint>, &SegmentMoves.StoreTaskToMemory);
        rows.Set(Code.Str_r64m16, &SegmentMoves.StoreTask<ulong>, &SegmentMoves.StoreTaskToMemory);
        rows.Set(Code.Smsw_rm16, &SegmentMoves.StoreStatus<ushort>, &SegmentMoves.StoreStatusToMemory);
        rows.Set(Code.Smsw_r32m16, &SegmentMoves.StoreStatus<uint>, &SegmentMoves.StoreStatusToMemory);
        rows.Set(Code.Smsw_r64m16, &SegmentMoves.StoreStatus<ulong>, &SegmentMoves.StoreStatusToMemory);
        rows.Set(Code.Lds_r16_m1616, null, &SegmentMoves.LoadDs<ushort>);
        rows.Set(Code.Lds_r32_m1632, null, &SegmentMoves.LoadDs<uint>);
        rows.Set(Code.Les_r16_m1616, null, &SegmentMoves.LoadEs<ushort>);
        rows.Set(Code.Les_r32_m1632, null, &SegmentMoves.LoadEs<uint>);
        rows.Set(Code.Lfs_r16_m1616, null, &SegmentMoves.LoadFs<ushort>);
        rows.Set(Code.Lfs_r32_m1632, null, &SegmentMoves.LoadFs<uint>);
        rows.Set(Code.Lfs_r64_m1664, null, &SegmentMoves.LoadFs<ulong>);
        rows.Set(Code.Lgs_r16_m1616, null, &SegmentMoves.LoadGs<ushort>);
        rows.Set(Code.Lgs_r32_m1632, null, &SegmentMoves.LoadGs<uint>);
        rows.Set(Code.Lgs_r64_m1664, null, &SegmentMoves.LoadGs<ulong>);
        rows.Set(Code.Lss_r16_m1616, null, &SegmentMoves.LoadSs<ushort>);
        rows.Set(Code.Lss_r32_m1632, null, &SegmentMoves.LoadSs<uint>);
        rows.Set(Code.Lss_r64_m1664, null, &SegmentMoves.LoadSs<ulong>);
        rows.Set(Code.Lar_r16_rm16, &DescriptorQueries.AccessRightsOf<ushort>, &DescriptorQueries.AccessRightsOfMemory<ushort>);
        rows.Set(Code.Lar_r32_r32m16, &DescriptorQueries.AccessRightsOf<uint>, &DescriptorQueries.AccessRightsOfMemory<uint>);
        rows.Set(Code.Lar_r64_r64m16, &DescriptorQueries.AccessRightsOf<ulong>, &DescriptorQueries.AccessRightsOfMemory<ulong>);
        rows.Set(Code.Lsl_r16_rm16, &DescriptorQueries.LimitOf<ushort>, &DescriptorQueries.LimitOfMemory<ushort>);
        rows.Set(Code.Lsl_r32_r32m16, &DescriptorQueries.LimitOf<uint>, &DescriptorQueries.LimitOfMemory<uint>);
        rows.Set(Code.Lsl_r64_r64m16, &DescriptorQueries.LimitOf<ulong>, &DescriptorQueries.LimitOfMemory<ulong>);
        foreach (Code code in (ReadOnlySpan<Code>)[Code.Verr_rm16, Code.Verr_r32m16, Code.Verr_r64m16])
            rows.Set(code, &DescriptorQueries.IsReadable, &DescriptorQueries.IsReadableMemory);
        foreach (Code code in (ReadOnlySpan<Code>)[Code.Verw_rm16, Code.Verw_r32m16, Code.Verw_r64m16])
            rows.Set(code, &DescriptorQueries.IsWritable, &DescriptorQueries.IsWritableMemory);
        foreach (Code code in (ReadOnlySpan<Code>)[Code.Arpl_rm16_r16, Code.Arpl_r32m16_r32])
            rows.Set(code, &DescriptorQueries.Adjust, &DescriptorQueries.AdjustMemory);
        rows.Set(Code.Rdfsbase_r32, &SegmentMoves.ReadFsBase<uint>);
        rows.Set(Code.Rdfsbase_r64, &SegmentMoves.ReadFsBase<ulong>);
        rows.Set(Code.Rdgsbase_r32, &SegmentMoves.ReadGsBase<uint>);
        rows.Set(Code.Rdgsbase_r64, &SegmentMoves.ReadGsBase<ulong>);
        rows.Set(Code.Wrfsbase_r32, &SegmentMoves.WriteFsBase<uint>);
        rows.Set(Code.Wrfsbase_r64, &SegmentMoves.WriteFsBase<ulong>);
        rows.Set(Code.Wrgsbase_r32, &SegmentMoves.WriteGsBase<uint>);
        rows.Set(Code.Wrgsbase_r64, &SegmentMoves.WriteGsBase<ulong>);
        rows.Set(Code.Stac, &SegmentMoves.Stac);
        rows.Set(Code.Clac, &SegmentMoves.Clac);
    }
}
