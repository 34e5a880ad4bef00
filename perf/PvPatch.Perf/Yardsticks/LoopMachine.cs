using Iced.Intel;
using PvPatch.Emulator;
using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Translator;
using PvPatch.Hosts.Bare;

namespace PvPatch.Perf.Yardsticks;

/// <summary>Machines whose one vCPU executes a loop for ever.</summary>
internal static unsafe class LoopMachine
{
    /// <summary>Where RSI points: memory that the loop may use.</summary>
    public const int Data = 0x20_0000;

    private const ulong Code = 0x10_0000;
    private const ulong TopTable = 0x1000;
    private const ulong Directory = 0x2000;

    /// <summary>A machine in 64-bit mode, the first gigabyte mapped to itself, about to execute the body for ever.</summary>
    /// <param name="body">The body.</param>
    /// <param name="platform">What stands under it; none is bare hardware.</param>
    /// <param name="tier">What executes it.</param>
    /// <param name="sensitive">How translated code calls sensitive ops.</param>
    public static Machine Build(
        Action<Assembler> body, IPlatform? platform = null, ExecutionTier tier = ExecutionTier.Automatic, SensitiveBinding sensitive = SensitiveBinding.Patched)
    {
        var machine = new Machine(new MachineOptions
        {
            Platform = platform ?? new BareHardware(),
            RamSize = 4 << 20,
            Clock = new VirtualClock(cyclesPerRead: 0),
            Tier = tier,
            Sensitive = sensitive,
        });
        machine.Memory.Write(TopTable, Directory | 3);
        machine.Memory.Write(Directory, 0x83ul);
        var assembler = new Assembler(64);
        Label loop = assembler.CreateLabel();
        assembler.Label(ref loop);
        body(assembler);
        assembler.jmp(loop);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), Code);
        machine.Memory.Write(Code, stream.ToArray());

        CpuState* cpu = machine.Cpu(0);
        cpu->Cr3 = TopTable;
        cpu->Cr4 = Cr4Bits.PhysicalAddressExtension;
        cpu->Cr0 = Cr0Bits.ProtectionEnable | Cr0Bits.Paging | Cr0Bits.ExtensionType;
        cpu->Efer = EferBits.LongModeEnable | EferBits.LongModeActive;
        cpu->Cs = new Segment { Selector = 8, Attributes = 0xa09b, Limit = uint.MaxValue };
        cpu->Ss = new Segment { Selector = 0x10, Attributes = 0xc093, Limit = uint.MaxValue };
        cpu->Rip = Code;
        cpu->Rsp = Code;
        cpu->Rsi = Data;
        return machine;
    }
}
