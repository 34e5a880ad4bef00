using Iced.Intel;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Machines;

[TestFixture(ExecutionTier.Interpreted)]
[TestFixture(ExecutionTier.Translated)]
public sealed unsafe class HookTests(ExecutionTier tier)
{
    private const ulong Code = CodeMachine.Code;
    private const ulong Data = CodeMachine.Data;

    [Test]
    public void An_instruction_hook_is_called_before_each_execution_with_all_registers_exact()
    {
        using var machine = new CodeMachine(tier, Loop);
        var seen = new List<(ulong Rip, ulong Rax)>();
        using IDisposable hook = machine.Machine.Hooks.OnInstruction(Code + 5, Code + 7, cpu => seen.Add((cpu->Rip, cpu->Rax)));
        Assert.That(machine.Run(), Is.TypeOf<MachineExit.Halted>());
        Assert.That(seen, Is.EqualTo(Enumerable.Range(0, 4).Select(i => (Code + 5, (ulong)i))));
        Assert.That(machine.Machine.Instructions, Is.EqualTo(1ul + 12 + 1));
    }

    [Test]
    public void A_hook_added_to_decoded_code_works_and_one_taken_away_is_gone()
    {
        using var machine = new CodeMachine(tier, a => { Label self = a.CreateLabel(); a.Label(ref self); a.inc(rax); a.jmp(self); });
        machine.Run(1000);
        int calls = 0;
        using (machine.Machine.Hooks.OnInstruction(Code, Code, _ => calls++)) machine.Run(1000);
        Assert.That(calls, Is.EqualTo(500));
        machine.Run(1000);
        Assert.That(calls, Is.EqualTo(500));
        Assert.That(machine.Cpu->Rax, Is.EqualTo(1500ul));
    }

    [Test]
    public void A_hook_that_stops_leaves_RIP_at_its_instruction_and_the_run_goes_on_behind_it()
    {
        using var machine = new CodeMachine(tier, Loop);
        int calls = 0;
        using IDisposable hook = machine.Machine.Hooks.OnInstruction(Code + 5, Code + 5, _ => { calls++; machine.Machine.Stop(); });
        for (ulong i = 0; i < 4; i++)
        {
            Assert.That(machine.Run(), Is.TypeOf<MachineExit.Stopped>());
            Assert.That((machine.Cpu->Rip, machine.Cpu->Rax, machine.Machine.Instructions), Is.EqualTo((Code + 5, i, 1 + (3 * i))));
        }

        Assert.That(machine.Run(), Is.TypeOf<MachineExit.Halted>());
        Assert.That(calls, Is.EqualTo(4));
    }

    [Test]
    public void A_hook_may_lead_elsewhere()
    {
        using var machine = new CodeMachine(tier, a => { a.nop(); a.ud2(); a.mov(ebx, 9); a.hlt(); });
        using IDisposable hook = machine.Machine.Hooks.OnInstruction(Code + 1, Code + 1, cpu => cpu->Rip += 2);
        Assert.That(machine.Run(), Is.TypeOf<MachineExit.Halted>());
        Assert.That(machine.Cpu->Rbx, Is.EqualTo(9ul));
    }

    /// <summary>An instruction, and what hooks of the eight bytes at the data see: r or w, offset, bytes.</summary>
    public static IEnumerable<TestCaseData> Accesses()
    {
        yield return Row("a load", a => a.mov(rax, __qword_ptr[rbx]), "r0:0102030405060708");
        yield return Row("a store", a => a.mov(__dword_ptr[rbx + 2], ecx), "w2:03000000");
        yield return Row("a change in place", a => a.inc(__byte_ptr[rbx + 7]), "r7:08 w7:09");
        yield return Row("a locked change", a => a.@lock.add(__word_ptr[rbx], cx), "r0:0102 w0:0402");
        yield return Row("an access that only touches the range", a => a.mov(rax, __qword_ptr[rbx - 4]), "r-4:0000000001020304");
        yield return Row("accesses beside the range", a => { a.mov(rax, __qword_ptr[rbx - 8]); a.mov(__qword_ptr[rbx + 8], rax); }, "");
        yield return Row("PUSH and POP", a => { a.lea(rsp, __[rbx + 8]); a.push(rcx); a.pop(rdx); }, "w0:0300000000000000 r0:0300000000000000");
        yield return Row("CALL", a => { a.lea(rsp, __[rbx + 8]); Label l = a.CreateLabel(); a.call(l); a.Label(ref l); a.nop(); }, "w0:1700100000000000");
        yield return Row("REP STOSW", a => { a.mov(rdi, rbx); a.mov(eax, 0x5566); a.rep.stosw(); }, "w0:6655 w2:6655 w4:6655");
        yield return Row("an XMM load", a => a.movups(xmm0, __xmmword_ptr[rbx]), "r0:01020304050607080000000000000000");

        static TestCaseData Row(string name, Action<Assembler> program, string seen) => new TestCaseData(program, seen).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Accesses))]
    public void Memory_hooks_see_each_access_once_with_its_bytes(Action<Assembler> program, string expected)
    {
        using var machine = new CodeMachine(tier, a =>
        {
            a.mov(ebx, (int)Data);
            a.mov(ecx, 3);
            a.mov(rdx, __qword_ptr[rbx + 16]);
            program(a);
            a.hlt();
        });
        machine.Machine.Memory.Write(Data, 0x0807_0605_0403_0201);
        var seen = new List<string>();
        void See(CpuState* cpu, ulong address, ReadOnlySpan<byte> bytes, bool isWrite) =>
            seen.Add($"{(isWrite ? 'w' : 'r')}{(long)(address - Data)}:{Convert.ToHexStringLower(bytes)}");
        using IDisposable reads = machine.Machine.Hooks.OnRead(Data, Data + 7, See);
        using IDisposable writes = machine.Machine.Hooks.OnWrite(Data, Data + 7, See);
        Assert.That(machine.Run(), Is.TypeOf<MachineExit.Halted>());
        Assert.That(string.Join(' ', seen), Is.EqualTo(expected));
    }

    [Test]
    public void A_memory_hook_that_stops_lets_its_instruction_be_done()
    {
        using var machine = new CodeMachine(tier, a => { a.mov(ebx, (int)Data); a.nop(); a.mov(__qword_ptr[rbx], rbx); a.inc(rax); a.hlt(); });
        using IDisposable hook = machine.Machine.Hooks.OnWrite(Data, Data, (cpu, _, _, _) =>
        {
            Assert.That(cpu->Rip, Is.EqualTo(Code + 6));
            machine.Machine.Stop();
        });
        Assert.That(machine.Run(), Is.TypeOf<MachineExit.Stopped>());
        Assert.That((machine.Cpu->Rip, machine.Machine.Memory.Read<ulong>(Data), machine.Machine.Instructions), Is.EqualTo((Code + 9, Data, 3ul)));
    }

    [Test]
    public void Ports_MSRs_and_events_are_hooked()
    {
        using var machine = new CodeMachine(tier, a =>
        {
            a.mov(al, 5);
            a.@out(0x80, al);
            a.@in(al, 0x80);
            CodeMachineTests.Wrmsr(a, Msr.Lstar, 0x1234);
            a.rdmsr();
            a.@int(0x33);
        });
        machine.Handler(0x33, 0x12_0000, a => a.hlt());
        var seen = new List<string>();
        MachineHooksOf(machine, seen);
        Assert.That(machine.Run(), Is.TypeOf<MachineExit.Halted>());
        Assert.That(seen, Is.EqualTo(new[] { "out 80 5", "in 80 5", "wrmsr 1234", "rdmsr 1234", "51 Software" }));
    }

    [Test]
    public void Hooks_change_neither_results_nor_counts()
    {
        (byte[] plain, ulong count) = Busy(hooked: false);
        (byte[] hooked, ulong hookedCount) = Busy(hooked: true);
        Assert.That(hookedCount, Is.EqualTo(count));
        Assert.That(hooked, Is.EqualTo(plain));
    }

    private static void MachineHooksOf(CodeMachine machine, List<string> seen)
    {
        machine.Machine.Hooks.OnPort(0x80, 0x80, (_, port, _, value, isWrite) => seen.Add($"{(isWrite ? "out" : "in")} {port:x} {value}"));
        machine.Machine.Hooks.OnMsr(Msr.Lstar, Msr.Lstar, (_, _, value, isWrite) => seen.Add($"{(isWrite ? "wrmsr" : "rdmsr")} {value:x}"));
        machine.Machine.Hooks.OnEvent(0, 255, (_, delivery) => seen.Add($"{delivery.Vector} {delivery.Source}"));
    }

    private (byte[] Saved, ulong Instructions) Busy(bool hooked)
    {
        using var machine = new CodeMachine(tier, CodeMachineTests.Busy);
        if (hooked)
        {
            machine.Machine.Hooks.OnInstruction(0, ulong.MaxValue, static _ => { });
            machine.Machine.Hooks.OnWrite(0, ulong.MaxValue, static (_, _, _, _) => { });
        }

        machine.Run(20_011);
        using var stream = new MemoryStream();
        machine.Machine.Save(stream);
        return (stream.ToArray(), machine.Machine.Instructions);
    }

    /// <summary>Four rounds of INC, CMP, JNE.</summary>
    private static void Loop(Assembler a)
    {
        Label loop = a.CreateLabel();
        a.mov(eax, 0);
        a.Label(ref loop);
        a.inc(rax);
        a.cmp(rax, 4);
        a.jne(loop);
        a.hlt();
    }
}
