using PvPatch.Emulator.Guests;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using static PvPatch.Emulator.Tests.Kit.TestGuest;

namespace PvPatch.Emulator.Tests.Kit;

/// <summary>A machine whose guest runs in long mode: the first 2 MiB mapped to themselves, and what a test maps.</summary>
internal sealed unsafe class PagedMachine : IDisposable
{
    private const ulong TopTable = 0x10_0000;
    private const ulong PresentWritable = 3;
    private const ulong LargePage = 1 << 7;

    private readonly TestMachine _machine = new();
    private ulong _nextTable = TopTable + 0x1000;

    public PagedMachine()
    {
        ulong* entry = Entry(0, lastLevel: 2);
        *entry = PresentWritable | LargePage;
    }

    public CpuState* State => _machine.Machine.Cpu(0);

    public PhysicalMemory Memory => _machine.Machine.Memory;

    public void Map(ulong linear, ulong physical) => *Entry(linear, lastLevel: 1) = physical | PresentWritable;

    /// <summary>Turns paging on, sets the stack pointer and raises an exception; the double fault has a stack of its own.</summary>
    public ulong[] RaiseWithStack(uint vector, ulong stack, delegate*<CpuState*, InterruptFrame*, void> handler)
    {
        var address = (nint)handler;
        _machine.Run(cpu =>
        {
            Wrmsr(cpu, Msr.Efer, EferBits.LongModeEnable);
            cpu->Sensitive->MovToCr(cpu, 4, Cr4Bits.PhysicalAddressExtension);
            cpu->Sensitive->MovToCr(cpu, 3, TopTable);
            cpu->Sensitive->MovToCr(cpu, 0, cpu->Cr0 | Cr0Bits.Paging);
            SetGate(cpu, (int)vector, (delegate*<CpuState*, InterruptFrame*, void>)address);
            SetGate(cpu, 8, (delegate*<CpuState*, InterruptFrame*, void>)address, ist: 1);
            cpu->Rsp = stack;
            cpu->Sensitive->RaiseException(cpu, vector, 0x55);
        });
        return _machine.Notes;
    }

    public void Dispose() => _machine.Dispose();

    private ulong* Entry(ulong linear, int lastLevel)
    {
        ulong table = TopTable;
        for (int level = 4; level > lastLevel; level--)
        {
            ulong* entry = (ulong*)Memory.Pointer(table + (linear >> (3 + 9 * level) & 511) * 8, 8);
            if (*entry == 0)
            {
                *entry = _nextTable | PresentWritable;
                _nextTable += 0x1000;
            }

            table = *entry & ~0xffful;
        }

        return (ulong*)Memory.Pointer(table + (linear >> (3 + 9 * lastLevel) & 511) * 8, 8);
    }
}
