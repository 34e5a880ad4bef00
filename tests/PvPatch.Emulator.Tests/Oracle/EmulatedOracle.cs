using System.Runtime.InteropServices;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Memory;

namespace PvPatch.Emulator.Tests.Oracle;

/// <summary>Runs cases in the emulator, in pages at the addresses that they have in the helper process.</summary>
internal sealed unsafe class EmulatedOracle : IDisposable
{
    private const ulong CodeFrame = 0x20_0000;
    private const ulong DataFrames = 0x30_0000;
    private const ulong UserCode = PageTableEntry.Present | PageTableEntry.User | PageTableEntry.Writable;
    private const int MostInstructions = 100_000;

    private readonly PagedCpu _machine = new();
    private readonly InterpretedCpu _interpreter;

    public EmulatedOracle()
    {
        CpuState* cpu = _machine.State;
        _machine.Map(CaseLayout.CodePage, CodeFrame, UserCode);
        for (ulong offset = 0; offset < CaseLayout.DataSize; offset += 0x1000)
            _machine.Map(CaseLayout.DataPages + offset, DataFrames + offset, UserCode | PageTableEntry.NoExecute);
        cpu->Cr0 |= Cr0Bits.WriteProtect | Cr0Bits.NumericError | Cr0Bits.MonitorCoprocessor;
        cpu->Cr4 |= Cr4Bits.OsFxsr | Cr4Bits.OsXmmExceptions | Cr4Bits.FsGsBase;
        cpu->Cs.Selector = 0x33;
        cpu->Cs.Attributes = SegmentAttributes.Present | SegmentAttributes.Long | SegmentAttributes.CodeOrData | SegmentAttributes.Code | (3 << 5);
        cpu->Ss.Selector = 0x2b;
        cpu->Fs.Base = CaseLayout.FsBase;
        cpu->Gs.Base = CaseLayout.GsBase;
        new Span<byte>(cpu->Ram + CodeFrame, 0x1000).Fill(0xcc);
        _interpreter = new InterpretedCpu(cpu);
    }

    public MachineCase Run(MachineCase given)
    {
        CpuState* cpu = _machine.State;
        Load(given);
        StopReason stop = _interpreter.Run(MostInstructions);
        var result = new MachineCase { Rip = cpu->Rip, Flags = cpu->RFlags };
        if (stop is StopReason.Exception exception)
        {
            result.Vector = exception.Vector;
            result.ErrorCode = exception.ErrorCode;
            result.Cr2 = exception.Address;
        }
        else
        {
            result.Vector = uint.MaxValue;
        }

        for (int i = 0; i < 16; i++)
            result.General[i] = cpu->Gpr[i];
        for (int i = 0; i < result.Memory.Length; i++)
            Window(i).CopyTo(result.Memory[i]);
        FpuImage.Store(cpu, result.Fpu);
        return result;
    }

    public void Dispose()
    {
        _interpreter.Dispose();
        _machine.Dispose();
    }

    private void Load(MachineCase given)
    {
        CpuState* cpu = _machine.State;
        for (int i = 0; i < 16; i++)
            cpu->Gpr[i] = given.General[i];
        cpu->Rip = given.Rip;
        cpu->RFlags = given.Flags | RFlags.Fixed | RFlags.InterruptEnable;
        given.Code.CopyTo(new Span<byte>(cpu->Ram + CodeFrame + (CaseLayout.CodeStart - CaseLayout.CodePage), CaseLayout.CodeSize));
        CodePages.Written(cpu, CodeFrame, 0x1000);
        for (int i = 0; i < given.Memory.Length; i++)
            given.Memory[i].CopyTo(Window(i));
        FpuImage.Load(cpu, given.Fpu);
    }

    private Span<byte> Window(int number)
    {
        CaseLayout.Window window = CaseLayout.Windows[number];
        return new Span<byte>(_machine.State->Ram + DataFrames + (window.Address - CaseLayout.DataPages), window.Size);
    }

    /// <summary>An FXSAVE image.</summary>
    private static class FpuImage
    {
        public static void Load(CpuState* cpu, byte[] image)
        {
            X87Image.Load(cpu, image);
            cpu->Mxcsr = MemoryMarshal.Read<uint>(image.AsSpan(24));
            for (int i = 0; i < 32; i++)
                cpu->Xmm[i] = MemoryMarshal.Read<ulong>(image.AsSpan(160 + (i * 8)));
        }

        public static void Store(CpuState* cpu, byte[] image)
        {
            X87Image.Store(cpu, image);
            MemoryMarshal.Write(image.AsSpan(24), cpu->Mxcsr);
            for (int i = 0; i < 32; i++)
                MemoryMarshal.Write(image.AsSpan(160 + (i * 8)), cpu->Xmm[i]);
        }
    }
}
