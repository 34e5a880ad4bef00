using PvPatch.Perf.Measuring;
using PvPatch.Perf.Results;

namespace PvPatch.Perf.Tests;

/// <summary>Which rows a run measures.</summary>
internal sealed class RowCatalogueTests
{
    [TestCase("PatchingCosts*", "PatchingCosts(Sites: 10)", "PatchingCosts(Sites: 100)", "PatchingCosts(Sites: 1000)", "PatchingCosts(Sites: 10000)")]
    [TestCase("EmulatorPrograms*", "EmulatorPrograms(Program: bytecode)")]
    [TestCase("PatchingCosts.Cecil(Sites: 100000)", "PatchingCosts(Sites: 100000)")]
    [TestCase("EmulatorPrograms*f*b*", "EmulatorPrograms(Program: fib)")]
    public void A_quick_run_leaves_out_what_takes_long_unless_nothing_else_is_named(string filter, params string[] families) =>
        Assert.That(Find(LabMode.Quick, filter).Select(family => family.Name), Is.EqualTo(families));

    [Test]
    public void A_full_run_leaves_nothing_out() =>
        Assert.That(Find(LabMode.Full).Sum(family => family.Rows.Count), Is.EqualTo(RowCatalogue.RowsOf(typeof(Lab).Assembly).Count()));

    [Test]
    public void A_row_brings_its_baseline() =>
        Assert.That(Find(LabMode.Quick, "ColdCosts.Slot").Single().Rows.Select(row => row.Name), Is.EqualTo((string[])["ColdCosts.HandWritten", "ColdCosts.Slot"]));

    [Test]
    public void A_name_that_no_row_has_is_refused() =>
        Assert.That(Assert.Throws<LabException>(() => Find(LabMode.Quick, "ColdCosts*", "Nothing*"))!.Error, Is.EqualTo(LabError.UnknownBenchmark));

    [TestCase("EmulatorPrograms*", 1, 1)]
    [TestCase("ColdCosts*", 2, 2)]
    [TestCase("CallCosts*", 4, 9)]
    public void Classes_say_how_many_processes_measure_them(string filter, int quick, int full)
    {
        RowFamily family = Find(LabMode.Quick, filter)[0];
        Assert.That((family.Launches(LabMode.Quick), family.Launches(LabMode.Full)), Is.EqualTo((quick, full)));
    }

    [Test]
    public void A_quick_run_of_everything_is_expected_to_take_less_than_three_minutes() =>
        Assert.That(Find(LabMode.Quick).Sum(family => family.Expected(LabMode.Quick).TotalMinutes), Is.LessThan(3));

    private static IReadOnlyList<RowFamily> Find(LabMode mode, params string[] filters) => RowCatalogue.Find([typeof(Lab).Assembly], filters, mode);
}
