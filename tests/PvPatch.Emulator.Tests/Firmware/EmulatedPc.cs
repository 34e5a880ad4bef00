using System.Runtime.InteropServices;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Translator;
using PvPatch.Engine.Ops;

namespace PvPatch.Emulator.Tests.Firmware;

/// <summary>Runs a ROM of system cases, from reset to the end mark.</summary>
internal sealed unsafe class EmulatedPc : IDisposable
{
    private const uint RomBase = 0x80_0000;
    private const ulong RamSize = 0x180_0000;
    private const ulong MostInstructions = 40_000_000;

    private readonly CpuState* _cpu;
    private readonly SensitiveOps* _ops;
    private readonly GCHandle _self;
    private readonly InterpretedCpu _interpreter;
    private readonly ExecutionTier _tier;
    private readonly Dictionary<uint, ulong> _msrs = [];
    private readonly IReadOnlyList<SystemCase> _cases;
    private readonly MemoryStream _output = new();

    public EmulatedPc(IReadOnlyList<SystemCase> cases, ExecutionTier tier)
    {
        _cases = cases;
        _tier = tier;
        // SAFETY: zeroed blocks are valid states; Dispose releases them.
        _cpu = (CpuState*)NativeMemory.AllocZeroed((nuint)sizeof(CpuState));
        _ops = (SensitiveOps*)NativeMemory.AllocZeroed((nuint)sizeof(SensitiveOps));
        _cpu->Ram = (byte*)NativeMemory.AlignedAlloc((nuint)RamSize, 4096);
        NativeMemory.Clear(_cpu->Ram, (nuint)RamSize);
        _cpu->RamSize = RamSize;
        _self = GCHandle.Alloc(this);
        _cpu->Machine = GCHandle.ToIntPtr(_self);
        _cpu->Sensitive = _ops;
        var table = new SensitiveTable(_ops, new Dictionary<string, PvTarget>(ProcessorOps.Targets, StringComparer.Ordinal)
        {
            ["cpu.read_msr"] = Method(nameof(Rdmsr)),
            ["cpu.write_msr"] = Method(nameof(Wrmsr)),
            ["io.in"] = Method(nameof(In)),
            ["io.out"] = Method(nameof(Out)),
            ["cpu.cpuid"] = Method(nameof(Cpuid)),
        });
        byte[] rom = SystemFirmware.Build(cases, RomBase);
        rom.CopyTo(new Span<byte>(_cpu->Ram + RomBase, rom.Length));
        rom.AsSpan(rom.Length - 0x1_0000).CopyTo(new Span<byte>(_cpu->Ram + 0xf_0000, 0x1_0000));
        Tlb.Allocate(_cpu);
        _interpreter = new InterpretedCpu(_cpu, deliversExceptions: true, tier: tier, sensitive: new SensitiveCalls(() => table));
    }

    /// <summary>The tiers in which cases of a mode differ: other code than 64-bit code is not translated.</summary>
    public static ExecutionTier[] Tiers(SystemMode mode) =>
        mode == SystemMode.Long64 ? [ExecutionTier.Interpreted, ExecutionTier.Translated] : [ExecutionTier.Interpreted];

    /// <summary>What the ROM wrote.</summary>
    public byte[] Run()
    {
        byte[] written = RunToEnd();
        int least = _tier == ExecutionTier.Translated ? _cases.Count(one => one.Mode == SystemMode.Long64) / 2 : 0;
        Assert.That(_interpreter.Translation.Regions, Is.AtLeast(least), "translated regions");
        return written;
    }

    public void Dispose()
    {
        _interpreter.Dispose();
        Tlb.Free(_cpu);
        NativeMemory.AlignedFree(_cpu->Ram);
        NativeMemory.Free(_ops);
        NativeMemory.Free(_cpu);
        _self.Free();
        _output.Dispose();
    }

    private byte[] RunToEnd()
    {
        Reset();
        while (true)
        {
            StopReason stop = _interpreter.Run(MostInstructions);
            if (stop is StopReason.Shutdown)
                Reset();
            else if (stop is StopReason.Halted && _output.Length > 0 && _output.GetBuffer()[_output.Length - 1] == SystemFirmware.EndMark)
                return _output.ToArray();
            else
                throw new InvalidOperationException($"{SystemCaseText.FormatCase(_cases[*(int*)(_cpu->Ram + SystemFirmware.CaseNumber)])} stopped with {stop} at {_cpu->Cs.Selector:x}:{_cpu->Rip:x}.");
        }
    }

    /// <summary>The state after a reset (Intel SDM vol. 3, table 9-1); memory stays.</summary>
    private void Reset()
    {
        var data = new Segment { Attributes = 0x93, Limit = 0xffff };
        _cpu->RFlags = RFlags.Fixed;
        _cpu->Cr0 = Cr0Bits.ExtensionType | Cr0Bits.CacheDisable | Cr0Bits.NotWriteThrough;
        _cpu->Cr2 = _cpu->Cr3 = _cpu->Cr4 = _cpu->Efer = 0;
        _cpu->Cs = new Segment { Selector = 0xf000, Base = 0xf_0000, Attributes = 0x9b, Limit = 0xffff };
        _cpu->Ds = _cpu->Es = _cpu->Fs = _cpu->Gs = _cpu->Ss = data;
        _cpu->Ldtr = new Segment { Attributes = 0x82, Limit = 0xffff };
        _cpu->Tr = new Segment { Attributes = 0x8b, Limit = 0xffff };
        _cpu->Gdtr = _cpu->Idtr = new DescriptorTable { Limit = 0xffff };
        _cpu->Rip = 0xfff0;
        new Span<ulong>(_cpu->Gpr, 16).Clear();
        new Span<ulong>(_cpu->Dr, 8).Clear();
        _cpu->Dr[6] = 0xffff_0ff0;
        _cpu->Dr[7] = 0x400;
        _cpu->PendingDebug = 0;
        _cpu->Interruptibility = Interruptibility.None;
        _cpu->KernelGsBase = 0;
        _cpu->Fpu = new FpuState { Control = 0x40, Used = 0xff };
        _msrs.Clear();
        Tlb.Flush(_cpu);
    }

    private static EmulatedPc Of(CpuState* cpu) => (EmulatedPc)GCHandle.FromIntPtr(cpu->Machine).Target!;

    private static PvTarget Method(string name) => PvTarget.Method(typeof(EmulatedPc), name);

    private static uint Rdmsr(CpuState* cpu, uint msr, ulong* value)
    {
        *value = msr switch
        {
            Msr.Efer => cpu->Efer,
            Msr.FsBase => cpu->Fs.Base,
            Msr.GsBase => cpu->Gs.Base,
            Msr.KernelGsBase => cpu->KernelGsBase,
            _ => Of(cpu)._msrs.GetValueOrDefault(msr),
        };
        return 0;
    }

    private static uint Wrmsr(CpuState* cpu, uint msr, ulong value)
    {
        switch (msr)
        {
            case Msr.Efer:
                return ControlRegisters.WriteEfer(cpu, value);
            case Msr.FsBase:
                cpu->Fs.Base = value;
                break;
            case Msr.GsBase:
                cpu->Gs.Base = value;
                break;
            case Msr.KernelGsBase:
                cpu->KernelGsBase = value;
                break;
            default:
                Of(cpu)._msrs[msr] = value;
                break;
        }

        return 0;
    }

    private static uint In(CpuState* cpu, ushort port, uint size) => uint.MaxValue;

    private static void Out(CpuState* cpu, ushort port, uint size, uint value)
    {
        if (port == SystemFirmware.OutputPort)
            Of(cpu)._output.WriteByte((byte)value);
    }

    private static void Cpuid(CpuState* cpu, uint leaf, uint subleaf, CpuidRegisters* result) => *result = default;
}
