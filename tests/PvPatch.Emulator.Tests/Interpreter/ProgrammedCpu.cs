using System.Runtime.InteropServices;
using System.Text;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Memory;
using PvPatch.Emulator.Translator;
using PvPatch.Engine.Ops;

namespace PvPatch.Emulator.Tests.Interpreter;

/// <summary>A CPU in 64-bit mode with assembled code, a GDT, an IDT and a TSS, whose sensitive instructions end in small native answers.</summary>
internal sealed unsafe class ProgrammedCpu : IDisposable
{
    public const ulong Code = 0x10_0000_0000;
    public const ulong Data = 0x20_0000_0000;
    public const ulong Stack = Data + 0x3800;
    public const ulong UserStack = Data + 0x5800;
    public const ulong IstStack = Data + 0x7800;
    public const ulong KernelStack = Data + 0x9800;
    public const ulong CodeAlias = 0x28_0000_0000;
    public const ulong CodeEntries = 0x30_0000_0000;
    public const ulong CodeFrame = 0x20_0000;
    public const ulong DataFrame = 0x40_0000;
    public const ushort KernelCode = 0x08;
    public const ushort KernelData = 0x10;
    public const ushort UserData = 0x18 | 3;
    public const ushort UserCode = 0x20 | 3;

    private const ulong Tables = Data + 0xa000;
    private const ulong Gdt = Tables;
    private const ulong Idt = Tables + 0x1000;
    private const ulong Tss = Tables + 0x800;
    private const int Pages = 16;

    private readonly PagedCpu _machine = new();
    private readonly SensitiveOps* _ops;
    private readonly ulong _entries;

    public ProgrammedCpu(Action<Assembler> program, bool deliversExceptions = true)
        : this(ExecutionTier.Automatic, program, deliversExceptions)
    {
    }

    public ProgrammedCpu(ExecutionTier tier, Action<Assembler> program, bool deliversExceptions = true)
    {
        // The entries of the code's pages are data too: the program may change them.
        _entries = _machine.Map(Code, CodeFrame, 7);
        _machine.Map(CodeEntries, _entries, 7);
        for (ulong page = 0; page < Pages; page++)
        {
            _machine.Map(Code + (page << 12), CodeFrame + (page << 12), 7);
            _machine.Map(CodeAlias + (page << 12), CodeFrame + (page << 12), 7);
            _machine.Map(Data + (page << 12), DataFrame + (page << 12), 7);
        }

        CpuState* cpu = _machine.State;
        _ops = (SensitiveOps*)NativeMemory.AllocZeroed((nuint)sizeof(SensitiveOps));
        var table = new SensitiveTable(_ops, new Dictionary<string, PvTarget>(ProcessorOps.Targets, StringComparer.Ordinal)
        {
            ["cpu.read_msr"] = PvTarget.Method(typeof(ProgrammedCpu), nameof(Rdmsr)),
            ["cpu.read_tsc"] = PvTarget.Method(typeof(ProgrammedCpu), nameof(Rdtsc)),
        });
        cpu->Sensitive = _ops;
        cpu->Efer |= EferBits.SyscallEnable;
        cpu->Cr4 |= Cr4Bits.OsFxsr;
        cpu->Mxcsr = StateComponents.InitialMxcsr;
        Write(Gdt + KernelCode, 0x00af_9b00_0000_fffful);
        Write(Gdt + KernelData, 0x00cf_9300_0000_fffful);
        Write(Gdt + (UserData & ~7u), 0x00cf_f300_0000_fffful);
        Write(Gdt + (UserCode & ~7u), 0x00af_fb00_0000_fffful);
        cpu->Gdtr = new DescriptorTable { Base = Gdt, Limit = 0x27 };
        cpu->Idtr = new DescriptorTable { Base = Idt, Limit = 0xfff };
        cpu->Tr = new Segment { Selector = 0x28, Base = Tss, Limit = 0x67 };
        Write(Tss + 4, KernelStack);
        Write(Tss + 0x24, IstStack);
        Write(Tss + 0x60, 0x0068_0000_0000_0000);
        cpu->Cs = new Segment { Selector = KernelCode, Attributes = 0xa09b, Limit = uint.MaxValue };
        cpu->Ss = new Segment { Selector = KernelData, Attributes = 0xc093, Limit = uint.MaxValue };
        cpu->Rip = Code;
        cpu->Rsp = Stack;
        var assembler = new Assembler(64);
        program(assembler);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), Code);
        stream.ToArray().CopyTo(new Span<byte>(cpu->Ram + CodeFrame, Pages << 12));
        Interpreter = new InterpretedCpu(cpu, deliversExceptions: deliversExceptions, tier: tier, sensitive: new SensitiveCalls(() => table));
    }

    public CpuState* State => _machine.State;

    public InterpretedCpu Interpreter { get; }

    /// <summary>Enters user mode at the start of the code.</summary>
    public void EnterUserMode()
    {
        State->Cs = new Segment { Selector = UserCode, Attributes = 0xa0fb, Limit = uint.MaxValue };
        State->Ss = new Segment { Selector = UserData, Attributes = 0xc0f3, Limit = uint.MaxValue };
        State->Rsp = UserStack;
    }

    /// <summary>Puts a present gate into the IDT.</summary>
    public void Gate(byte vector, ulong handler, int ist = 0, int privilege = 0, bool trap = false)
    {
        ulong type = (trap ? 0xfu : 0xeu) | ((ulong)privilege << 5) | 0x80;
        Write(Idt + (vector * 16ul), (handler & 0xffff) | ((ulong)KernelCode << 16) | ((ulong)ist << 32) | (type << 40) | ((handler >> 16 & 0xffff) << 48));
        Write(Idt + (vector * 16ul) + 8, handler >> 32);
    }

    public void Write(ulong linear, ulong value) => *(ulong*)(State->Ram + DataFrame + (linear - Data)) = value;

    public ulong Read(ulong linear) => *(ulong*)(State->Ram + DataFrame + (linear - Data));

    /// <summary>Replaces a page's entry by one that is not present, or brings it back.</summary>
    public void SetPresent(ulong page, bool present)
    {
        ulong physical = page >= Data ? DataFrame + (page - Data) : CodeFrame + (page - Code);
        _machine.Map(page, physical, present ? 7ul : 6ul);
        Tlb.FlushPage(State, page);
    }

    /// <summary>Lets a page of code lead to another frame; the old translation stays until it is invalidated.</summary>
    public void MapElsewhere(ulong page, ulong physical, ulong bits = 7) => _machine.Map(page, physical, bits);

    /// <summary>The paging entry of a page of code.</summary>
    public ulong EntryOf(ulong page) => *(ulong*)(State->Ram + _entries + ((page - Code) >> 9));

    /// <summary>Changes a byte of the code as a device would.</summary>
    public void WriteCode(ulong linear, byte value)
    {
        *(State->Ram + CodeFrame + (linear - Code)) = value;
        CodePages.Written(State, CodeFrame + (linear - Code), 1);
    }

    /// <summary>Gives the data that a program works on other values than zeros.</summary>
    public void SeedData()
    {
        for (ulong place = 0; place < 0x2000; place += 8)
            Write(Data + place, place * 0x9e37_79b9_7f4a_7c15);
    }

    /// <summary>All that a program can change but its page tables, as a line.</summary>
    public string Describe()
    {
        var line = new StringBuilder();
        line.Append($"rip {State->Rip:x} flags {State->RFlags:x} general");
        for (int i = 0; i < 16; i++)
            line.Append($" {State->Gpr[i]:x}");
        line.Append(" xmm");
        for (int i = 0; i < 32; i++)
            line.Append($" {State->Xmm[i]:x}");
        line.Append(" ymm");
        for (int i = 0; i < 32; i++)
            line.Append($" {State->YmmHigh[i]:x}");
        line.Append($" mxcsr {State->Mxcsr:x} x87");
        for (int i = 0; i < 8; i++)
            line.Append($" {State->Fpu.Exponent[i]:x}:{State->Fpu.Mantissa[i]:x}");
        line.Append($" {State->Fpu.Control:x} {State->Fpu.Status:x} {State->Fpu.Used:x} {State->Fpu.LastInstruction:x} {State->Fpu.LastData:x}");
        line.Append($" data {Sum(DataFrame, 0x4000):x} code {Sum(CodeFrame, Pages << 12):x} count {Interpreter.Instructions}");
        return line.ToString();
    }

    public void Dispose()
    {
        Interpreter.Dispose();
        _machine.Dispose();
        NativeMemory.Free(_ops);
    }

    private ulong Sum(ulong frame, int bytes)
    {
        ulong sum = 0;
        foreach (ulong word in new ReadOnlySpan<ulong>(State->Ram + frame, bytes / sizeof(ulong)))
            sum = (sum * 31) + word;
        return sum;
    }

    private static ulong Rdtsc(CpuState* cpu) => 0x1122_3344_5566_7788;

    /// <summary>The MSRs of system calls: STAR, LSTAR (256 bytes behind the code's start), FMASK (IF and DF).</summary>
    private static uint Rdmsr(CpuState* cpu, uint msr, ulong* value)
    {
        *value = msr switch
        {
            0xc000_0081 => ((ulong)KernelCode << 32) | ((ulong)(KernelData | 3) << 48),
            0xc000_0082 => Code + 0x100,
            0xc000_0084 => RFlags.InterruptEnable | RFlags.Direction,
            _ => 0,
        };
        return *value == 0 ? 13u : 0;
    }
}
