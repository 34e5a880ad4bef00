using Iced.Intel;
using PvPatch.Emulator;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Translator;
using PvPatch.Engine.Reports;
using PvPatch.Perf.Measuring;
using PvPatch.Perf.Results;
using PvPatch.Perf.Yardsticks;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Perf.Tests;

/// <summary>What the report says of a sensitive op is what its machine code does.</summary>
public sealed class SensitiveCodeTests
{
    private static readonly TimeSpan MostWait = TimeSpan.FromSeconds(30);

    /// <summary>A loop, its ops with their replacements, and how many calls are in its code through the slots and patched.</summary>
    public static IEnumerable<TestCaseData> Loops()
    {
        yield return Row("nothing", a => a.wbinvd(), ["cpu.wbinvd gone"], indirect: 3, patched: 0);
        yield return Row("inline IL", a => { a.cli(); a.sti(); a.inc(rbx); }, ["irq.irq_disable inline ProcessorOps.IrqDisable", "irq.irq_enable inline ProcessorOps.IrqEnable"], indirect: 2, patched: 0);
        yield return Row("inline IL that returns", a => { a.mov(rax, cr3); a.inc(rbx); }, ["mmu.read_cr3 inline ProcessorOps.ReadCr3"], indirect: 1, patched: 0);

        static TestCaseData Row(string name, Action<Assembler> body, string[] replacements, int indirect, int patched) =>
            new TestCaseData(body, replacements, indirect, patched).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Loops))]
    public void An_op_that_leaves_no_call_leaves_none_in_machine_code(Action<Assembler> body, string[] replacements, int indirect, int patched)
    {
        (MachineCode slots, _) = Explained(body, SensitiveBinding.Indirect);
        (MachineCode code, IReadOnlyList<PatchedSite> sites) = Explained(body, SensitiveBinding.Patched);
        Assert.That(sites.Select(site => $"{site.Op} {site.Replacement}"), Is.EqualTo(replacements));
        Assert.That(Calls(slots), Is.AtLeast(indirect), () => string.Join('\n', slots.Lines));
        Assert.That(Calls(code), Is.EqualTo(patched), () => string.Join('\n', code.Lines));
    }

    [Test]
    public void A_direct_call_names_its_target()
    {
        (MachineCode code, IReadOnlyList<PatchedSite> sites) = Explained(a => { a.mov(ecx, 0xc000_0103); a.rdmsr(); }, SensitiveBinding.Patched);
        Assert.That(sites.Single().Replacement, Is.EqualTo("call NativeAnswers.ReadOwnMsr"));
        Assert.That(Calls(code), Is.Positive);
    }

    private static (MachineCode Code, IReadOnlyList<PatchedSite> Sites) Explained(Action<Assembler> body, SensitiveBinding binding)
    {
        using var map = new CodeMap();
        using Machine machine = LoopMachine.Build(body, tier: ExecutionTier.Translated, sensitive: binding);
        machine.Run(100);
        ExplainedRegion region = machine.Explain(0);
        MachineCode? code = null;
        SpinWait.SpinUntil(() => (code = map.At((ulong)region.Code)) is not null, MostWait);
        GC.KeepAlive(region.Owner);
        return (code ?? throw new InvalidOperationException("The runtime did not tell of the region."), region.SensitiveSites);
    }

    private static int Calls(MachineCode code) => code.Lines.Count(line => line.TrimStart().StartsWith("call", StringComparison.Ordinal));
}
