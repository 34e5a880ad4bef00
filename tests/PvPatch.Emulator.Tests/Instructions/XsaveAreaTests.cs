using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Interpreter;
using PvPatch.Emulator.Tests.Kit;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Instructions;

/// <summary>
/// The upper halves of the YMM registers in the XSAVE area (Intel SDM vol. 1, 13.4 to 13.10). What an AMD EPYC did is expected where
/// the manual leaves it open: which bytes must be there.
/// </summary>
public sealed unsafe class XsaveAreaTests
{
    private const int Size = 832;
    private const int Standard = 576;
    private const byte Untouched = 0x55;
    private const ulong Compacted = 1ul << 63;
    private const uint InitialMxcsr = 0x1f80;
    private const uint OtherMxcsr = 0x1fa0;

    private static readonly Dictionary<string, Action<Iced.Intel.Assembler>> Forms = new(StringComparer.Ordinal)
    {
        ["xsave"] = a => a.xsave(__[rbx]),
        ["xsaveopt"] = a => a.xsaveopt(__[rbx]),
        ["xsavec"] = a => a.xsavec(__[rbx]),
        ["xrstor"] = a => a.xrstor(__[rbx]),
    };

    [Test]
    public void The_upper_halves_are_saved_behind_the_header_if_they_are_asked_for([Values("xsave", "xsaveopt", "xsavec")] string form, [Range(0, 7)] int asked)
    {
        using CodeMachine machine = Prepared(form, asked);
        byte[] area = Run(machine);
        bool saved = (asked & 4) != 0;
        Assert.That(area[Standard..], Is.EqualTo(saved ? UpperHalves() : Enumerable.Repeat(Untouched, 256)));
        Assert.That(Word(area, 512) & 4, Is.EqualTo((ulong)asked & 4));
        Assert.That(Word(area, 520), Is.EqualTo(form == "xsavec" ? Compacted | (uint)asked : 0));
    }

    [Test]
    public void Upper_halves_that_are_zero_are_stored_by_xsave_alone([Values("xsave", "xsaveopt", "xsavec")] string form)
    {
        using CodeMachine machine = Prepared(form, 7);
        new Span<ulong>(machine.Cpu->YmmHigh, 32).Clear();
        byte[] area = Run(machine);
        Assert.That(area[Standard..], Is.All.EqualTo(form == "xsave" ? 0 : Untouched));
        Assert.That(Word(area, 512) & 4, Is.Zero);
    }

    [Test]
    public void Mxcsr_is_saved_with_either_kind_of_register_and_by_xsavec_with_xmm_registers_alone(
        [Values("xsave", "xsaveopt", "xsavec")] string form, [Range(0, 7)] int asked)
    {
        using CodeMachine machine = Prepared(form, asked);
        machine.Cpu->Mxcsr = OtherMxcsr;
        bool saved = (asked & (form == "xsavec" ? 2 : 6)) != 0;
        Assert.That((uint)Word(Run(machine), 24), Is.EqualTo(saved ? OtherMxcsr : 0x5555_5555));
    }

    [Test]
    public void Outside_64_bit_mode_half_of_the_registers_are_saved([Values("xsave", "xsaveopt", "xsavec")] string form)
    {
        using CodeMachine machine = Prepared(form, 7);
        Use32BitCode(machine);
        byte[] area = Run(machine);
        Assert.That(area[Standard..(Standard + 128)], Is.EqualTo(UpperHalves()[..128]));
        Assert.That(area[(Standard + 128)..], Is.All.EqualTo(Untouched));
    }

    [Test]
    public void Outside_64_bit_mode_registers_8_to_15_are_not_in_use_and_stay_as_they_are()
    {
        using CodeMachine saving = Prepared("xsavec", 6);
        Use32BitCode(saving);
        saving.Cpu->Mxcsr = InitialMxcsr;
        new Span<ulong>(saving.Cpu->Xmm, 16).Clear();
        new Span<ulong>(saving.Cpu->YmmHigh, 16).Clear();
        Assert.That(Word(Run(saving), 512), Is.Zero);

        using CodeMachine restoring = Prepared("xrstor", 6);
        Use32BitCode(restoring);
        WriteArea(restoring, present: 0);
        Run(restoring);
        CpuState* cpu = restoring.Cpu;
        Assert.That((cpu->Xmm[15], cpu->YmmHigh[15], cpu->Xmm[16], cpu->YmmHigh[16]), Is.EqualTo((0ul, 0ul, 101ul, 17ul)));
    }

    [Test]
    public void Xrstor_loads_initializes_or_leaves_the_upper_halves([Range(0, 7)] int asked, [Range(0, 7)] int present, [Values] bool compacted)
    {
        using CodeMachine machine = Prepared("xrstor", asked);
        WriteArea(machine, (uint)present, compacted ? Compacted | 7 : 0);
        Run(machine);
        ulong expected = (asked & 4) == 0 ? 32ul : (present & 4) != 0 ? 0x2020_2020_2020_2020ul : 0;
        Assert.That(machine.Cpu->YmmHigh[31], Is.EqualTo(expected));
        Assert.That(machine.Cpu->Xmm[16], Is.EqualTo((asked & 2) == 0 ? 101ul : 0), "XMM8");
    }

    [Test]
    public void Xrstor_takes_mxcsr_in_the_standard_format_always_and_in_the_compacted_one_as_a_part_of_sse(
        [Range(0, 7)] int asked, [Range(0, 7)] int present, [Values] bool compacted)
    {
        const uint InArea = 0x1f00;
        using CodeMachine machine = Prepared("xrstor", asked);
        machine.Cpu->Mxcsr = OtherMxcsr;
        WriteArea(machine, (uint)present, compacted ? Compacted | 7 : 0, InArea);
        Run(machine);
        uint expected = compacted
            ? (asked & 2) == 0 ? OtherMxcsr : (present & 2) != 0 ? InArea : InitialMxcsr
            : (asked & 6) != 0 ? InArea : OtherMxcsr;
        Assert.That(machine.Cpu->Mxcsr, Is.EqualTo(expected));
    }

    [Test]
    public void Components_that_XCR0_or_the_area_has_not_are_no_valid_header([Values(4ul, 8ul)] ulong present, [Values(0ul, Compacted | 3)] ulong compaction)
    {
        using CodeMachine machine = Prepared("xrstor", 7);
        machine.Cpu->Xcr0 = compaction == 0 ? 3ul : 7;
        WriteArea(machine, present, compaction);
        machine.Handler(13, CodeMachine.Code + 0x1000, a => a.ud2());
        machine.Handler(6, CodeMachine.Code + 0x2000, a =>
        {
            a.mov(ebp, 13);
            a.hlt();
        });
        Run(machine);
        Assert.That(machine.Cpu->Gpr[5], Is.EqualTo(13ul));
        Assert.That(machine.Cpu->YmmHigh[31], Is.EqualTo(32ul));
    }

    [Test]
    public void Saving_needs_all_bytes_of_what_is_asked_for_in_use_or_not([Values("xsave", "xsaveopt", "xsavec")] string form, [Range(0, 7)] int asked)
    {
        Assert.That(FaultsAtThePagesEnd(form, asked, present: 0, compaction: 0), Is.EqualTo((asked & 4) != 0));
    }

    [Test]
    public void Restoring_needs_what_is_asked_for_and_in_the_compacted_format_only_what_is_there([Range(0, 7)] int asked, [Values(0u, 3u, 4u, 7u)] uint present, [Values] bool compacted)
    {
        bool needed = (asked & 4) != 0 && (!compacted || (present & 4) != 0);
        Assert.That(FaultsAtThePagesEnd("xrstor", asked, present, compacted ? Compacted | 7 : 0), Is.EqualTo(needed));
    }

    [Test]
    public void An_area_on_two_pages_is_saved_and_restored_whole([Values("xsave", "xsaveopt", "xsavec")] string form, [Values(0x1000 - 576, 0x1000 - 640, 0x1000 - 64)] int place)
    {
        ulong area = ProgrammedCpu.Data + (ulong)place;
        using var cpu = new ProgrammedCpu(
            a =>
            {
                Forms[form](a);
                a.xrstor(__[rcx]);
                a.xrstor(__[rbx]);
                a.hlt();
            },
            deliversExceptions: false);
        Prepare(cpu.State, 7, area);
        cpu.State->Rcx = ProgrammedCpu.Data + 0x2000;
        cpu.Write(cpu.State->Rcx + 24, InitialMxcsr);
        for (int i = 0; i < Size / 8; i++)
            cpu.Write(area + (8 * (ulong)i), 0);
        Assert.That(cpu.Interpreter.Run(2), Is.TypeOf<StopReason.InstructionLimit>());
        Assert.That(new Span<ulong>(cpu.State->YmmHigh, 32).ToArray(), Is.All.Zero);
        Assert.That(cpu.Interpreter.Run(2), Is.TypeOf<StopReason.Halted>());
        Assert.That(new Span<ulong>(cpu.State->YmmHigh, 32).ToArray(), Is.EqualTo(Enumerable.Range(1, 32)));
        Assert.That(new Span<ulong>(cpu.State->Xmm, 32).ToArray(), Is.EqualTo(Enumerable.Range(85, 32)));
    }

    /// <summary>Whether an instruction faults if the legacy region and the header are the last bytes of a page and nothing is behind it.</summary>
    private static bool FaultsAtThePagesEnd(string form, int asked, uint present, ulong compaction)
    {
        const ulong Area = ProgrammedCpu.Data + 0x1000 - Standard;
        using var cpu = new ProgrammedCpu(
            a =>
            {
                Forms[form](a);
                a.hlt();
            },
            deliversExceptions: false);
        Prepare(cpu.State, asked, Area);
        new Span<ulong>(cpu.State->YmmHigh, 32).Clear();
        cpu.Write(Area + 24, InitialMxcsr);
        cpu.Write(Area + 512, present);
        cpu.Write(Area + 520, compaction);
        cpu.SetPresent(ProgrammedCpu.Data + 0x1000, present: false);
        StopReason stop = cpu.Interpreter.Run(2);
        if (stop is StopReason.Halted)
            return false;
        Assert.That(stop, Is.EqualTo(new StopReason.Exception(14, form == "xrstor" ? 0u : 2u, ProgrammedCpu.Data + 0x1000)));
        return true;
    }

    /// <summary>A machine with one instruction: all components of the area at RBX are enabled, the asked ones in RAX, no register is zero.</summary>
    private static CodeMachine Prepared(string form, int asked)
    {
        var machine = new CodeMachine(a =>
        {
            Forms[form](a);
            a.hlt();
        });
        Prepare(machine.Cpu, asked, CodeMachine.Data);
        machine.Machine.Memory.Span(CodeMachine.Data, Size).Fill(Untouched);
        machine.Machine.Memory.Span(CodeMachine.Data + 512, 64).Clear();
        return machine;
    }

    private static void Prepare(CpuState* cpu, int asked, ulong area)
    {
        cpu->Cr4 |= Cr4Bits.OsXsave;
        cpu->Xcr0 = 7;
        cpu->Rax = (ulong)asked;
        cpu->Rdx = 0;
        cpu->Rbx = area;
        cpu->Fpu = new FpuState { Control = 0x37f };
        for (int i = 0; i < 32; i++)
        {
            cpu->Xmm[i] = (ulong)i + 85;
            cpu->YmmHigh[i] = (ulong)i + 1;
        }
    }

    private static void Use32BitCode(CodeMachine machine) =>
        machine.Cpu->Cs = new Segment { Selector = 8, Attributes = 0xc09b, Limit = uint.MaxValue };

    /// <summary>An area with zeros in XMM registers, and in upper halves words of the same bytes: each one's number, from 1 on.</summary>
    private static void WriteArea(CodeMachine machine, ulong present, ulong compaction = 0, uint mxcsr = InitialMxcsr)
    {
        Span<byte> area = machine.Machine.Memory.Span(CodeMachine.Data, Size);
        area.Clear();
        machine.Machine.Memory.Write(CodeMachine.Data, (ushort)0x37f);
        machine.Machine.Memory.Write(CodeMachine.Data + 24, mxcsr);
        machine.Machine.Memory.Write(CodeMachine.Data + 512, present);
        machine.Machine.Memory.Write(CodeMachine.Data + 520, compaction);
        for (int i = 0; i < 256; i++)
            area[Standard + i] = (byte)((i / 8) + 1);
    }

    private static byte[] Run(CodeMachine machine)
    {
        Assert.That(machine.Run(), Is.InstanceOf<MachineExit.Halted>());
        return machine.Machine.Memory.Span(CodeMachine.Data, Size).ToArray();
    }

    private static byte[] UpperHalves() => [.. Enumerable.Range(1, 32).SelectMany(i => BitConverter.GetBytes((ulong)i))];

    private static ulong Word(byte[] area, int place) => BitConverter.ToUInt64(area, place);
}
