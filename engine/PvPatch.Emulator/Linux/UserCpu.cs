using System.Diagnostics;
using System.Runtime.InteropServices;
using PvPatch.Emulator.Devices;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.Linux.Programs;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.Engine.Ops;

namespace PvPatch.Emulator.Linux;

/// <summary>The CPU of one program: in 64-bit mode at CPL 3, as Linux starts programs, with nothing around it but RAM.</summary>
internal sealed unsafe class UserCpu : IDisposable
{
    private const ushort CodeSelector = 0x33;
    private const ushort StackSelector = 0x2b;
    private const ushort CodeAttributes = 0xa0fb;
    private const ushort StackAttributes = 0xc0f3;
    private const uint MxcsrAtStart = 0x1f80;
    private const ushort FpuControlAtStart = 0x37f;
    private const uint GeneralProtection = 13;
    private const uint InvalidOpcode = 6;

    /// <summary>What the slots call, for code that is bound to it; filled so only when such code is translated.</summary>
    private static readonly Dictionary<string, PvTarget> Targets = new(ProcessorOps.Targets, StringComparer.Ordinal)
    {
        ["cpu.cpuid"] = Method(nameof(ReadCpuid)),
        ["cpu.read_tsc"] = Method(nameof(ReadTsc)),
        ["cpu.random"] = Method(nameof(ReadRandom)),
        ["cpu.relax"] = Method(nameof(Relax)),
        ["cpu.hypercall"] = PvTarget.Constant(InvalidOpcode),
        ["cpu.read_msr"] = Method(nameof(ReadMsr)),
        ["cpu.write_msr"] = PvTarget.Constant(GeneralProtection),
        ["io.in"] = PvTarget.Constant(uint.MaxValue),
        ["io.out"] = PvTarget.Nop,
    };

    private readonly SensitiveOps* _sensitive;
    private readonly bool _repeatable;

    /// <summary>A CPU at the start of a program, without memory of its own.</summary>
    /// <param name="memory">The memory.</param>
    /// <param name="repeatable">RDTSC, RDRAND and RDSEED count, so that two CPUs read the same.</param>
    public UserCpu(PhysicalMemory memory, bool repeatable = false)
    {
        // SAFETY: zeroed memory is a valid state; Dispose releases both blocks.
        State = (CpuState*)NativeMemory.AllocZeroed((nuint)sizeof(CpuState));
        _sensitive = (SensitiveOps*)NativeMemory.AllocZeroed((nuint)sizeof(SensitiveOps));
        _sensitive->SaveFlags = &SaveFlags;
        _sensitive->RestoreFlags = &RestoreFlags;
        _sensitive->Cpuid = &Cpuid;
        _sensitive->Rdtsc = &Rdtsc;
        _sensitive->Random = &Random;
        _repeatable = repeatable;
        if (repeatable)
            _sensitive->Rdtsc = _sensitive->Random = &Counted;
        _sensitive->Pause = &Pause;
        _sensitive->Vmcall = &Vmcall;
        _sensitive->Rdmsr = &Rdmsr;
        _sensitive->In = &In;
        _sensitive->Out = &Out;
        State->Sensitive = _sensitive;
        State->Ram = memory.Base;
        State->RamSize = memory.Size;
        State->RFlags = RFlags.Fixed | RFlags.InterruptEnable;
        State->Cr0 = Cr0Bits.ProtectionEnable | Cr0Bits.MonitorCoprocessor | Cr0Bits.ExtensionType | Cr0Bits.NumericError |
            Cr0Bits.WriteProtect | Cr0Bits.AlignmentMask | Cr0Bits.Paging;
        State->Cr4 = Cr4Bits.PhysicalAddressExtension | Cr4Bits.OsFxsr | Cr4Bits.OsXmmExceptions | Cr4Bits.OsXsave;
        State->Efer = EferBits.SyscallEnable | EferBits.LongModeEnable | EferBits.LongModeActive | EferBits.NoExecuteEnable;
        State->Xcr0 = StateComponents.All;
        State->Cs = new Segment { Selector = CodeSelector, Attributes = CodeAttributes, Limit = uint.MaxValue };
        State->Ss = new Segment { Selector = StackSelector, Attributes = StackAttributes, Limit = uint.MaxValue };
        State->Mxcsr = MxcsrAtStart;
        State->Fpu.Control = FpuControlAtStart;
        Tlb.Allocate(State);
    }

    /// <summary>What answers its sensitive instructions; it is made when it is first asked for, for few programs need it.</summary>
    public SensitiveTable Table()
    {
        var targets = new Dictionary<string, PvTarget>(Targets, StringComparer.Ordinal);
        if (_repeatable)
            targets["cpu.read_tsc"] = targets["cpu.random"] = Method(nameof(Count));
        return new SensitiveTable(_sensitive, targets);
    }

    /// <summary>Its registers.</summary>
    public CpuState* State { get; }

    public void Dispose()
    {
        Tlb.Free(State);
        // SAFETY: the constructor made both blocks.
        NativeMemory.Free(_sensitive);
        NativeMemory.Free(State);
    }

    [UnmanagedCallersOnly]
    private static ulong SaveFlags(CpuState* cpu) => ProcessorOps.SaveFlags(cpu);

    [UnmanagedCallersOnly]
    private static void RestoreFlags(CpuState* cpu, ulong value) => ProcessorOps.RestoreFlags(cpu, value);

    [UnmanagedCallersOnly]
    private static void Cpuid(CpuState* cpu, uint leaf, uint subleaf, CpuidRegisters* result) => ReadCpuid(cpu, leaf, subleaf, result);

    [UnmanagedCallersOnly]
    private static ulong Rdtsc(CpuState* cpu) => ReadTsc(cpu);

    [UnmanagedCallersOnly]
    private static ulong Counted(CpuState* cpu) => Count(cpu);

    [UnmanagedCallersOnly]
    private static ulong Random(CpuState* cpu) => ReadRandom(cpu);

    [UnmanagedCallersOnly]
    private static void Pause(CpuState* cpu) => Relax(cpu);

    [UnmanagedCallersOnly]
    private static uint Vmcall(CpuState* cpu) => InvalidOpcode;

    [UnmanagedCallersOnly]
    private static uint Rdmsr(CpuState* cpu, uint msr, ulong* value) => ReadMsr(cpu, msr, value);

    [UnmanagedCallersOnly]
    private static uint In(CpuState* cpu, ushort port, uint size) => uint.MaxValue;

    [UnmanagedCallersOnly]
    private static void Out(CpuState* cpu, ushort port, uint size, uint value)
    {
        // No port has a device; a program at CPL 3 does not come this far.
    }

    private static PvTarget Method(string name) => PvTarget.Method(typeof(UserCpu), name);

    private static void ReadCpuid(CpuState* cpu, uint leaf, uint subleaf, CpuidRegisters* result) => *result = UserCpuid.Read(cpu, leaf, subleaf);

    private static ulong ReadTsc(CpuState* cpu) => (ulong)Stopwatch.GetTimestamp();

    /// <summary>The next of numbers that are the same for each CPU; no user program has another use for this field.</summary>
    private static ulong Count(CpuState* cpu) => cpu->Cr8 += 0x3_1415;

    private static ulong ReadRandom(CpuState* cpu) => RandomSource.FromHost();

    private static void Relax(CpuState* cpu) => Thread.Yield();

    private static uint ReadMsr(CpuState* cpu, uint msr, ulong* value)
    {
        *value = 0;
        return GeneralProtection;
    }
}
