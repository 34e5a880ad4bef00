using System.Reflection.Emit;
using System.Runtime.InteropServices;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Emitted;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.PatchedCalls.Emitted;

/// <summary>A program that emits calls gets what the rules say, and the same results as through the slots.</summary>
internal sealed unsafe class EmittedCallsTests
{
    private EmittedSlots* _slots;

    [SetUp]
    public void Allocate() => _slots = (EmittedSlots*)NativeMemory.AllocZeroed((nuint)sizeof(EmittedSlots));

    [TearDown]
    public void Free() => NativeMemory.Free(_slots);

    /// <summary>An op with arguments, what is installed, and how the row of the report says it.</summary>
    public static IEnumerable<TestCaseData> Rows()
    {
        yield return Row("emitted.note", [7L], PvTarget.Nop, "gone", "pop");
        yield return Row("emitted.note", [7L], Method("Note"), "call EmittedTargets.Note", "call EmittedTargets::Note");
        yield return Row("emitted.same", [ulong.MaxValue], PvTarget.Identity, "its argument", "");
        yield return Row("emitted.narrow", [], PvTarget.Constant(0x1FE), "constant -2", "ldc.i4.s -2");
        yield return Row("emitted.real", [], PvTarget.ConstantReal(0.25), "constant 0.25", "ldc.r8 4598175219545276416");
        yield return Row("emitted.truth", [true], PvTarget.Constant(5), "constant 1", "pop; ldc.i4.1");
        yield return Row("emitted.truth", [true], Method("Not"), "call EmittedTargets.Not", "call EmittedTargets::Not");
        yield return Row("emitted.add", [5L, 3L], Method("Subtract"), "call EmittedTargets.Subtract", "call EmittedTargets::Subtract");
        yield return Row("emitted.add", [5L, 3L], Inline("Greater"), "inline EmittedTargets.Greater", null);
        yield return Row("emitted.add", [3L, 5L], Inline("Greater"), "inline EmittedTargets.Greater", null);
        yield return Row("emitted.add", [3L, 5L], Inline("Guarded"), "call EmittedTargets.Guarded, not inline: it has protected regions", "call EmittedTargets::Guarded");
        yield return Row("emitted.managed", [9L], Inline("Switched"), "inline EmittedTargets.Switched", null);

        static TestCaseData Row(string op, object[] arguments, PvTarget target, string replacement, string? after) =>
            new TestCaseData(op, arguments, target, replacement, after).SetArgDisplayNames(op, target.ToString()!, string.Join(' ', arguments));
    }

    [TestCaseSource(nameof(Rows))]
    public void A_call_is_written_as_its_target_asks_and_does_what_the_slot_does(string op, object[] arguments, PvTarget target, string replacement, string? after)
    {
        PvOpTable table = Table((op, target));
        (object? patched, PatchedSite site) = Called(new EmittedCalls(table), op, arguments);
        (object? indirect, PatchedSite left) = Called(new EmittedCalls(table, patched: false), op, arguments);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(patched, Is.EqualTo(indirect));
            Assert.That((site.Replacement, site.State, site.Way, site.Reason), Is.EqualTo((replacement, SiteState.Patched, PatchWay.Emitted, (string?)null)));
            Assert.That(site.After, after is null ? Is.Not.Empty : Is.EqualTo(after));
            Assert.That((left.State, left.Way, left.After), Is.EqualTo((SiteState.Left, (PatchWay?)null, (string?)null)));
            Assert.That(left.Reason, Is.EqualTo("left indirect, as asked"));
        }
    }

    [Test]
    public void Each_struct_has_slots_of_its_own()
    {
        var second = default(EmittedSlots);
        PvOpTable table = Table(("emitted.add", Method("Subtract")));
        PvOpTable other = PvOpTable.At(typeof(EmittedSlots), (nint)(&second), Targets(("emitted.add", Method("Guarded"))));
        Assert.That((_slots->Add(5, 3), second.Add(5, 3)), Is.EqualTo((2L, 8L)));
        table.Install("emitted.add", Method("Greater"));
        Assert.That((_slots->Add(5, 3), second.Add(5, 3)), Is.EqualTo((5L, 8L)));
        Assert.That(other.TargetOf("emitted.add"), Is.EqualTo(Method("Guarded")));
        table.Restore();
        Assert.That(_slots->Add(5, 3), Is.EqualTo(2L));
    }

    [Test]
    public void A_slot_of_class_1_stays_indirect_and_so_does_one_that_is_written_by_hand()
    {
        PvOpTable table = Table(("emitted.first", Method("Not")), ("emitted.truth", Method("Not")));
        _slots->Truth = _slots->First;
        (object? first, PatchedSite site) = Called(new EmittedCalls(table), "emitted.first", [false]);
        (object? truth, PatchedSite byHand) = Called(new EmittedCalls(table), "emitted.truth", [false]);
        Assert.That((first, truth), Is.EqualTo((true, true)));
        Assert.That((site.Reason, byHand.Reason), Is.EqualTo(("class 1 goes through its slot", "the slot was written by hand")));
    }

    [Test]
    public void Only_a_nop_leaves_nothing()
    {
        var calls = new EmittedCalls(Table(("emitted.note", PvTarget.Nop), ("emitted.narrow", PvTarget.Constant(1))));
        Assert.That((calls.IsGone("emitted.note"), calls.IsGone("emitted.narrow"), calls.IsGone("emitted.add")), Is.EqualTo((true, false, false)));
    }

    [Test]
    public void The_report_counts_emitted_sites_like_others()
    {
        var calls = new EmittedCalls(Table(("emitted.note", PvTarget.Nop), ("emitted.first", Method("Not"))));
        var report = PatchReport.Of([Called(calls, "emitted.note", [1L]).Site, Called(calls, "emitted.first", [true]).Site]);
        Assert.That((report.Totals.Patched, report.Totals.Left), Is.EqualTo((1, 1)));
        Assert.That(report.ToString(), Does.Contain("emitted.note  gone  Emitted  module!method IL_").And.Contain("class 1 goes through its slot"));
    }

    [Test]
    public void What_no_static_field_leads_to_cannot_be_patched_in_compiled_code()
    {
        PvOpTable table = Table();
        PatchException refused = Assert.Throws<PatchException>(() => Patcher.Plan(table, [typeof(EmittedSlots).Assembly.Location]))!;
        Assert.That((refused.Error, refused.Message), Is.EqualTo((PatchError.UnsupportedRoot,
            "No static field leads to the slots of EmittedSlots, so no compiled call can be proven to use them; emitted calls can.")));
    }

    [TestCase(typeof(string), PatchError.UnsupportedRoot)]
    [TestCase(typeof(KeyValuePair<int, int>), PatchError.UnsupportedRoot)]
    [TestCase(typeof(DateTimeOffset), PatchError.NoOps)]
    public void A_type_without_slots_is_refused(Type type, PatchError error) =>
        Assert.That(Assert.Throws<PatchException>(() => PvOpTable.At(type, 0x1000, []))!.Error, Is.EqualTo(error));

    private static PvTarget Method(string name) => PvTarget.Method(typeof(EmittedTargets), name);

    private static PvTarget Inline(string name) => PvTarget.Inline(typeof(EmittedTargets).GetMethod(name)!);

    private static KeyValuePair<string, PvTarget>[] Targets(params (string Op, PvTarget Target)[] targets) =>
        [.. targets.Select(t => KeyValuePair.Create(t.Op, t.Target))];

    private PvOpTable Table(params (string Op, PvTarget Target)[] targets) => PvOpTable.At(typeof(EmittedSlots), (nint)_slots, Targets(targets));

    /// <summary>Emits a method that calls an op with constants, and runs it.</summary>
    private static (object? Result, PatchedSite Site) Called(EmittedCalls calls, string op, object[] arguments)
    {
        Type pointer = PvOpTable.At(typeof(EmittedSlots), (nint)NativeMemory.AllocZeroed((nuint)sizeof(EmittedSlots)), [])[op].PointerType;
        var method = new DynamicMethod("caller", pointer.GetFunctionPointerReturnType(), [], typeof(EmittedCallsTests).Module, skipVisibility: true);
        ILGenerator il = method.GetILGenerator();
        foreach (object argument in arguments)
        {
            if (argument is bool truth)
                il.Emit(truth ? OpCodes.Ldc_I4_1 : OpCodes.Ldc_I4_0);
            else
                il.Emit(OpCodes.Ldc_I8, argument is ulong wide ? (long)wide : (long)argument);
        }

        PatchedSite site = calls.Write(il, op, "module", "method");
        il.Emit(OpCodes.Ret);
        return (method.Invoke(null, []), site);
    }
}
