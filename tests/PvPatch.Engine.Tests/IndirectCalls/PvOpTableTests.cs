using NUnit.Framework.Constraints;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.IndirectCalls;

/// <summary>One table over one set of statics, so one test at a time.</summary>
[NonParallelizable]
internal sealed unsafe class PvOpTableTests
{
    [Test]
    public void Finds_every_slot_in_the_order_of_declaration() =>
        Assert.That(
            new PvOpTable(typeof(SampleTable)).Ops.Select(o => $"{o.Name} {string.Join('.', o.Path.Select(f => f.Name))} {o.Class}"),
            Is.EqualTo(new[]
            {
                "counter.add Nested.Counter.Add PatchedCall",
                "counter.clear Nested.Counter.Clear PatchedCall",
                "nested.narrow Nested.Narrow SimpleIndirectCall",
                "nested.same Nested.Same PatchedCall, AssemblyMacro",
                "plain.twice Twice PatchedCall",
            }));

    [Test]
    public void A_new_table_misses_every_op_and_no_slot_is_null()
    {
        var table = new PvOpTable(typeof(SampleTable));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(table.Missing, Is.EqualTo(table.Ops));
            Assert.That((nint)SampleTable.Nested.Counter.Add, Is.Not.Zero);
            Assert.That((nint)SampleTable.Twice, Is.Not.Zero);
            Assert.That(table.IsWrittenByHand("plain.twice"), Is.False);
        }
    }

    [Test]
    public void Installed_targets_are_what_the_slots_call()
    {
        var table = new PvOpTable(typeof(SampleTable));
        table.Install(Targets(
            ("counter.add", Method("Add")),
            ("counter.clear", PvTarget.Nop),
            ("nested.narrow", PvTarget.Constant(0x1FE)),
            ("nested.same", PvTarget.Identity),
            ("plain.twice", Method("Twice"))));

        long counter = 5;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(SampleTable.Nested.Counter.Add(&counter, 3), Is.EqualTo(8));
            SampleTable.Nested.Counter.Clear(&counter);
            Assert.That(counter, Is.EqualTo(8), "a nop does nothing");
            Assert.That(SampleTable.Nested.Narrow(), Is.EqualTo(-2), "a constant is truncated to the return type");
            Assert.That(SampleTable.Nested.Same(ulong.MaxValue), Is.EqualTo(ulong.MaxValue));
            Assert.That(SampleTable.Twice(1.25), Is.EqualTo(2.5));
            Assert.That(table.Missing, Is.Empty);
            Assert.That(table.TargetOf("counter.clear"), Is.EqualTo(PvTarget.Nop));
        }
    }

    [Test]
    public void Restore_undoes_the_latest_installation_first()
    {
        var table = new PvOpTable(typeof(SampleTable));
        table.Install(Targets(("counter.add", Method("Add"))));
        table.Install(Targets(("counter.add", Method("Subtract")), ("counter.clear", PvTarget.Nop)));
        long counter = 5;
        Assert.That(SampleTable.Nested.Counter.Add(&counter, 3), Is.EqualTo(2));

        table.Restore();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(SampleTable.Nested.Counter.Add(&counter, 3), Is.EqualTo(5));
            Assert.That(table.TargetOf("counter.clear"), Is.EqualTo(PvTarget.Missing));
        }

        table.Restore();
        Assert.That(table.Missing, Has.Count.EqualTo(5));
        Assert.That(table.Restore, Refused(PatchError.NothingToRestore));
    }

    [Test]
    public void A_sealed_table_changes_no_more()
    {
        var table = new PvOpTable(typeof(SampleTable));
        table.Install(Targets(("counter.clear", PvTarget.Nop)));
        table.Seal();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(table.IsSealed);
            Assert.That(() => table.Install(Targets(("counter.clear", PvTarget.Nop))), Refused(PatchError.Sealed));
            Assert.That(table.Restore, Refused(PatchError.Sealed));
        }
    }

    [Test]
    public void A_slot_written_by_hand_is_seen()
    {
        var table = new PvOpTable(typeof(SampleTable));
        SampleTable.Nested.Counter.Clear = null;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(table.IsWrittenByHand("counter.clear"));
            Assert.That(table.IsWrittenByHand("counter.add"), Is.False);
        }
    }

    private static IEnumerable<TestCaseData> Misfits()
    {
        yield return Misfit("nested.same", PvTarget.Nop, "a nop returns nothing, the op returns System.UInt64");
        yield return Misfit("counter.add", PvTarget.Identity, "an identity needs one argument of the return type");
        yield return Misfit("nested.same", PvTarget.ConstantReal(1.5), "a real number does not fit System.UInt64");
        yield return Misfit("counter.clear", PvTarget.Constant(1), "a constant is a number, the op returns System.Void");
        yield return Misfit("counter.clear", Method("Add"), "it is System.Int64(System.Int64*, System.Int32), the slot is System.Void(System.Int64*)");
        yield return Misfit("plain.twice", Method("TwiceOfInt"), "it is System.Double(System.Int32), the slot is System.Double(System.Double)");
        yield return Misfit("plain.twice", Method("Generic"), "a target is a static method, not generic, of a class that is not generic");
        yield return Misfit("plain.twice", Method("Entry"), "a target is a plain method; its unmanaged entry is made for it");

        static TestCaseData Misfit(string op, PvTarget target, string why) =>
            new TestCaseData(op, target, why).SetName($"{{m}}({op} cannot be {target})");
    }

    [TestCaseSource(nameof(Misfits))]
    public void A_misfit_is_refused_before_anything_is_written(string op, PvTarget target, string why)
    {
        var table = new PvOpTable(typeof(SampleTable));
        var error = Assert.Throws<PatchException>(() => table.Install(Targets(("nested.narrow", PvTarget.Constant(1)), (op, target))));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(error!.Error, Is.EqualTo(PatchError.TargetMismatch));
            Assert.That(error.Message, Is.EqualTo($"{op} cannot be {target}: {why}."));
            Assert.That(error.Op, Is.EqualTo(op));
            Assert.That(table.Missing, Has.Count.EqualTo(5));
        }
    }

    [Test]
    public void Unknown_and_repeated_names_are_refused()
    {
        var table = new PvOpTable(typeof(SampleTable));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => table.Install(Targets(("irq.lost", PvTarget.Nop))), Refused(PatchError.UnknownOp));
            Assert.That(() => table["irq.lost"], Refused(PatchError.UnknownOp));
            Assert.That(() => table.TargetOf("irq.lost"), Refused(PatchError.UnknownOp));
            Assert.That(
                () => table.Install(Targets(("counter.clear", PvTarget.Nop), ("counter.clear", PvTarget.Nop))), Refused(PatchError.DuplicateOp));
        }
    }

    private static PvTarget Method(string name) => PvTarget.Method(typeof(SampleTargets), name);

    private static IEnumerable<KeyValuePair<string, PvTarget>> Targets(params (string Op, PvTarget Target)[] targets) =>
        targets.Select(t => KeyValuePair.Create(t.Op, t.Target));

    private static EqualConstraint<PatchError> Refused(PatchError error) =>
        Throws.InstanceOf<PatchException>().With.Property(nameof(PatchException.Error)).EqualTo(error);
}
