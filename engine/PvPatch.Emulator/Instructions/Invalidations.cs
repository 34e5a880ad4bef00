using System.Runtime.CompilerServices;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>INVPCID (Intel SDM vol. 2). Translations of other process contexts are never kept, so only the current one's can go.</summary>
internal static unsafe class Invalidations
{
    private const ulong OneAddress = 0;
    private const ulong OneContext = 1;
    private const ulong AllWithGlobal = 2;
    private const ulong All = 3;
    private const ulong ContextBits = 0xfff;

    public static DecodedInstruction* Invpcid(CpuState* cpu, DecodedInstruction* u)
    {
        if (!Privileged.IsSupervisor(cpu, u))
            return null;
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, 16, write: false), 16);
        if (host == null)
            return null;
        // SAFETY: Read gave the address of 16 readable bytes.
        ulong context = Unsafe.ReadUnaligned<ulong>(host);
        ulong linear = Unsafe.ReadUnaligned<ulong>(host + 8);
        ulong type = Operands.Register<ulong>(cpu, u->Op0);
        if ((u->Marks & Marks.Code64) == Marks.None)
            type = (uint)type;
        bool contextsOff = (cpu->Cr4 & Cr4Bits.ProcessContextIdentifiers) == 0;
        bool wrong = type > All || (context & ~ContextBits) != 0 ||
            (type <= OneContext && contextsOff && context != 0) ||
            (type == OneAddress && !PageWalk.IsCanonical(linear));
        if (wrong)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        switch (type)
        {
            case OneAddress:
                Tlb.FlushPage(cpu, linear);
                break;
            case AllWithGlobal:
                Tlb.Flush(cpu);
                break;
            default:
                Tlb.FlushNonGlobal(cpu);
                break;
        }

        return Privileged.Done(cpu, u);
    }
}
