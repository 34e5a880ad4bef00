using System.Runtime.InteropServices;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Memory;

/// <summary>A CPU in 64-bit mode with a little RAM and paging structures that a test builds entry by entry.</summary>
internal sealed unsafe class PagedCpu : IDisposable
{
    public const ulong RamSize = 16 << 20;

    private const ulong TopTable = 0x10_0000;
    private const ulong Present = PageTableEntry.Present;

    private ulong _nextTable = TopTable + 0x1000;

    public PagedCpu()
    {
        // SAFETY: both blocks are released by Dispose; a zeroed CpuState is a valid one.
        State = (CpuState*)NativeMemory.AllocZeroed((nuint)sizeof(CpuState));
        State->Ram = (byte*)NativeMemory.AlignedAlloc((nuint)RamSize, 4096);
        NativeMemory.Clear(State->Ram, (nuint)RamSize);
        State->RamSize = RamSize;
        State->RFlags = RFlags.Fixed;
        State->Cr0 = Cr0Bits.ProtectionEnable | Cr0Bits.Paging | Cr0Bits.ExtensionType;
        State->Cr4 = Cr4Bits.PhysicalAddressExtension;
        State->Efer = EferBits.LongModeEnable | EferBits.LongModeActive | EferBits.NoExecuteEnable;
        State->Cr3 = TopTable;
        Tlb.Allocate(State);
    }

    public CpuState* State { get; }

    public void Dispose()
    {
        if (State->CodePages != null)
            CodePages.Free(State->CodePages);
        Tlb.Free(State);
        // SAFETY: the constructor made both blocks.
        NativeMemory.AlignedFree(State->Ram);
        NativeMemory.Free(State);
    }

    public void SetPrivilege(int level) => State->Cs.Selector = (ushort)level;

    public ulong* Physical(ulong address) => (ulong*)(State->Ram + address);

    /// <summary>Starts again with an empty top table.</summary>
    public void Unmap()
    {
        NativeMemory.Clear(Physical(TopTable), (nuint)(_nextTable - TopTable));
        _nextTable = TopTable + 0x1000;
        Tlb.Flush(State);
    }

    public void FlushPage(ulong linear) => Tlb.FlushPage(State, linear);

    public void ReloadCr3() => Assert.That(ControlRegisters.Write(State, 3, State->Cr3), Is.Zero);

    /// <summary>Changes bits of CR4 to what they are not.</summary>
    public void ChangeCr4(ulong bits) => Assert.That(ControlRegisters.Write(State, 4, State->Cr4 ^ bits), Is.Zero);

    /// <summary>Maps one page with the given leaf bits; tables above it allow everything unless <paramref name="upper"/> says less.</summary>
    /// <returns>Where the leaf entry lies.</returns>
    public ulong Map(ulong linear, ulong physical, ulong leafBits, int pageBits = 12, ulong upper = Present | PageTableEntry.Writable | PageTableEntry.User)
    {
        ulong table = TopTable;
        for (int shift = 39; shift > pageBits; shift -= 9)
        {
            ulong place = table + ((linear >> shift & 511) * 8);
            if ((*Physical(place) & Present) == 0)
            {
                *Physical(place) = _nextTable | upper;
                _nextTable += 0x1000;
            }

            table = *Physical(place) & PageTableEntry.AddressMask;
        }

        ulong leaf = table + ((linear >> pageBits & 511) * 8);
        *Physical(leaf) = physical | leafBits | (pageBits > 12 ? PageTableEntry.PageSize : 0);
        return leaf;
    }

    /// <summary>Reads a byte as the CPU's code would; the fault if there is one.</summary>
    public MemoryFault? Read(ulong linear) => TryRead(linear, out _);

    public MemoryFault? TryRead(ulong linear, out byte value) =>
        LinearMemory.TryLoad(State, linear, AccessModes.Of(State), out value, out MemoryFault fault) ? null : fault;

    public MemoryFault? Write(ulong linear, byte value) =>
        LinearMemory.TryStore(State, linear, AccessModes.Of(State), value, out MemoryFault fault) ? null : fault;

    public MemoryFault? Fetch(ulong linear) =>
        ReservedBytes.TryReserve(State, linear, 1, AccessKind.Execute, AccessModes.Of(State), out _, out MemoryFault fault) ? null : fault;

    public MemoryFault? Access(ulong linear, AccessKind kind) => kind switch
    {
        AccessKind.Read => Read(linear),
        AccessKind.Write => Write(linear, 1),
        _ => Fetch(linear),
    };
}
