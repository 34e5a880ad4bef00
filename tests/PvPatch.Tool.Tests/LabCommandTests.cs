using System.Text.Json;

namespace PvPatch.Tool.Tests;

[TestFixture]
public sealed class LabCommandTests
{
    /// <summary>When a run that should have ended hangs; a busy machine takes a while.</summary>
    private const int PatienceMilliseconds = 600_000;

    private static string Sample => Path.Combine(AppContext.BaseDirectory, "MyOps.dll");

    private static string Here => typeof(LabCommandTests).Assembly.Location;

    [Test]
    [CancelAfter(PatienceMilliseconds)]
    public void Two_rows_are_measured_from_end_to_end()
    {
        string folder = ToolRun.ScratchFile("reports");
        ToolRun run = ToolRun.Of("lab", "--quick", "--filter", "ReplacementCosts.Image(Slot: Direct)", "--check", "--out", folder);
        Assert.That(run.Code, Is.Zero, run.Out + run.Error);
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "lab.json")));
        JsonElement[] rows = [.. json.RootElement.GetProperty("rows").EnumerateArray()];
        JsonElement code = rows[1].GetProperty("code");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(rows.Select(row => row.GetProperty("name").GetString()), Is.EqualTo((string[])["ReplacementCosts.HandWritten(Slot: Direct)", "ReplacementCosts.Image(Slot: Direct)"]));
            Assert.That(rows[1].GetProperty("ratio").GetProperty("median").GetDouble(), Is.Positive);
            Assert.That(rows[1].GetProperty("allocatedBytes").GetDouble(), Is.Zero);
            Assert.That(code.GetProperty("sameAsBaseline").GetBoolean(), code.ToString());
            Assert.That(code.GetProperty("tier").GetString(), Is.EqualTo("Tier1"));
            Assert.That(run.Out, Does.Contain("patched, image by hand-written"));
            Assert.That(Directory.GetFiles(folder).Select(Path.GetFileName), Is.SupersetOf((string[])["lab.html", "lab.md", "lab.csv", "ratios-ReplacementCosts-Slot-Direct.svg"]));
        }

        ToolRun compare = ToolRun.Of("lab", "compare", Path.Combine(folder, "lab.json"), Path.Combine(folder, "lab.json"));
        Assert.That((compare.Code, compare.Out), Is.EqualTo((0, $"0 worse, 0 better, 1 the same within noise, 0 new, 0 gone.{Environment.NewLine}")));

        string worse = Path.Combine(folder, "worse.json");
        File.WriteAllText(worse, File.ReadAllText(Path.Combine(folder, "lab.json")).Replace("\"ratio\": {", "\"ratio\": { \"median\": 90, \"low\": 80, \"high\": 100 }, \"was\": {", StringComparison.Ordinal));
        ToolRun worsened = ToolRun.Of("lab", "compare", Path.Combine(folder, "lab.json"), worse);
        Assert.That((worsened.Code, worsened.Out), Is.EqualTo((1, worsened.Out)));
        Assert.That(worsened.Out, Does.StartWith("worse"));
    }

    [Test]
    [CancelAfter(PatienceMilliseconds)]
    public void The_sample_is_measured_as_the_others()
    {
        ToolRun run = ToolRun.Of("lab", "--assembly", Sample);
        Assert.That(run.Code, Is.Zero, run.Error);
        Assert.That(run.Out, Does.Match("(?m)^  HandWritten .* 1 .*$").And.Match("(?m)^  Patched .* =$").And.Match("(?m)^  Slot "));
    }

    [Test]
    [CancelAfter(PatienceMilliseconds)]
    public void A_benchmark_that_throws_answers_3_and_the_others_are_measured()
    {
        ToolRun run = ToolRun.Of("lab", "--assembly", Here, "--filter", "ThrowingBenchmarks.*");
        Assert.That((run.Code, run.Error), Is.EqualTo((3, $"PvPatch: ThrowingBenchmarks.Throws threw InvalidOperationException: it is broken{Environment.NewLine}")));
        Assert.That(run.Out, Does.Match(@"(?m)^  Works  +\d").And.Match("(?m)^  Throws +failed"));
    }

    [Test]
    [CancelAfter(PatienceMilliseconds)]
    public void The_emulator_is_measured_beside_the_processor()
    {
        string folder = ToolRun.ScratchFile("reports");
        ToolRun run = ToolRun.Of("lab", "--filter", "EmulatorPrograms.Run(Program: fib)", "--out", folder);
        Assert.That(run.Code, Is.Zero, run.Error);
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "lab.json")));
        JsonElement[] rows = [.. json.RootElement.GetProperty("rows").EnumerateArray()];
        Assert.That(rows.Select(row => row.GetProperty("title").GetString()), Is.EqualTo((string[])["native", "PvPatch run"]));
        if (rows[0].TryGetProperty("unavailable", out JsonElement lacking) && lacking.ValueKind == JsonValueKind.String)
            Assert.Ignore(lacking.GetString()!);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(rows[1].GetProperty("ratio").GetProperty("median").GetDouble(), Is.Positive);
            Assert.That(rows.Select(row => row.GetProperty("perSecond").GetProperty("instructions").GetDouble()), Is.All.Positive);
        }
    }

    [Test]
    [CancelAfter(PatienceMilliseconds)]
    public void Without_a_compiler_the_emulators_rows_say_so_and_nothing_fails()
    {
        var run = ToolRun.OfShell("found=$(command -v dotnet); dotnet() { PATH=/nowhere \"$found\" \"$@\"; }; $TOOL lab --filter 'EmulatorPrograms.*(Program: fib)'");
        using (Assert.EnterMultipleScope())
        {
            Assert.That((run.Code, run.Error), Is.EqualTo((0, "")));
            Assert.That(run.Out, Does.Match("(?m)^  native +unavailable").And.Match("(?m)^  PvPatch run +unavailable").And.Contain("gcc is not installed (Debian: gcc)."));
        }
    }

    [Test]
    public void The_list_names_rows_of_every_kind()
    {
        ToolRun run = ToolRun.Of("lab", "--list");
        Assert.That(run.Code, Is.Zero, run.Error);
        string[] names = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.That(names, Is.Unique.And.SupersetOf((string[])
        [
            "CallCosts.ByDelegate(Shape: Chain)", "ArgumentCosts.Slot(Takes: Quad)", "ReplacementCosts.Late(Slot: Inline)", "ColdCosts.Slot", "ManySitesCosts.Slots(Sites: 1024)",
            "PatchingCosts.InPlace(Sites: 1000)", "StartUpPatchingCosts.Late(Sites: 1000)", "InterpreterCosts.Registers", "EmulatorPrograms.QemuUser(Program: bytecode)", "GuestWorkloads.Patched(Workload: irq, Hypervisor: kvm)",
        ]));
    }

    [TestCase(2, "No benchmark is called", "lab", "--filter", "Nothing*")]
    [TestCase(2, "exclude each other", "lab", "--quick", "--full")]
    [TestCase(2, "Nothing that --check holds", "lab", "--check", "--filter", "ArgumentCosts.HandWritten(Takes: None)")]
    [TestCase(3, "can't be loaded as an assembly", "lab", "--assembly", "no-such-file.dll")]
    [TestCase(3, "can't be loaded as an assembly", "lab", "--assembly", "PvPatch.deps.json")]
    [TestCase(3, "has no benchmarks", "lab", "--assembly", "PvPatch.Engine.dll")]
    [TestCase(3, "PvPatch.dll': it is a file.", "lab", "--filter", "ColdCosts*", "--out", "PvPatch.dll")]
    [TestCase(3, "Reports can't be written", "lab", "--filter", "ColdCosts*", "--out", "/proc")]
    [TestCase(3, "The result can't be read", "lab", "compare", "no-such-file.json", "PvPatch.deps.json")]
    [TestCase(3, "is no result of the lab", "lab", "compare", "PvPatch.deps.json", "PvPatch.deps.json")]
    public void Bad_input_is_told_in_one_sentence(int code, string words, params string[] args)
    {
        ToolRun run = ToolRun.Of([.. args.Select(arg => arg.StartsWith("PvPatch.", StringComparison.Ordinal) ? Path.Combine(AppContext.BaseDirectory, arg) : arg)]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(run.Code, Is.EqualTo(code), run.Error);
            Assert.That(run.Error, Does.StartWith("PvPatch: ").And.Contain(words));
            Assert.That(run.Error.TrimEnd(), Does.Not.Contain("\n"));
        }
    }

    [Test]
    public void Results_of_another_schema_answer_3()
    {
        string file = ToolRun.ScratchFile("lab.json");
        File.WriteAllText(file, "{ \"schema\": 99 }");
        ToolRun run = ToolRun.Of("lab", "compare", file, file);
        Assert.That((run.Code, run.Error), Is.EqualTo((3, $"PvPatch: {file} has schema 99, and this lab reads schema 1 only.{Environment.NewLine}")));
    }
}
