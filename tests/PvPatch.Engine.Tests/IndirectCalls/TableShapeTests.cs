using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.IndirectCalls;

/// <summary>Tables that cannot be, each refused with its reason.</summary>
internal sealed class TableShapeTests
{
    [TestCase(typeof(BrokenTables.Empty), PatchError.NoOps, "The root classes hold no slot: no field carries [PvOp].")]
    [TestCase(typeof(BrokenTables.Twice), PatchError.DuplicateOp, "a.b is declared 2 times: First.Slot and Second.Slot.")]
    [TestCase(typeof(BrokenTables.Number), PatchError.NotASlot, "a.b is declared on PvPatch.Engine.Tests.IndirectCalls.BrokenTables+Number.Slot, which is no function pointer.")]
    [TestCase(typeof(BrokenTables.OnInstance), PatchError.NotASlot, "PvPatch.Engine.Tests.IndirectCalls.BrokenTables+OnInstance.Slot is not static and no static field leads to it, so a.b has no fixed place.")]
    [TestCase(typeof(BrokenTables.Nameless), PatchError.NotASlot, "PvPatch.Engine.Tests.IndirectCalls.BrokenTables+Nameless.Slot declares an op without a name or a class.")]
    [TestCase(typeof(BrokenTables.Generic<int>), PatchError.UnsupportedRoot, "PvPatch.Engine.Tests.IndirectCalls.BrokenTables+Generic`1[System.Int32] is generic: each instantiation would have slots of its own.")]
    [TestCase(typeof(BrokenTables.HoldsGeneric), PatchError.UnsupportedRoot, "a.b stands in PvPatch.Engine.Tests.IndirectCalls.BrokenTables+GenericOps`1[System.Int32], which is generic.")]
    [TestCase(typeof(BrokenTables.HoldsInlineArray), PatchError.UnsupportedRoot, "a.b stands in PvPatch.Engine.Tests.IndirectCalls.BrokenTables+InlineOps, which is an inline array: of its elements only the first has a field. An array has ops by index.")]
    [TestCase(typeof(BrokenTables.PerThread), PatchError.UnsupportedRoot, "PvPatch.Engine.Tests.IndirectCalls.BrokenTables+PerThread.Ops is thread-static: each thread would have slots of its own.")]
    [TestCase(typeof(BrokenTables.ReadOnly), PatchError.UnsupportedRoot, "a.b cannot be installed: PvPatch.Engine.Tests.IndirectCalls.BrokenTables+ReadOnly.Ops is read-only.")]
    [TestCase(typeof(BrokenTables.InObject), PatchError.UnsupportedRoot, "a.b has no fixed place: PvPatch.Engine.Tests.IndirectCalls.BrokenTables+InObject.Ops is not read-only, so another object may come there.")]
    [TestCase(typeof(BrokenTables.NoObject), PatchError.UnsupportedRoot, "a.b has no place at Ops.Slot: a field on the way to it is null.")]
    [TestCase(typeof(BrokenTables.Failing), PatchError.UnsupportedRoot, "a.b has no place at Ops.Slot: Failing cannot be initialised: not here.")]
    [TestCase(typeof(BrokenTables.InGenericObject), PatchError.UnsupportedRoot, "a.b stands in PvPatch.Engine.Tests.IndirectCalls.BrokenTables+GenericObject`1[System.String], which is generic.")]
    [TestCase(typeof(BrokenTables.WritableArray), PatchError.UnsupportedRoot, "a.b has no fixed place: PvPatch.Engine.Tests.IndirectCalls.BrokenTables+WritableArray.Slots is not read-only, so another object may come there.")]
    [TestCase(typeof(BrokenTables.Woven), PatchError.UnsupportedRoot, "a.b has no fixed place: PvPatch.Engine.Tests.IndirectCalls.BrokenTables+Web.Replaceable is not read-only, so another object may come there.")]
    [TestCase(typeof(BrokenTables.ShortArray), PatchError.UnsupportedRoot, "a.b has no place at Slots[2]: the array is shorter.")]
    [TestCase(typeof(BrokenTables.NoIndex), PatchError.NotASlot, "a.b is declared on PvPatch.Engine.Tests.IndirectCalls.BrokenTables+NoIndex.Slots, which is an array: each of its ops says its index.")]
    [TestCase(typeof(BrokenTables.IndexOfOne), PatchError.NotASlot, "a.b is declared on PvPatch.Engine.Tests.IndirectCalls.BrokenTables+IndexOfOne.Slot, which is one slot: it has one op, without an index.")]
    [TestCase(typeof(BrokenTables.TwoOfOne), PatchError.NotASlot, "a.b is declared on PvPatch.Engine.Tests.IndirectCalls.BrokenTables+TwoOfOne.Slot, which is one slot: it has one op, without an index.")]
    [TestCase(typeof(BrokenTables.SameElement), PatchError.DuplicateOp, "a.c and a.b are both declared at Slots[1].")]
    [TestCase(typeof(BrokenTables.ArrayOfNumbers), PatchError.NotASlot, "a.b is declared on PvPatch.Engine.Tests.IndirectCalls.BrokenTables+ArrayOfNumbers.Slots, which is no function pointer.")]
    [TestCase(typeof(BrokenTables.Overlapping), PatchError.UnsupportedRoot, "a.b lies over another slot of the table.")]
    [TestCase(typeof(BrokenTables.Packed), PatchError.UnsupportedRoot, "a.b has no place at Ops.Slot: it is not aligned, so that it cannot be written at once.")]
    [TestCase(typeof(BrokenTables.Text), PatchError.UnsupportedSignature, "a.b has a signature that cannot be used: System.String would be converted on the way; use a number or a pointer, or a managed slot.")]
    [TestCase(typeof(BrokenTables.Letter), PatchError.UnsupportedSignature, "a.b has a signature that cannot be used: System.Char would be converted on the way; use a number or a pointer, or a managed slot.")]
    [TestCase(typeof(BrokenTables.Moment), PatchError.UnsupportedSignature, "a.b has a signature that cannot be used: System.DateTime would be converted on the way; use a number or a pointer, or a managed slot.")]
    [TestCase(typeof(BrokenTables.Vector), PatchError.UnsupportedSignature, "a.b has a signature that cannot be used: System.Runtime.Intrinsics.Vector128`1[System.Int32] would be converted on the way; use a number or a pointer, or a managed slot.")]
    [TestCase(typeof(BrokenTables.Wide), PatchError.UnsupportedSignature, "a.b has a signature that cannot be used: System.Int128 would be converted on the way; use a number or a pointer, or a managed slot.")]
    [TestCase(typeof(BrokenTables.FlagInStruct), PatchError.UnsupportedSignature, "a.b has a signature that cannot be used: PvPatch.Engine.Tests.IndirectCalls.BrokenTables+Flagged would be converted on the way; use a number or a pointer, or a managed slot.")]
    [TestCase(typeof(BrokenTables.ReferenceToText), PatchError.UnsupportedSignature, "a.b has a signature that cannot be used: System.String& would be converted on the way; use a number or a pointer, or a managed slot.")]
    [TestCase(typeof(BrokenTables.ReturnsReference), PatchError.UnsupportedSignature, "a.b has a signature that cannot be used: System.Int32& cannot be returned from an unmanaged call; use a pointer.")]
    [TestCase(typeof(BrokenTables.WithRegisters), PatchError.UnsupportedSignature, "a.b has a signature that cannot be used: the runtime knows no fastcall.")]
    [TestCase(typeof(BrokenTables.Suppressed), PatchError.UnsupportedSignature, "a.b has a signature that cannot be used: it suppresses the GC transition that managed targets need.")]
    public void Is_refused(Type root, PatchError error, string message)
    {
        var refused = Assert.Throws<PatchException>(() => _ = new PvOpTable(root));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(refused!.Error, Is.EqualTo(error));
            Assert.That(refused.Message, Is.EqualTo(message));
        }
    }

    [Test]
    public void Nothing_and_null_are_refused()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => new PvOpTable(), Throws.InstanceOf<PatchException>());
            Assert.That(() => new PvOpTable([null!]), Throws.ArgumentException);
        }
    }
}
