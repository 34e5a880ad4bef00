using System.Reflection.Emit;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;
using PvPatch.Engine.Reports;

namespace PvPatch.Emulator.Translator;

/// <summary>A region as machine code of the host.</summary>
/// <param name="method">The method, which the runtime frees when nothing refers to it.</param>
/// <param name="code">Its address.</param>
/// <param name="memory">What it leads out to.</param>
/// <param name="entries">The addresses of the blocks that can be entered; the place in the list goes into <c>RegionEntry</c>.</param>
/// <param name="instructions">The addresses of its instructions.</param>
/// <param name="sensitiveSites">Where it calls sensitive ops.</param>
internal sealed unsafe class TranslatedRegion(
    DynamicMethod method,
    delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> code,
    RegionMemory memory,
    ulong[] entries,
    ulong[] instructions,
    IReadOnlyList<PatchedSite> sensitiveSites) : IDisposable
{
    /// <summary>Where it calls sensitive ops.</summary>
    public IReadOnlyList<PatchedSite> SensitiveSites => sensitiveSites;

    /// <summary>Address of its machine code.</summary>
    public nint Code => (nint)code;

    /// <summary>The addresses of the blocks that can be entered.</summary>
    public ulong[] Entries => entries;

    /// <summary>The addresses of its instructions.</summary>
    public ulong[] Instructions => instructions;

    /// <summary>Lets a decoded instruction, which stands where a block can be entered, enter it.</summary>
    public void EnterAt(DecodedInstruction* u, int entry)
    {
        u->RegionEntry = (ushort)entry;
        u->Handler = code;
        u->Marks |= Marks.TakesWaitingFlags;
    }

    /// <summary>Frees what it leads out to. No code runs in it, and nothing enters it any more.</summary>
    public void Dispose()
    {
        memory.Dispose();
        GC.KeepAlive(method);
    }
}
