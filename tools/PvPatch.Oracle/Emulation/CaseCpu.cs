using System.Runtime.InteropServices;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.Oracle.Cases;

namespace PvPatch.Oracle.Emulation;

/// <summary>A CPU in 64-bit mode at CPL 3, as the helper process finds the host's, with the pages of a case.</summary>
internal sealed unsafe class CaseCpu : IDisposable
{
    private const ulong TopTable = 0x1000;
    private const ulong UpperTable = 0x2000;
    private const ulong Directory = 0x3000;
    private const ulong CodeTable = 0x4000;
    private const ulong DataTable = 0x5000;
    private const ulong CodeFrame = 0x8000;
    private const ulong DataFrames = 0x9000;
    private const ulong RamSize = DataFrames + CaseLayout.DataSize;
    private const ulong UserPage = PageTableEntry.Present | PageTableEntry.User | PageTableEntry.Writable;
    private const uint UserPrivilege = 3 << 5;

    public CaseCpu()
    {
        // SAFETY: both blocks are released by Dispose; a zeroed CpuState is a valid one.
        State = (CpuState*)NativeMemory.AllocZeroed((nuint)sizeof(CpuState));
        State->Ram = (byte*)NativeMemory.AlignedAlloc((nuint)RamSize, 4096);
        NativeMemory.Clear(State->Ram, (nuint)RamSize);
        State->RamSize = RamSize;
        State->Cr0 = Cr0Bits.ProtectionEnable | Cr0Bits.Paging | Cr0Bits.ExtensionType | Cr0Bits.WriteProtect | Cr0Bits.NumericError | Cr0Bits.MonitorCoprocessor;
        State->Cr3 = TopTable;
        State->Cr4 = Cr4Bits.PhysicalAddressExtension | Cr4Bits.OsFxsr | Cr4Bits.OsXmmExceptions | Cr4Bits.FsGsBase | Cr4Bits.OsXsave;
        State->Efer = EferBits.LongModeEnable | EferBits.LongModeActive | EferBits.NoExecuteEnable;
        State->Xcr0 = StateComponents.All;
        State->Cs.Selector = 0x33;
        State->Cs.Attributes = (ushort)(SegmentAttributes.Present | SegmentAttributes.Long | SegmentAttributes.CodeOrData | SegmentAttributes.Code | UserPrivilege);
        State->Ss.Selector = 0x2b;
        State->Fs.Base = CaseLayout.FsBase;
        State->Gs.Base = CaseLayout.GsBase;
        Tlb.Allocate(State);
        MapPages();
        new Span<byte>(State->Ram + CodeFrame, 0x1000).Fill(0xcc);
    }

    public CpuState* State { get; }

    /// <summary>The page that cases execute.</summary>
    public Span<byte> CodePage => new(State->Ram + CodeFrame, 0x1000);

    /// <summary>Where a window lies in RAM.</summary>
    public Span<byte> Window(CaseLayout.Window window) => new(State->Ram + DataFrames + (window.Address - CaseLayout.DataPages), window.Size);

    /// <summary>Tells the CPU that the code page was written.</summary>
    public void CodeChanged() => CodePages.Written(State, CodeFrame, 0x1000);

    public void Dispose()
    {
        if (State->CodePages != null)
            CodePages.Free(State->CodePages);
        Tlb.Free(State);
        // SAFETY: the constructor made both blocks.
        NativeMemory.AlignedFree(State->Ram);
        NativeMemory.Free(State);
    }

    /// <summary>Both regions lie in the first GiB, so that one directory serves both.</summary>
    private void MapPages()
    {
        *Entry(TopTable, CaseLayout.CodePage, 39) = UpperTable | UserPage;
        *Entry(UpperTable, CaseLayout.CodePage, 30) = Directory | UserPage;
        *Entry(Directory, CaseLayout.CodePage, 21) = CodeTable | UserPage;
        *Entry(Directory, CaseLayout.DataPages, 21) = DataTable | UserPage;
        *Entry(CodeTable, CaseLayout.CodePage, 12) = CodeFrame | UserPage;
        for (ulong offset = 0; offset < CaseLayout.DataSize; offset += 0x1000)
            *Entry(DataTable, CaseLayout.DataPages + offset, 12) = (DataFrames + offset) | UserPage | PageTableEntry.NoExecute;
    }

    // SAFETY: a table has 512 entries and lies in RAM.
    private ulong* Entry(ulong table, ulong linear, int shift) => (ulong*)(State->Ram + table) + (linear >> shift & 511);
}
