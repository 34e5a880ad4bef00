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

    /// <summary>A loop, its ops with their replacements, and how many calls it makes each time round through the slots and patched.</summary>
    public static IEnumerable<TestCaseData> Loops()
    {
        yield return Row("nothing", a => a.wbinvd(), ["cpu.wbinvd gone"], indirect: 1, patched: 0);
        yield return Row("inline IL", a => { a.cli(); a.sti(); a.inc(rbx); }, ["irq.irq_disable inline ProcessorOps.IrqDisable", "irq.irq_enable inline ProcessorOps.IrqEnable"], indirect: 2, patched: 0);
        yield return Row("inline IL that returns", a => { a.mov(rax, cr3); a.inc(rbx); }, ["mmu.read_cr3 inline ProcessorOps.ReadCr3"], indirect: 1, patched: 0);

        static TestCaseData Row(string name, Action<Assembler> body, string[] replacements, int indirect, int patched) =>
            new TestCaseData(body, replacements, indirect, patched).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Loops))]
    public void An_op_that_leaves_no_call_leaves_none_in_the_loop(Action<Assembler> body, string[] replacements, int indirect, int patched)
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

    /// <summary>Calls that can be come to again: what is before the loop, or after it, runs once.</summary>
    private static int Calls(MachineCode code)
    {
        string[] lines = [.. code.Lines.Select(line => line.Trim())];
        return Enumerable.Range(0, lines.Length).Count(at => lines[at].StartsWith("call", StringComparison.Ordinal) && After(lines, at).Contains(at));
    }

    /// <summary>The lines that may run after that one.</summary>
    private static HashSet<int> After(string[] lines, int line)
    {
        var found = new HashSet<int>();
        var open = new Stack<int>([line]);
        while (open.TryPop(out int at))
        {
            int target = lines[at].StartsWith('j') ? Array.IndexOf(lines, lines[at].Split(' ')[^1] + ":") : -1;
            bool falls = !lines[at].StartsWith("jmp", StringComparison.Ordinal) && at + 1 < lines.Length;
            if (target >= 0 && found.Add(target))
                open.Push(target);
            if (falls && found.Add(at + 1))
                open.Push(at + 1);
        }

        return found;
    }
}
