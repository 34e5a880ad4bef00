using System.Text.Json;

namespace PvPatch.Tool.Tests;

[TestFixture]
[Parallelizable(ParallelScope.Children)]
public sealed class BootCommandTests
{
    private static readonly Lazy<string> ChecksumOnKvm = new(() => ChecksumOf("--hypervisor", "kvm", "--no-patch"));
    private static readonly Lazy<ToolRun> BootOnKvm = new(() => ToolRun.Of("boot", "--hypervisor", "kvm"));

    [TestCase("boot --bogus", "Unrecognized command or argument '--bogus'")]
    [TestCase("boot --workload chess", "'chess' is no workload; there are irq, mmu, switch, lock, mixed.")]
    [TestCase("boot --workload", "'--workload'")]
    [TestCase("boot --hypervisor vax", "'vax' is no hypervisor that the guest can boot on; there are bare, kvm")]
    [TestCase("boot --seed one", "'one' is no seed; it is a whole number from 0 to 18446744073709551615")]
    [TestCase("boot --seed -1", "'-1' is no seed")]
    [TestCase("boot --seed 18446744073709551616", "'18446744073709551616' is no seed")]
    [TestCase("boot --quiet --verbose", "'--quiet' and '--verbose' exclude each other")]
    [TestCase("boot -q -v", "exclude each other")]
    [TestCase("boot --mode fast", "'fast' is no mode; there are image, inplace, late")]
    [TestCase("boot --mode late --no-patch", "'--no-patch' and '--mode' exclude each other")]
    [TestCase("boot --diagnose --no-patch", "'--no-patch' and '--diagnose' exclude each other")]
    [TestCase("--detect boot", "'--detect' stands alone")]
    [TestCase("--json boot", "'--json' goes with '--detect' only")]
    public void Wrong_usage_answers_2(string line, string expected) => AssertRefused(ToolRun.Of(line.Split(' ')), 2, expected);

    [TestCase("--report", "no-such-folder/report.json", "The report can't be written")]
    [TestCase("--report", ".", "The report can't be written")]
    [TestCase("--report", "", "The report can't be written")]
    [TestCase("--guest", "no-such-file.dll", "The guest image can't be used")]
    [TestCase("--guest", ".", "The guest image can't be used")]
    [TestCase("--guest", "", "its path is empty")]
    [TestCase("--guest", "PvPatch.runtimeconfig.json", "is no portable executable")]
    [TestCase("--guest", "Serilog.dll", "no public class implements IGuestKernel")]
    [TestCase("--guest", "PvPatch.Paravirt.dll", "Two images of the set are named PvPatch.Paravirt.")]
    public void A_file_that_cannot_be_used_answers_3(string option, string file, string expected)
    {
        string path = file.Length == 0 ? file : Path.Combine(AppContext.BaseDirectory, file);
        AssertRefused(ToolRun.Of("boot", option, path), 3, expected);
    }

    [Test]
    public void Text_is_no_guest_image()
    {
        string file = ToolRun.ScratchFile("kernel.dll");
        File.WriteAllText(file, "not an assembly\n");
        AssertRefused(ToolRun.Of("boot", "--guest", file), 3, "is no portable executable");
    }

    [Test]
    public void A_cut_image_is_refused()
    {
        string file = ToolRun.ScratchFile("PvPatch.GuestOs.dll");
        byte[] whole = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "PvPatch.GuestOs.dll"));
        File.WriteAllBytes(file, whole[..(whole.Length / 2)]);
        AssertRefused(ToolRun.Of("boot", "--guest", file), 3, "PvPatch.GuestOs.dll");
    }

    [Test]
    public void The_log_gets_a_line_for_each_site_and_image()
    {
        string file = ToolRun.ScratchFile("log");
        ToolRun run = ToolRun.Of("boot", "--hypervisor", "bare", "--quiet", "--log-level", "debug", "--log-file", file);
        string log = File.ReadAllText(file);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(run.Code, Is.Zero, run.Error);
            Assert.That(log, Does.Match("DBG irq.save_fl in .* is patched by \"Image\": call NativeIrq.SaveFlags"));
            Assert.That(log, Does.Match("INF PvPatch.Paravirt is patched: [0-9]+ sites patched, 0 deferred, [0-9]+ left"));
        }
    }

    [Test]
    public void A_boot_that_fails_leaves_no_empty_report()
    {
        string file = ToolRun.ScratchFile("report.json");
        ToolRun run = ToolRun.Of("boot", "--report", file, "--workload", "chess");
        Assert.That((run.Code, File.Exists(file)), Is.EqualTo((2, false)));
    }

    [Test]
    public void A_boot_that_fails_leaves_an_old_report_as_it_was()
    {
        string file = ToolRun.ScratchFile("report.json");
        File.WriteAllText(file, "old");
        ToolRun run = ToolRun.Of("boot", "--report", file, "--workload", "chess");
        Assert.That((run.Code, File.ReadAllText(file)), Is.EqualTo((2, "old")));
    }

    [TestCase(1, "The guest kernel panicked: [    0.000031] Kernel panic - not syncing: Out of biscuits")]
    [TestCase(2, "The guest kernel panicked: Nothing that says panic in Linux's words")]
    [TestCase(3, "The guest stopped with an exception: the guest throws")]
    [TestCase(4, "The guest stopped with a triple fault: vCPU 0: vector 6")]
    [TestCase(5, "The guest stopped unexpectedly: Halted")]
    public void A_guest_that_stops_is_told_in_one_sentence(int seed, string expected)
    {
        ToolRun run = ToolRun.Of("boot", "--quiet", "--guest", typeof(TroubledKernel).Assembly.Location, "--seed", $"{seed}");
        Assert.That((run.Code, run.Out), Is.EqualTo((70, "")));
        CommandLineTests.AssertOneSentence(run.Error);
        Assert.That(run.Error, Does.StartWith("PvPatch: " + expected));
    }

    [Test]
    public void Under_KVM_the_log_is_in_Linux_words_and_order()
    {
        string[] lines = [.. BootOnKvm.Value.Out.Split('\n').Select(line => line.Contains("] ", StringComparison.Ordinal) ? line.Split("] ", 2)[1].TrimEnd() : line)];
        int[] places = [.. ((string[])[
            "Hypervisor detected: KVM",
            "kvm-clock: Using msrs 4b564d01 and 4b564d00",
            "Booting paravirtualized kernel on KVM",
            "kvm-guest: PV spinlocks enabled",
            "smpboot: CPU1 is up",
            "alternatives: running on the patched text",
            "reboot: Power down",
        ]).Select(wanted => Array.IndexOf(lines, wanted))];
        Assert.That(places, Is.Ordered.And.All.Not.Negative, BootOnKvm.Value.Out);
    }

    [Test]
    public void Every_site_of_class_2_is_patched_and_the_sums_are_equal()
    {
        Assert.That((BootOnKvm.Value.Code, BootOnKvm.Value.Error), Is.EqualTo((0, "")));
        Assert.That(BootOnKvm.Value.Out, Does.Match(@"(?m)^Patched (\d+) of \1 sites of class 2; \d+ sites of class 1 call through their slots\.\r?$"));
        Assert.That(BootOnKvm.Value.Out, Does.Match(@"(?m)^  patched is \d+\.\d times as fast, checksums equal\r?$"));
    }

    [Test]
    public void Text_for_a_pipe_has_no_colours() => Assert.That(BootOnKvm.Value.Out, Is.Not.Empty.And.Not.Contains('\u001b'));

    [Test]
    public void Without_patching_there_is_no_patched_run()
    {
        string file = ToolRun.ScratchFile("report.json");
        ToolRun run = ToolRun.Of("boot", "--hypervisor", "bare", "--no-patch", "--workload", "switch", "--report", file);
        using JsonDocument report = JsonDocument.Parse(File.ReadAllText(file));
        using (Assert.EnterMultipleScope())
        {
            Assert.That((run.Code, run.Error), Is.EqualTo((0, "")));
            Assert.That(run.Out, Does.Contain("Booting paravirtualized kernel on bare hardware").And.Not.Contains("patched is").And.Not.Contains("Patched "));
            Assert.That(Names(report.RootElement), Is.EqualTo(["schema", "platform", "workload", "calls", "slots", "checksumsEqual"]));
        }
    }

    [TestCase("irq")]
    [TestCase("mmu")]
    [TestCase("switch")]
    [TestCase("lock")]
    [TestCase("mixed")]
    public void The_report_has_the_documented_members(string workload)
    {
        using JsonDocument report = ReportOf("--hypervisor", "kvm", "--workload", workload, "--seed", "7");
        JsonElement root = report.RootElement;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Names(root), Is.EqualTo(["schema", "platform", "mode", "workload", "calls", "slots", "patched", "ratio", "checksumsEqual", "patches"]));
            Assert.That((root.GetProperty("schema").GetInt32(), root.GetProperty("platform").GetString(), root.GetProperty("checksumsEqual").GetBoolean()), Is.EqualTo((1, "KVM", true)));
            Assert.That(Names(root.GetProperty("workload")), Is.EqualTo(["name", "seed", "rounds", "operations"]));
            Assert.That((root.GetProperty("workload").GetProperty("name").GetString(), root.GetProperty("workload").GetProperty("seed").GetInt32()), Is.EqualTo((workload, 7)));
            Assert.That(root.GetProperty("calls").EnumerateObject().Sum(call => call.Value.GetInt64()), Is.EqualTo(root.GetProperty("workload").GetProperty("operations").GetInt64()));
            foreach (string form in (string[])["slots", "patched"])
            {
                Assert.That(Names(root.GetProperty(form)), Is.EqualTo(["checksum", "nanosecondsPerOperation", "milliseconds"]));
                Assert.That(root.GetProperty(form).GetProperty("nanosecondsPerOperation").GetDouble(), Is.Positive);
            }

            Assert.That(root.GetProperty("ratio").GetDouble(), Is.Positive);
            JsonElement totals = root.GetProperty("patches").GetProperty("totals");
            Assert.That((totals.GetProperty("patched").GetInt32() > 0, totals.GetProperty("deferred").GetInt32()), Is.EqualTo((true, 0)));
        }
    }

    [TestCase("image", "", "Image")]
    [TestCase("inplace", " in place", "InPlace")]
    [TestCase("late", " late", "Late")]
    public void Each_mode_boots_and_computes_the_same(string mode, string words, string way)
    {
        if (mode is not "image" && !(OperatingSystem.IsLinux() && System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64))
            Assert.Ignore("code in memory is patched on Linux on x86-64 only");
        string file = ToolRun.ScratchFile("report.json");
        ToolRun run = ToolRun.Of("boot", "--hypervisor", "kvm", "--mode", mode, "--report", file);
        Assert.That((run.Code, run.Error), Is.EqualTo((0, "")));
        using JsonDocument report = JsonDocument.Parse(File.ReadAllText(file));
        JsonElement root = report.RootElement, totals = root.GetProperty("patches").GetProperty("totals");
        string?[] ways = [.. root.GetProperty("patches").GetProperty("sites").EnumerateArray().Select(s => s.GetProperty("way").GetString()).Distinct(StringComparer.Ordinal)];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(run.Out, Does.Match($@"(?m)^Patched \d+ of \d+ sites of class 2{words}(, \d+ deferred)?; \d+ sites of class 1 call through their slots\.\r?$"));
            Assert.That(run.Out, Does.Match(@"(?m)^  patched is \d+\.\d times as fast, checksums equal\r?$"));
            Assert.That(root.GetProperty("mode").GetString(), Is.EqualTo(mode));
            Assert.That(ways, Does.Contain(way));
            Assert.That(totals.GetProperty("patched").GetInt32(), Is.GreaterThan(10));
            if (mode is not "late")
                Assert.That(totals.GetProperty("deferred").GetInt32(), Is.Zero);
            Assert.That(root.GetProperty("slots").GetProperty("checksum").GetString(), Is.EqualTo(ChecksumOnKvm.Value));
        }
    }

    [TestCase("image")]
    [TestCase("late")]
    public void A_diagnosis_tells_what_runs_of_the_guest(string mode)
    {
        if (mode is not "image" && !(OperatingSystem.IsLinux() && System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64))
            Assert.Ignore("code in memory is patched on Linux on x86-64 only");
        string file = ToolRun.ScratchFile("report.json");
        ToolRun run = ToolRun.Of("boot", "--hypervisor", "kvm", "--mode", mode, "--diagnose", "--report", file);
        Assert.That((run.Code, run.Error), Is.EqualTo((0, "")));
        using JsonDocument report = JsonDocument.Parse(File.ReadAllText(file));
        JsonElement root = report.RootElement, diagnosis = root.GetProperty("diagnosis");
        JsonElement[] methods = [.. diagnosis.GetProperty("methods").EnumerateArray()];
        JsonElement saveFlags = methods.Single(m => m.GetProperty("method").GetString() is "PvPatch.Paravirt.Wrappers.PvIrq.SaveFlags");
        string?[] inliners = [.. saveFlags.GetProperty("inlinedInto").EnumerateArray().Where(b => b.GetProperty("il").GetString() is "Patched").Select(b => b.GetProperty("method").GetString())];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(methods.Select(m => m.GetProperty("methodToken").GetInt32()), Is.EquivalentTo(root.GetProperty("patches").GetProperty("sites").EnumerateArray()
                .Where(s => s.GetProperty("way").ValueKind != JsonValueKind.Null).Select(s => s.GetProperty("methodToken").GetInt32()).Distinct()));
            Assert.That(inliners, Does.Contain("PvPatch.GuestOs.Workloads.IrqWorkload.Sections"), "what the workload runs hot is patched");
            Assert.That(diagnosis.GetProperty("totals").TryGetProperty("OldBodyRetired", out _), Is.EqualTo(mode is "late"));
            Assert.That(run.Out, Does.Match($@"(?m)^{methods.Length} methods with patched sites: "));
            Assert.That(run.Out, Does.Contain("PvPatch.Paravirt!PvPatch.Paravirt.Wrappers.PvIrq.SaveFlags: "));
        }
    }

    [Test]
    public void The_checksum_depends_on_the_seed_and_not_on_the_boot_or_the_hypervisor()
    {
        string[] checksums = [.. ((string[][])[
            ["--hypervisor", "kvm", "--seed", "1"],
            ["--hypervisor", "kvm"],
            ["--hypervisor", "bare", "--no-patch", "--seed", "1"],
            ["--hypervisor", "kvm", "--no-patch", "--seed", "2"],
        ]).Select(options => ChecksumOf([.. options, "--workload", "switch"]))];
        Assert.That(checksums[1..3], Is.All.EqualTo(checksums[0]));
        Assert.That(checksums[3], Is.Not.EqualTo(checksums[0]));
    }

    [Test]
    public void Quiet_prints_the_figures_alone()
    {
        ToolRun run = ToolRun.Of("boot", "--quiet", "--workload", "switch");
        string[] lines = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That((run.Code, lines.Length), Is.EqualTo((0, 4)), run.Out);
        Assert.That(lines[0], Does.StartWith("Workload switch, seed 1, "));
    }

    [Test]
    public void Verbose_shows_the_IL_of_each_site_before_and_after()
    {
        ToolRun run = ToolRun.Of("boot", "--verbose", "--hypervisor", "bare", "--workload", "switch");
        Assert.That(run.Out, Does.Match(@"PvIrq\.Disable[^\n]* IL_[0-9a-f]{4}\r?\n[^\n]*calli[^\n]*\n[^\n]*call [^\n]*NativeIrq"));
    }

    private static void AssertRefused(ToolRun run, int code, string expected)
    {
        Assert.That((run.Code, run.Out), Is.EqualTo((code, "")));
        CommandLineTests.AssertOneSentence(run.Error);
        Assert.That(run.Error, Does.Contain(expected));
    }

    private static string ChecksumOf(params string[] options)
    {
        using JsonDocument report = ReportOf(options);
        return report.RootElement.GetProperty("slots").GetProperty("checksum").GetString()!;
    }

    private static JsonDocument ReportOf(params string[] options)
    {
        string file = ToolRun.ScratchFile("report.json");
        ToolRun run = ToolRun.Of(["boot", "--quiet", "--report", file, .. options]);
        Assert.That((run.Code, run.Error), Is.EqualTo((0, "")));
        return JsonDocument.Parse(File.ReadAllText(file));
    }

    private static IEnumerable<string> Names(JsonElement element) => element.EnumerateObject().Select(member => member.Name);
}
