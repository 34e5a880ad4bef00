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
        yield return new TestCaseData("math.add", PvTarget.Missing, "stop: missing");
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

    [TestCase(0, typeof(int), "16")]
    [TestCase(-1, typeof(int), "15")]
    [TestCase(8, typeof(byte), "1E")]
    [TestCase(9, typeof(byte), "1F09")]
    [TestCase(-128, typeof(sbyte), "1F80")]
    [TestCase(128, typeof(short), "2080000000")]
    [TestCase(4294967295, typeof(uint), "15")]
    [TestCase(7, typeof(ulong), "1D6A")]
    [TestCase(-1, typeof(ulong), "156A")]
    [TestCase(4294967295, typeof(long), "156E")]
    [TestCase(4294967296, typeof(long), "210000000001000000")]
    [TestCase(2, typeof(nint), "18D3")]
    [TestCase(4294967295, typeof(nint), "15E0")]
    [TestCase(1, typeof(bool), "17")]
    [TestCase(0x20AC, typeof(char), "20AC200000")]
    [TestCase(-1, typeof(DayOfWeek), "15")]
    [TestCase(5, typeof(void*), "1BD3")]
    [TestCase(0, typeof(string), "14")]
    [TestCase(3, typeof(float), "2200004040")]
    [TestCase(3, typeof(double), "230000000000000840")]
    public void A_constant_takes_the_shortest_code(long value, Type type, string code) =>
        Assert.That(Convert.ToHexString(Constants.Push(value, type)), Is.EqualTo(code));
}
