using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Snapshots;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Processors;

/// <summary>Saves and restores what is architectural in a <see cref="CpuState"/>; host addresses and handles stay.</summary>
internal static unsafe class CpuStateTransfer
{
    public static void Transfer(CpuState* cpu, StateTransfer state)
    {
        state.Value(ref cpu->RFlags);
        state.Value(ref cpu->EventPending);
        state.Value(ref cpu->Cr0);
        state.Value(ref cpu->Cr2);
        state.Value(ref cpu->Cr3);
        state.Value(ref cpu->Cr4);
        state.Value(ref cpu->Cr8);
        state.Value(ref cpu->Efer);
        state.Value(ref cpu->Xcr0);
        state.Value(ref cpu->Rip);
        state.Values(new Span<ulong>(cpu->Gpr, 16));
        state.Values(new Span<ulong>(cpu->Dr, 8));
        state.Value(ref cpu->PendingDebug);
        state.Value(ref cpu->Interruptibility);
        foreach (nint segment in (ReadOnlySpan<nint>)[(nint)(&cpu->Es), (nint)(&cpu->Cs), (nint)(&cpu->Ss), (nint)(&cpu->Ds), (nint)(&cpu->Fs), (nint)(&cpu->Gs), (nint)(&cpu->Ldtr), (nint)(&cpu->Tr)])
            Transfer((Segment*)segment, state);
        Transfer(&cpu->Gdtr, state);
        Transfer(&cpu->Idtr, state);
        state.Value(ref cpu->KernelGsBase);
        state.Values(new Span<ulong>(cpu->Pdpte, 4));
        state.Values(new Span<ulong>(cpu->Xmm, 32));
        state.Values(new Span<ulong>(cpu->YmmHigh, 32));
        state.Value(ref cpu->Mxcsr);
        Transfer(&cpu->Fpu, state);
        if (state.IsRestoring) Tlb.Flush(cpu);
    }

    private static void Transfer(Segment* segment, StateTransfer state)
    {
        state.Value(ref segment->Selector);
        state.Value(ref segment->Attributes);
        state.Value(ref segment->Limit);
        state.Value(ref segment->Base);
    }

    private static void Transfer(DescriptorTable* table, StateTransfer state)
    {
        state.Value(ref table->Base);
        state.Value(ref table->Limit);
    }

    private static void Transfer(FpuState* fpu, StateTransfer state)
    {
        state.Values(new Span<ulong>(fpu->Mantissa, 8));
        state.Values(new Span<ushort>(fpu->Exponent, 8));
        state.Value(ref fpu->Control);
        state.Value(ref fpu->Status);
        state.Value(ref fpu->Used);
        state.Value(ref fpu->LastOpcode);
        state.Value(ref fpu->LastInstruction);
        state.Value(ref fpu->LastData);
    }
}
