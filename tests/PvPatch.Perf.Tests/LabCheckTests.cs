using PvPatch.Perf.Results;
using PvPatch.Perf.Statistics;

namespace PvPatch.Perf.Tests;

internal sealed class LabCheckTests
{
    [TestCase("full", 1.05, 1.04, 1.06, false)]
    [TestCase("full", 1.08, 1.06, 1.10, true)]
    [TestCase("full", 1.08, 1.01, 1.20, false, Description = "noise")]
    [TestCase("quick", 1.30, 1.20, 1.40, false, Description = "a busy machine")]
    [TestCase("quick", 6.0, 5.0, 7.0, true)]
    public void Patched_code_is_held_against_hand_written(string mode, double median, double low, double high, bool fails) =>
        Assert.That(LabCheck.Of(Results.WithRatio(median, low, high) with { Mode = mode }).Single().Fails, Is.EqualTo(fails));

    [TestCase(26, false)]
    [TestCase(10, false)]
    [TestCase(8, true)]
    public void A_slot_is_at_least_ten_times_patched(double ratio, bool fails)
    {
        RowResult slot = Results.Row("ReplacementCosts.ThroughSlot(Slot: Nop)") with { Ratio = new Interval(ratio, ratio * 0.99, ratio * 1.01) };
        Assert.That(LabCheck.Of(Results.Of(slot)).Single().Fails, Is.EqualTo(fails));
    }

    [TestCase(0.8, false)]
    [TestCase(1.1, false)]
    [TestCase(1.3, true)]
    public void Patching_is_linear(double exponent, bool fails) =>
        Assert.That(LabCheck.Of(Results.WithExponent(exponent, exponent - 0.02, exponent + 0.02)).Single().Fails, Is.EqualTo(fails));

    [Test]
    public void What_a_call_costs_that_stays_one_is_not_held() =>
        Assert.That(LabCheck.Of(Results.Of(Results.Row("ReplacementCosts.ThroughSlot(Slot: Called)") with { Family = "ReplacementCosts(Slot: Called)", Ratio = new Interval(5, 5, 5) })), Is.Empty);

    [TestCase("PatchingCosts.Cecil")]
    [TestCase("MyCosts.Rows")]
    public void What_others_take_is_not_ours_to_hold(string series) =>
        Assert.That(LabCheck.Of(Results.WithExponent(2, 2, 2, series)), Is.Empty);
}
