using PvPatch.Engine.Il;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.Tests.PatchedCalls;

/// <summary>The rules alone.</summary>
internal sealed class CallReplacementTests
{
    private static readonly PvOpTable Table = FixtureProgram.Of(FixtureProgram.Names[1]).Table;

    private static IEnumerable<TestCaseData> Rules()
    {
        yield return new TestCaseData("math.add", PvTarget.Method(typeof(Math), "Cbrt"), "call Math.Cbrt");
        yield return new TestCaseData("math.add", PvTarget.Missing, "indirect: missing: the call stays, and its slot stops with the op's name");
        yield return new TestCaseData("small.nothing", PvTarget.Nop, "gone");
        yield return new TestCaseData("small.same", PvTarget.Identity, "its argument");
        yield return new TestCaseData("math.narrow", PvTarget.Constant(255), "constant -1");
        yield return new TestCaseData("small.seven", PvTarget.Constant(1L << 32), "constant 0");
        yield return new TestCaseData("stubborn.set_up", PvTarget.Nop, "indirect: class 1 goes through its slot");
        yield return new TestCaseData("stubborn.entry", PvTarget.Nop, "indirect: class 3 is patched where assembly calls it");
        yield return new TestCaseData("deep.get", PvTarget.Constant(3), "constant 3");
    }

    [TestCaseSource(nameof(Rules))]
    public void What_the_slot_holds_decides(string op, PvTarget target, string replacement) =>
        Assert.That(Patcher.ReplacementOf(Table[op], target), Is.EqualTo(replacement));

    [TestCase(0, TypeCode.Int32, "16")]
    [TestCase(-1, TypeCode.Int32, "15")]
    [TestCase(8, TypeCode.Byte, "1E")]
    [TestCase(9, TypeCode.Byte, "1F09")]
    [TestCase(-128, TypeCode.SByte, "1F80")]
    [TestCase(128, TypeCode.Int16, "2080000000")]
    [TestCase(4294967295, TypeCode.UInt32, "15")]
    [TestCase(7, TypeCode.UInt64, "1D6A")]
    [TestCase(-1, TypeCode.UInt64, "156A")]
    [TestCase(4294967295, TypeCode.Int64, "156E")]
    [TestCase(4294967296, TypeCode.Int64, "210000000001000000")]
    [TestCase(2, TypeCode.Object, "18D3")]
    [TestCase(4294967295, TypeCode.Object, "15E0")]
    public void A_constant_takes_the_shortest_code(long value, TypeCode type, string code) =>
        Assert.That(Convert.ToHexString(IlWriter.Push(value, type)), Is.EqualTo(code));
}
