using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Segmentation;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Interpreter;

/// <summary>Interrupts and exceptions of real mode: a table of far pointers, three words on the stack, no error codes (Intel SDM vol. 3, 20.1.4).</summary>
internal static unsafe class RealModeVectors
{
    private const ulong ClearedFlags = RFlags.InterruptEnable | RFlags.Trap | RFlags.Resume | RFlags.AlignmentCheck;

    /// <summary>Enters a handler.</summary>
    public static bool TryEnter(CpuState* cpu, uint vector, uint external, out MemoryFault fault)
    {
        if ((vector * 4) + 3 > cpu->Idtr.Limit)
            return DescriptorTables.Refuse(Vectors.GeneralProtection, (vector * 8) | ProtectedGates.InIdt | external, out fault);
        if (!LinearMemory.TryLoad(cpu, cpu->Idtr.Base + (vector * 4), AccessMode.Supervisor, out uint pointer, out fault))
            return false;
        var stack = new PushTarget(cpu->Ss, cpu->Rsp, flat: false, AccessMode.Supervisor, 0);
        if (!stack.TryPush(cpu, [cpu->RFlags, cpu->Cs.Selector, cpu->Rip], sizeof(ushort), out fault))
            return false;

        cpu->Rsp = stack.Pointer;
        cpu->Cs.Selector = (ushort)(pointer >> 16);
        cpu->Cs.Base = (ulong)cpu->Cs.Selector << 4;
        cpu->Rip = (ushort)pointer;
        cpu->RFlags &= ~ClearedFlags;
        return true;
    }
}
