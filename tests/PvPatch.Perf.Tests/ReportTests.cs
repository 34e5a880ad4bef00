using System.Xml.Linq;
using PvPatch.Perf.Reports;
using PvPatch.Perf.Results;
using PvPatch.Perf.Statistics;

namespace PvPatch.Perf.Tests;

/// <summary>Reports are well-formed, load nothing, and keep names that have any character.</summary>
internal sealed class ReportTests
{
    private static readonly LabResult Result = Results.WithRatio(12.5, 10, 15) with
    {
        Rows =
        [
            Results.Row("A.Base") with { IsBaseline = true, Title = "hand-written" },
            Results.Row("A.Odd") with { Title = "a|b <c> & \"d\", \u0001é*", Ratio = new Interval(12.5, 10, 15) },
            Results.Row("A.Fast") with { Title = "fast", Ratio = new Interval(0.5, 0.4, 0.6) },
            Results.Row("A.Broken") with { Title = "broken", Nanoseconds = null, Failure = "A.Broken threw <it>, \"so\"" },
        ],
        Growth = Results.WithExponent(1.01, 0.97, 1.05).Growth,
    };

    private string _folder = "";

    [SetUp]
    public void Write()
    {
        _folder = Directory.CreateTempSubdirectory("pvpatch-reports-").FullName;
        ReportFolder.Open(_folder).Write(Result);
    }

    [TearDown]
    public void Delete() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Every_kind_is_written() => Assert.That(
        Directory.GetFiles(_folder).Select(Path.GetFileName),
        Is.EquivalentTo((string[])["lab.json", "lab.csv", "lab.md", "lab.html", "ratios-ReplacementCosts-Slot-Nop.svg", "growth-PatchingCosts.svg"]));

    [TestCase("*.svg", 2)]
    [TestCase("*.html", 1)]
    public void Pages_and_charts_are_well_formed_and_load_nothing(string pattern, int count)
    {
        string[] files = Directory.GetFiles(_folder, pattern);
        Assert.That(files, Has.Length.EqualTo(count));
        foreach (string file in files)
        {
            string text = File.ReadAllText(file);
            var root = XElement.Parse(text.Replace("<!DOCTYPE html>", "", StringComparison.Ordinal).Replace('\u0001', '?').Replace("&#1;", "?", StringComparison.Ordinal));
            using (Assert.EnterMultipleScope())
            {
                string[] places = [.. root.Descendants().Attributes("id").Select(id => $"#{id.Value}")];
                Assert.That(root.DescendantsAndSelf().Attributes().Select(a => a.Name.LocalName), Has.None.AnyOf("src", "xlink"));
                Assert.That(root.Descendants().Attributes("href").Select(link => link.Value), Is.SubsetOf(places), "links lead to places of the page");
                Assert.That(root.Descendants().Select(e => e.Name.LocalName), Has.None.AnyOf("script", "link", "image", "use"));
                Assert.That(text, Does.Not.Contain("url(").And.Not.Contain("@import"));
                Assert.That(text, Does.Contain("prefers-color-scheme: dark"));
            }
        }
    }

    [Test]
    public void Bars_and_errors_stay_inside_the_drawing()
    {
        foreach (string file in Directory.GetFiles(_folder, "*.svg"))
        {
            XElement svg = XElement.Load(file);
            double width = (double)svg.Attribute("width")!, height = (double)svg.Attribute("height")!;
            foreach (XElement line in svg.Elements().Where(e => e.Name.LocalName == "line"))
            {
                Assert.That((double)line.Attribute("x2")!, Is.InRange(0, width), file);
                Assert.That((double)line.Attribute("y2")!, Is.InRange(0, height), file);
            }
        }
    }

    [Test]
    public void Csv_has_as_many_cells_in_every_line()
    {
        string[] lines = File.ReadAllText(Path.Combine(_folder, "lab.csv")).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.Length.EqualTo(1 + Result.Rows.Count));
        Assert.That(lines.Select(CellsOf), Is.All.EqualTo(CellsOf(lines[0])));
    }

    [Test]
    public void Markdown_keeps_its_columns()
    {
        foreach (string table in File.ReadAllText(Path.Combine(_folder, "lab.md")).Split("\n\n").Where(p => p.StartsWith('|')))
        {
            int[] bars = [.. table.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Replace("\\|", "", StringComparison.Ordinal).Count(c => c == '|'))];
            Assert.That(bars, Is.All.EqualTo(bars[0]), table);
        }
    }

    [Test]
    public void The_terminal_shows_ratios_and_tells_failures() =>
        Assert.That(TextReport.Of(Result), Does.Contain("12.5").And.Contain("A.Broken threw").And.Contain("PatchingCosts: growth with Sites"));

    [Test]
    public void What_is_unavailable_has_no_figure_and_one_sentence_for_all()
    {
        RowResult Lacking(string name) => Results.Row(name) with { Nanoseconds = null, Unavailable = "gcc is not installed." };
        string report = TextReport.Of(Results.Of(Lacking("A.One"), Lacking("A.Two"), Lacking("A.Three")));
        Assert.That((report.Split("unavailable").Length - 1, report.Split("gcc is not installed.").Length - 1), Is.EqualTo((3, 1)));
    }

    [Test]
    public void A_class_of_many_families_has_an_overview_with_geometric_means()
    {
        RowResult[] Family(string parameter, double ratio) =>
        [
            Results.Row($"A.Base({parameter})") with { Family = $"A({parameter})", IsBaseline = true },
            Results.Row($"A.Image({parameter})") with { Family = $"A({parameter})", Ratio = new Interval(ratio, ratio, ratio) },
        ];
        ReportTable overview = ReportTable.Overviews(Results.Of([.. Family("P: x", 2), .. Family("P: y", 8)])).Single();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(overview.Title, Is.EqualTo("A: ratios"));
            Assert.That(overview.Columns, Is.EqualTo((string[])["", "patched, image"]));
            Assert.That(overview.Rows, Is.EqualTo((string[][])[["P: x", "2.00"], ["P: y", "8.00"], ["geometric mean", "4.00"]]));
            Assert.That(ReportTable.Overviews(Results.Of(Family("P: x", 2))), Is.Empty, "a single family is its own overview");
        }
    }

    [Test]
    public void A_wide_interval_is_marked()
    {
        string Line(double low, double high) => TextReport.Of(Results.WithRatio(1.2, low, high)).Split('\n').Single(l => l.Contains("patched, image", StringComparison.Ordinal));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Line(0.9, 1.6), Does.Contain("1.20 ?"));
            Assert.That(Line(1.19, 1.21), Does.Not.Contain("?"));
        }
    }

    [Test]
    public void A_folder_that_cannot_be_written_is_refused()
    {
        string file = Path.Combine(_folder, "a-file");
        File.WriteAllText(file, "");
        Assert.That(Assert.Throws<LabException>(() => ReportFolder.Open(Path.Combine(file, "below")))!.Error, Is.EqualTo(LabError.NotWritable));
    }

    private static int CellsOf(string line)
    {
        bool quoted = false;
        int cells = 1;
        foreach (char c in line)
        {
            quoted ^= c == '"';
            cells += c == ',' && !quoted ? 1 : 0;
        }

        return cells;
    }
}
