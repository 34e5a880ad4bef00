using PvPatch.Emulator.Memory;

namespace PvPatch.Emulator.Processors;

/// <summary>
/// The registers of the local APICs in memory (xAPIC mode, Intel SDM vol. 3, 10.4): each vCPU sees its own at the same address.
/// Registers have 32 bits at multiples of 16; the rest reads as zeros.
/// </summary>
/// <param name="board">The board.</param>
internal sealed class LocalApicPage(Board board) : IMemoryDevice
{
    public const ulong Address = 0xfee0_0000;
    public const ulong Size = 0x1000;

    private const int RegisterBytes = 4;

    public ulong Read(ulong offset, int size)
    {
        int within = (int)(offset & 15);
        return within < RegisterBytes ? board.Scheduler.Running.ReadApicPage((uint)offset & ~15u) >> (8 * within) : 0;
    }

    public void Write(ulong offset, int size, ulong value)
    {
        if ((offset & 15) == 0) board.Scheduler.Running.WriteApicPage((uint)offset, (uint)value);
    }
}
