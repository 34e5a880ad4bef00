using Iced.Intel;
using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Translator;

namespace PvPatch.Emulator.Tests.Kit;

/// <summary>
/// A machine that executes assembled 64-bit code in ring 0: the low 2 GB mapped to themselves with 1 GB pages, a GDT, an IDT
/// and a TSS, the stack below the code.
/// </summary>
internal sealed unsafe class CodeMachine : IDisposable
{
    public const ulong Code = 0x10_0000;
    public const ulong Data = 0x20_0000;
    public const ulong Idt = 0x8000;

    private const ulong TopTable = 0x1000;
    private const ulong Gdt = 0x6000;
    private const ulong Tss = 0x7000;
    private const ulong PresentWritable = 3;
    private const ulong LargePage = 1 << 7;
    private const ushort CodeSelector = 0x08;
    private const ushort DataSelector = 0x10;

    private readonly List<string> _console = [];

    public CodeMachine(Action<Assembler> program, int cpus = 1, IPlatform? platform = null, MachineClock? clock = null, ExitCauses exitOn = ExitCauses.None, ulong ramSize = 4 << 20, ulong? randomSeed = null)
        : this(ExecutionTier.Automatic, program, cpus, platform, clock, exitOn, ramSize, randomSeed)
    {
    }

    public CodeMachine(ExecutionTier tier, Action<Assembler> program, int cpus = 1, IPlatform? platform = null, MachineClock? clock = null, ExitCauses exitOn = ExitCauses.None, ulong ramSize = 4 << 20, ulong? randomSeed = null, SensitiveBinding sensitive = SensitiveBinding.Patched)
    {
        Machine = new Machine(new MachineOptions
        {
            Platform = platform ?? new PlainPlatform(),
            Cpus = cpus,
            RamSize = ramSize,
            RandomSeed = randomSeed,
            Tier = tier,
            Sensitive = sensitive,
            Clock = clock ?? new VirtualClock(cyclesPerRead: 0),
            WallClock = new SetTime(DateTimeOffset.UnixEpoch),
            Console = _console.Add,
            ExitOn = exitOn,
        });
        PhysicalMemory memory = Machine.Memory;
        memory.Write(TopTable, 0x2000 | PresentWritable);
        for (ulong gigabyte = 0; gigabyte < 8; gigabyte++) memory.Write(0x2000 + (gigabyte * 8), (gigabyte << 30) | PresentWritable | LargePage);
        memory.Write(Gdt + CodeSelector, 0x00af_9b00_0000_fffful);
        memory.Write(Gdt + DataSelector, 0x00cf_9300_0000_fffful);
        memory.Write(Code, Assemble(program, Code));
        for (int index = 0; index < cpus; index++) Start64(index, Code);
    }

    public Machine Machine { get; }

    public CpuState* Cpu => Machine.Cpu(0);

    public IReadOnlyList<string> Console => _console;

    public static byte[] Assemble(Action<Assembler> program, ulong address)
    {
        var assembler = new Assembler(64);
        program(assembler);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), address);
        return stream.ToArray();
    }

    /// <summary>Puts an interrupt gate into the IDT and assembles its handler.</summary>
    public void Handler(byte vector, ulong address, Action<Assembler> handler)
    {
        Machine.Memory.Write(address, Assemble(handler, address));
        Machine.Memory.Write(Idt + (vector * 16ul), (address & 0xffff) | ((ulong)CodeSelector << 16) | (0x8eul << 40) | ((address >> 16 & 0xffff) << 48));
        Machine.Memory.Write(Idt + (vector * 16ul) + 8, address >> 32);
    }

    public MachineExit Run(ulong instructions = 1_000_000) => Machine.Run(instructions);

    public void Dispose() => Machine.Dispose();

    private void Start64(int index, ulong rip)
    {
        CpuState* cpu = Machine.Cpu(index);
        cpu->Cr3 = TopTable;
        cpu->Cr4 = Cr4Bits.PhysicalAddressExtension | Cr4Bits.OsFxsr;
        cpu->Cr0 = Cr0Bits.ProtectionEnable | Cr0Bits.Paging | Cr0Bits.ExtensionType | Cr0Bits.NumericError;
        cpu->Efer = EferBits.LongModeEnable | EferBits.LongModeActive | EferBits.NoExecuteEnable | EferBits.SyscallEnable;
        cpu->Cs = new Segment { Selector = CodeSelector, Attributes = 0xa09b, Limit = uint.MaxValue };
        cpu->Ss = new Segment { Selector = DataSelector, Attributes = 0xc093, Limit = uint.MaxValue };
        cpu->Gdtr = new DescriptorTable { Base = Gdt, Limit = 0x2f };
        cpu->Idtr = new DescriptorTable { Base = Idt, Limit = 0xfff };
        cpu->Tr = new Segment { Selector = 0x20, Base = Tss, Limit = 0x67, Attributes = 0x8b };
        cpu->Rip = rip;
        cpu->Rsp = Code - ((ulong)index << 12);
    }
}
