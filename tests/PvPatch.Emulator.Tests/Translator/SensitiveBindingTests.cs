using Iced.Intel;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using PvPatch.Emulator.Translator;
using PvPatch.Engine.Ops;
using PvPatch.Engine.Reports;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Translator;

/// <summary>Translated code is bound to what the table holds; when that changes, it goes.</summary>
public sealed unsafe class SensitiveBindingTests
{
    private const ulong OneTurn = 3;

    [TestCase(SensitiveBinding.Patched)]
    [TestCase(SensitiveBinding.Indirect)]
    public void A_port_that_is_hooked_between_runs_is_seen_and_forgotten_again(SensitiveBinding binding)
    {
        using CodeMachine machine = Forever(binding, a => { a.@in(al, 0x80); a.inc(rbx); });
        machine.Run(1000 * OneTurn);
        int calls = 0;
        using (machine.Machine.Hooks.OnPort(0x80, 0x80, (_, _, _, _, _) => calls++))
        {
            machine.Run(1000 * OneTurn);
            Assert.That(calls, Is.EqualTo(1000));
            Assert.That(Replacement(machine, "io.in"), Is.EqualTo(binding == SensitiveBinding.Patched ? "call MachineOps.HookedIn" : "indirect: left indirect, as asked"));
        }

        machine.Run(1000 * OneTurn);
        Assert.That((calls, machine.Cpu->Rbx, machine.Machine.Instructions), Is.EqualTo((1000, 3000ul, 3000 * OneTurn)));
        Assert.That(Replacement(machine, "io.in"), Is.EqualTo(binding == SensitiveBinding.Patched ? "call MachineOps.In" : "indirect: left indirect, as asked"));
    }

    [Test]
    public void A_hook_of_an_MSR_that_a_hook_of_a_port_puts_is_called_from_the_next_instruction_on()
    {
        using CodeMachine machine = Forever(SensitiveBinding.Patched, a => { a.@in(al, 0x80); a.mov(ecx, Msr.TscAux); a.rdmsr(); });
        int reads = 0, calls = 0;
        machine.Machine.Hooks.OnPort(0x80, 0x80, (_, _, _, _, _) =>
        {
            if (++calls == 10)
                machine.Machine.Hooks.OnMsr(Msr.TscAux, Msr.TscAux, (_, _, _, _) => reads++);
        });
        machine.Run(25 * 4);
        Assert.That((calls, reads), Is.EqualTo((25, 16)));
    }

    [Test]
    public void What_the_machine_installs_anew_is_called_from_then_on_and_regions_that_were_bound_before_are_gone([Values] ExecutionTier tier, [Values] SensitiveBinding binding)
    {
        using CodeMachine machine = Forever(binding, a => { a.rdtsc(); a.mov(rdi, rax); a.mov(rsi, cr8); a.cli(); a.wbinvd(); }, tier);
        machine.Cpu->RFlags |= RFlags.InterruptEnable;
        machine.Run(600);
        Assert.That(machine.Cpu->RFlags & RFlags.InterruptEnable, Is.Zero);
        machine.Cpu->RFlags |= RFlags.InterruptEnable;
        machine.Machine.Sensitive.Install(new Dictionary<string, PvTarget>(StringComparer.Ordinal)
        {
            ["cpu.read_tsc"] = PvTarget.Constant(0x77),
            ["cpu.read_cr8"] = PvTarget.Method(typeof(SensitiveBindingTests), nameof(Nine)),
            ["irq.irq_disable"] = PvTarget.Nop,
        });
        machine.Run(600);
        Assert.That((machine.Cpu->Rdi, machine.Cpu->Gpr[6], machine.Cpu->RFlags & RFlags.InterruptEnable), Is.EqualTo((0x77ul, 9ul, RFlags.InterruptEnable)));
        if (tier != ExecutionTier.Translated || binding != SensitiveBinding.Patched)
            return;
        Assert.That(
            machine.Machine.SensitiveSites.Sites.OrderBy(site => site.Op, StringComparer.Ordinal).Select(site => $"{site.Op} {site.Replacement} {site.State} {site.Method.Split(' ')[1]}"),
            Is.EqualTo(new[]
            {
                "cpu.read_cr8 call SensitiveBindingTests.Nine Patched mov",
                "cpu.read_tsc constant 119 Patched rdtsc",
                "cpu.wbinvd gone Patched wbinvd",
                "irq.irq_disable gone Patched cli",
            }));
    }

    [Test]
    public void A_platform_that_answers_nothing_is_not_asked()
    {
        var platform = new SilentPlatform();
        using CodeMachine machine = Forever(SensitiveBinding.Patched, a => { a.@in(al, 0x80); a.xor(eax, eax); a.cpuid(); }, platform: platform);
        machine.Run(1000);
        Assert.That(Replacement(machine, "io.in"), Is.EqualTo("constant 85"));
        Assert.That(machine.Machine.SensitiveSites.Totals, Is.EqualTo(new SiteCounts(2, 0, 0)));
    }

    [Test]
    public void A_target_that_does_not_fit_its_slot_is_refused_before_the_machine_is_there()
    {
        var platform = new SilentPlatform { Cpuid = PvTarget.Constant(1) };
        PatchException refused = Assert.Throws<PatchException>(() => Forever(SensitiveBinding.Patched, a => a.cpuid(), platform: platform))!;
        Assert.That((refused.Error, refused.Op), Is.EqualTo((PatchError.TargetMismatch, "cpu.cpuid")));
    }

    private static ulong Nine(CpuState* cpu) => 9;

    private static string? Replacement(CodeMachine machine, string op) => machine.Machine.SensitiveSites.Sites.Single(site => site.Op == op).Replacement;

    private static CodeMachine Forever(SensitiveBinding binding, Action<Assembler> body, ExecutionTier tier = ExecutionTier.Translated, IPlatform? platform = null) =>
        new(tier, a =>
        {
            Label again = a.CreateLabel();
            a.Label(ref again);
            body(a);
            a.jmp(again);
        }, sensitive: binding, platform: platform);

    private sealed class SilentPlatform : PlainPlatform, IPlatform
    {
        public new PvTarget? Cpuid { get; init; }

        void IPlatform.Fill(IDictionary<string, PvTarget> ops)
        {
            ops["io.in"] = PvTarget.Constant(0x55);
            if (Cpuid is not null)
                ops["cpu.cpuid"] = Cpuid;
        }
    }
}
