using PvPatch.Emulator.State;
using PvPatch.Engine.Ops;
using PvPatch.GuestOs.Tests.Kit;
using PvPatch.Paravirt.Native;

namespace PvPatch.GuestOs.Tests.Ops;

/// <summary>Each op as bare hardware does it, called through its slot on a booted machine.</summary>
[TestFixture]
public sealed unsafe class NativeOpTests
{
    private static readonly NativeOpRow[] Rows = [.. NativeCpuRows.All, .. NativeIrqRows.All, .. NativeMmuRows.All, .. NativeTimeLockAndInitRows.All];

    private static IEnumerable<TestCaseData> Cases => Rows.Select(row => new TestCaseData(row.Op, row.Does));

    private static IEnumerable<string> Nops => NativeOps.Targets.Where(pair => pair.Value == PvTarget.Nop).Select(pair => pair.Key);

    [TestCaseSource(nameof(Cases))]
    public void Does_what_its_sentence_says(string op, string does)
    {
        NativeOpRow row = Rows.Single(row => string.Equals(row.Op, op, StringComparison.Ordinal) && string.Equals(row.Does, does, StringComparison.Ordinal));
        using GuestMachine guest = GuestMachine.Booted("bare");
        var seen = new List<ulong>();
        guest.Do(cpu => row.Run(guest, cpu, seen));
        Assert.That(seen, Is.EqualTo(row.Expected));
    }

    [Test]
    public void No_op_that_does_something_is_without_a_row() =>
        Assert.That(Rows.Select(row => row.Op).Distinct(StringComparer.Ordinal), Is.EquivalentTo(NativeOps.Targets.Keys.Except(Nops, StringComparer.Ordinal)));

    [Test]
    public void A_nop_changes_nothing_of_the_CPU()
    {
        using GuestMachine guest = GuestMachine.Booted("bare");
        byte[] before = [], after = [];
        guest.Do(cpu =>
        {
            before = Snapshot(cpu);
            NativeMmuRows.CallNops(cpu);
            after = Snapshot(cpu);
        });
        Assert.That(after, Is.EqualTo(before));
    }

    private static byte[] Snapshot(CpuState* cpu) => new ReadOnlySpan<byte>(cpu, sizeof(CpuState)).ToArray();
}
