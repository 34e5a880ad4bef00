using System.Runtime.InteropServices;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Interpreter;

/// <summary>How handlers follow each other here (<see cref="Execution.Next"/>).</summary>
internal static unsafe class HandlerChain
{
    /// <summary>
    /// Whether a handler calls the next one instead of jumping to it. So does unoptimised code, with which the runtime begins in a program
    /// where the emulator was not compiled ahead, and a stack of a MiB or two holds few thousand such calls.
    /// </summary>
    public static bool Nests { get; } = Depth(first: 0) != Depth(first: 1);

    /// <summary>Where the stack is in the second of two handlers that follow each other.</summary>
    /// <param name="first">The one that is executed first.</param>
    private static ulong Depth(int first)
    {
        var cpu = (CpuState*)NativeMemory.AllocZeroed((nuint)sizeof(CpuState));
        DecodedInstruction* two = stackalloc DecodedInstruction[2];
        two[0].Handler = &Moves.Nothing;
        two[1].Handler = &NoteStack;
        cpu->Left = 1;
        // SAFETY: the first handler reads and writes the count, the second one writes RIP; neither reaches for more of a CPU.
        two[first].Handler(cpu, two + first);
        ulong depth = cpu->Rip;
        NativeMemory.Free(cpu);
        return depth;
    }

    private static DecodedInstruction* NoteStack(CpuState* cpu, DecodedInstruction* u)
    {
        byte local;
        cpu->Rip = (ulong)&local;
        return null;
    }
}
