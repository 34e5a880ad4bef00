using Iced.Intel;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Tests.Kit;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Machines;

[TestFixture(ExecutionTier.Interpreted)]
[TestFixture(ExecutionTier.Translated)]
public sealed unsafe class MemoryRegionTests(ExecutionTier tier)
{
    private const ulong HighRam = 4ul << 30;
    private const ulong Rom = 0xffff_0000;
    private const ulong Device = 0xfed0_0000;

    [Test]
    public void RAM_above_a_hole_is_RAM_for_code_and_for_the_owner()
    {
        using var machine = new CodeMachine(tier, a =>
        {
            a.mov(rbx, HighRam);
            a.mov(rcx, __qword_ptr[rbx + 0x1ff8]);
            a.mov(__qword_ptr[rbx + 0xffd], rcx);
            a.@lock.inc(__qword_ptr[rbx]);
            a.lea(rax, __[rbx + 0x100]);
            a.jmp(rax);
        });
        machine.Machine.Memory.AddRam(HighRam, 2 << 20);
        machine.Machine.Memory.Write(HighRam + 0x1ff8, 0x1122_3344_5566_7788);
        machine.Machine.Memory.Write(HighRam + 0x100, CodeMachine.Assemble(a => a.hlt(), HighRam + 0x100));
        Assert.That(machine.Run(), Is.EqualTo(new MachineExit.Halted(InterruptsEnabled: false)));
        Assert.That(machine.Machine.Memory.Read<ulong>(HighRam + 0xffd), Is.EqualTo(0x1122_3344_5566_7788));
        Assert.That(machine.Machine.Memory.Read<ulong>(HighRam), Is.EqualTo(1ul));
        Assert.That(machine.Cpu->Rip, Is.EqualTo(HighRam + 0x101));
    }

    [TestCase(ExitCauses.None)]
    [TestCase(ExitCauses.RomWrite)]
    public void ROM_is_read_and_executed_and_writes_to_it_vanish_or_stop(ExitCauses exitOn)
    {
        using var machine = new CodeMachine(
            tier,
            a =>
            {
                a.mov(ebx, unchecked((int)Rom));
                a.mov(__dword_ptr[rbx], 0x5555);
                a.mov(ecx, __dword_ptr[rbx]);
                a.mov(rax, rbx);
                a.add(rax, 0x10);
                a.jmp(rax);
            },
            exitOn: exitOn);
        byte[] content = new byte[0x20];
        content[0] = 0x99;
        content[0x10] = 0xf4;
        machine.Machine.Memory.AddRom(Rom, content);
        MachineExit exit = machine.Run();
        if (exitOn == ExitCauses.RomWrite)
        {
            Assert.That(exit, Is.EqualTo(new MachineExit.UnclaimedMemory(0, new UnclaimedAccess(Rom, 4, IsWrite: true, 0x5555, InRom: true))));
            Assert.That(machine.Cpu->Rip, Is.EqualTo(CodeMachine.Code + 5 + 6));
            exit = machine.Run();
        }

        Assert.That(exit, Is.TypeOf<MachineExit.Halted>());
        Assert.That(machine.Cpu->Rcx, Is.EqualTo(0x99ul));
        Assert.That(machine.Cpu->Rip, Is.EqualTo(Rom + 0x11));
    }

    /// <summary>An instruction, and the accesses the device sees: offset, size, and what is written.</summary>
    public static IEnumerable<TestCaseData> Accesses()
    {
        yield return Row("MOV of a byte", a => a.mov(al, __byte_ptr[rbx + 3]), "r 3 1");
        yield return Row("MOV of a quadword", a => a.mov(rax, __qword_ptr[rbx + 8]), "r 8 8");
        yield return Row("MOV to memory", a => a.mov(__word_ptr[rbx], 0x1234), "w 0 2 1234");
        yield return Row("ADD to memory reads and writes", a => a.add(__dword_ptr[rbx], 1), "r 0 4|w 0 4 3020101");
        yield return Row("LOCK XADD", a => a.@lock.xadd(__dword_ptr[rbx], ecx), "r 0 4|w 0 4 3020103");
        yield return Row("XCHG", a => a.xchg(__qword_ptr[rbx], rcx), "r 0 8|w 0 8 3");
        yield return Row("16 bytes come in two pieces", a => a.movups(xmm0, __xmmword_ptr[rbx]), "r 0 8|r 8 8");
        yield return Row("PUSH", a => { a.mov(rsp, rbx); a.add(rsp, 8); a.push(rcx); }, "w 0 8 3");
        yield return Row("REP STOSB", a => { a.mov(rdi, rbx); a.mov(al, 7); a.rep.stosb(); }, "w 0 1 7|w 1 1 7|w 2 1 7");
        yield return Row("REP MOVSB from the device", a => { a.mov(rsi, rbx); a.mov(edi, (int)CodeMachine.Data); a.rep.movsb(); }, "r 0 1|r 1 1|r 2 1");
        yield return Row("past its end there is nothing", a => a.mov(rax, __qword_ptr[rbx + 0xfc]), "r fc 4");

        static TestCaseData Row(string name, Action<Assembler> program, string seen) => new TestCaseData(program, seen).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Accesses))]
    public void A_device_sees_each_access_once_and_in_order(Action<Assembler> program, string seen)
    {
        var device = new RecordingDevice();
        using var machine = new CodeMachine(tier, a =>
        {
            a.mov(ebx, unchecked((int)Device));
            a.mov(ecx, 3);
            a.nop();
            program(a);
            a.hlt();
        });
        machine.Machine.Memory.AddDevice(Device, 0x100, device);
        Assert.That(machine.Run(), Is.TypeOf<MachineExit.Halted>());
        Assert.That(string.Join('|', device.Seen), Is.EqualTo(seen));
    }

    [Test]
    public void Where_nothing_is_reads_give_ones_and_writes_vanish()
    {
        using var machine = new CodeMachine(tier, a =>
        {
            a.mov(ebx, 0x4000_0000);
            a.mov(__qword_ptr[rbx], rbx);
            a.mov(rax, __qword_ptr[rbx]);
            a.hlt();
        });
        Assert.That(machine.Run(), Is.TypeOf<MachineExit.Halted>());
        Assert.That(machine.Cpu->Rax, Is.EqualTo(ulong.MaxValue));
    }

    [Test]
    public void An_access_to_nothing_stops_behind_the_instruction_where_the_owner_wants_it()
    {
        using var machine = new CodeMachine(
            tier,
            a =>
            {
                a.mov(ebx, 0x4000_0000);
                a.mov(rax, __qword_ptr[rbx + 16]);
                a.inc(rcx);
                a.hlt();
            },
            exitOn: ExitCauses.UnclaimedMemory);
        Assert.That(machine.Run(), Is.EqualTo(new MachineExit.UnclaimedMemory(0, new UnclaimedAccess(0x4000_0010, 8, IsWrite: false, 0, InRom: false))));
        Assert.That((machine.Cpu->Rip, machine.Cpu->Rax, machine.Cpu->Rcx, machine.Machine.Instructions), Is.EqualTo((CodeMachine.Code + 9, ulong.MaxValue, 0ul, 2ul)));
        Assert.That(machine.Run(), Is.TypeOf<MachineExit.Halted>());
        Assert.That(machine.Cpu->Rcx, Is.EqualTo(1ul));
    }

    [TestCase(0x1000ul, 0x1000ul)]
    [TestCase(0x3f_f000ul, 0x2000ul)]
    [TestCase((1ul << 40) - 0x1000, 0x2000ul)]
    public void Regions_do_not_overlap_and_end_within_the_physical_addresses(ulong address, ulong size)
    {
        using var memory = new PhysicalMemory(4 << 20);
        Assert.That(() => memory.AddRam(address, size), Throws.ArgumentException);
        Assert.That(() => memory.AddDevice(address, size, new RecordingDevice()), Throws.ArgumentException);
    }

    /// <summary>Each byte reads as its offset.</summary>
    private sealed class RecordingDevice : IMemoryDevice
    {
        public List<string> Seen { get; } = [];

        public ulong Read(ulong offset, int size)
        {
            Seen.Add($"r {offset:x} {size}");
            ulong value = 0;
            for (int i = 0; i < size; i++) value |= (ulong)(byte)(offset + (uint)i) << (8 * i);
            return value;
        }

        public void Write(ulong offset, int size, ulong value) => Seen.Add($"w {offset:x} {size} {value:x}");
    }
}
