using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.IndirectCalls;

/// <summary>Tables that cannot be, each refused with its reason.</summary>
internal sealed class TableShapeTests
{
    [TestCase(typeof(BrokenTables.Empty), PatchError.NoOps, "The root classes hold no slot: no field carries [PvOp].")]
    [TestCase(typeof(BrokenTables.Twice), PatchError.DuplicateOp, "a.b is declared 2 times: First.Slot and Second.Slot.")]
    [TestCase(typeof(BrokenTables.Managed), PatchError.NotASlot, "a.b is declared on PvPatch.Engine.Tests.IndirectCalls.BrokenTables+Managed.Slot, which is no unmanaged function pointer.")]
    [TestCase(typeof(BrokenTables.Number), PatchError.NotASlot, "a.b is declared on PvPatch.Engine.Tests.IndirectCalls.BrokenTables+Number.Slot, which is no unmanaged function pointer.")]
    [TestCase(typeof(BrokenTables.OnInstance), PatchError.NotASlot, "PvPatch.Engine.Tests.IndirectCalls.BrokenTables+OnInstance.Slot is not static, so a.b has no fixed place.")]
    [TestCase(typeof(BrokenTables.Nameless), PatchError.NotASlot, "PvPatch.Engine.Tests.IndirectCalls.BrokenTables+Nameless.Slot declares an op without a name or a class.")]
    [TestCase(typeof(BrokenTables.Generic<int>), PatchError.UnsupportedRoot, "PvPatch.Engine.Tests.IndirectCalls.BrokenTables+Generic`1[System.Int32] is generic: each instantiation would have slots of its own.")]
    [TestCase(typeof(BrokenTables.HoldsGeneric), PatchError.UnsupportedRoot, "a.b stands in PvPatch.Engine.Tests.IndirectCalls.BrokenTables+GenericOps`1[System.Int32], which is generic.")]
    [TestCase(typeof(BrokenTables.PerThread), PatchError.UnsupportedRoot, "PvPatch.Engine.Tests.IndirectCalls.BrokenTables+PerThread.Ops is thread-static: each thread would have slots of its own.")]
    [TestCase(typeof(BrokenTables.ReadOnly), PatchError.UnsupportedRoot, "a.b cannot be installed: PvPatch.Engine.Tests.IndirectCalls.BrokenTables+ReadOnly.Ops is read-only.")]
    [TestCase(typeof(BrokenTables.InObject), PatchError.UnsupportedRoot, "PvPatch.Engine.Tests.IndirectCalls.BrokenTables+InObject.Ops refers to an object: its slots have no fixed place.")]
    [TestCase(typeof(BrokenTables.Bool), PatchError.UnsupportedSignature, "a.b has a signature that cannot be used: System.Boolean would be converted on the way; use a number or a pointer.")]
    [TestCase(typeof(BrokenTables.ByReference), PatchError.UnsupportedSignature, "a.b has a signature that cannot be used: System.Int32& would be converted on the way; use a number or a pointer.")]
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
