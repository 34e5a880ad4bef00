using System.Text.Json;
using PvPatch.Engine.Ops;
using PvPatch.Paravirt.Detection;
using PvPatch.Paravirt.Detection.Cpuid;
using PvPatch.Paravirt.Detection.Platform;

namespace PvPatch.Tool.Tests;

[TestFixture]
[Parallelizable(ParallelScope.Children)]
public sealed class DetectCommandTests
{
    [TestCase("kvm", 0, "KVM")]
    [TestCase("hyperv", 0, "Microsoft Hyper-V")]
    [TestCase("vmware", 0, "VMware")]
    [TestCase("xen-hvm", 0, "Xen HVM")]
    [TestCase("unknown-signature", 0, "Unknown hypervisor")]
    [TestCase("intel-bare", 1, "Bare hardware")]
    public void The_exit_code_and_the_first_line_tell_what_runs_us(string dump, int code, string name)
    {
        ToolRun run = ToolRun.Of("--detect", "--cpuid", ToolRun.Dump(dump));
        Assert.That((run.Code, run.Out.Split('\n')[0].Trim(), run.Error), Is.EqualTo((code, name, "")));
    }

    [TestCase("kvm", 0)]
    [TestCase("amd-bare", 1)]
    public void Quiet_prints_nothing(string dump, int code)
    {
        Assert.That(ToolRun.Of("--detect", "--quiet", "--json", "--cpuid", ToolRun.Dump(dump)), Is.EqualTo(new ToolRun(code, "", "")));
    }

    [TestCase("")]
    [TestCase("hello\nworld")]
    [TestCase("CPU 0:\n   0x00000000 0x00: eax=0x1\n")]
    [TestCase("\u0001\u0002\u001b[31m\u0000")]
    public void A_malformed_dump_answers_3(string text)
    {
        string file = ToolRun.ScratchFile("dump.txt");
        File.WriteAllText(file, text);
        AssertBadInput(ToolRun.Of("--detect", "--cpuid", file));
    }

    [TestCase("no-such-file")]
    [TestCase(".")]
    public void An_unreadable_dump_answers_3(string file) => AssertBadInput(ToolRun.Of("--detect", "--json", "--cpuid", file));

    [Test]
    public void An_endless_dump_answers_3()
    {
        if (!File.Exists("/dev/zero"))
            Assert.Ignore("There is no /dev/zero here to read from.");
        AssertBadInput(ToolRun.Of("--detect", "--cpuid", "/dev/zero"));
    }

    [Test]
    public void Json_has_the_documented_members()
    {
        using JsonDocument json = JsonDocument.Parse(ToolRun.Of("--detect", "--json", "--cpuid", ToolRun.Dump("kvm-behind-hyperv-leaves")).Out);
        JsonElement root = json.RootElement;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(root.EnumerateObject().Select(member => member.Name), Is.EqualTo(
                ["schema", "verdict", "cpuid", "machine", "cloud", "containers", "evidence", "features", "ops"]));
            Assert.That(root.GetProperty("schema").GetInt32(), Is.EqualTo(1));
            Assert.That(root.GetProperty("verdict").GetRawText().Where(c => !char.IsWhiteSpace(c)), Is.EqualTo(
                """{"kind":"Kvm","name":"KVM","virtual":true,"linux":"KVM","banner":"KVM","controlDomain":false}"""));
            Assert.That(root.GetProperty("cpuid").GetRawText().Where(c => !char.IsWhiteSpace(c)), Is.EqualTo(
                """{"hypervisorBit":true,"signature":"KVMKVMKVM","base":"0x40000100","maxLeaf":"0x40000101","pickedByLinux":true}"""));
            Assert.That(root.GetProperty("features")[0].EnumerateObject().Select(member => member.Name), Is.EqualTo(
                ["name", "leaf", "register", "bit", "offered", "use"]));
            Assert.That(root.GetProperty("ops")[0].EnumerateObject().Select(member => member.Name), Is.EqualTo(
                ["name", "classes", "isNative", "target", "replacement"]));
        }
    }

    [TestCase]
    [TestCase("--json")]
    [TestCase("--quiet")]
    public void The_plain_form_answers_as_the_whole_command_line_does(params string[] more)
    {
        string[] args = ["--detect", .. more];
        Assert.That(DetectOptions.FromPlainForm(args), Is.Not.Null);
        Assert.That(ToolRun.Of(args), Is.EqualTo(ToolRun.Of([.. args, "--log-level", "fatal"])));
    }

    [TestCase("--detect", "--cpuid", "x")]
    [TestCase("--json")]
    [TestCase("--detect=true")]
    [TestCase]
    public void Other_forms_are_left_to_the_command_line(params string[] args) =>
        Assert.That(DetectOptions.FromPlainForm(args), Is.Null);

    [Test]
    public void Text_for_a_pipe_has_no_colours() =>
        Assert.That(ToolRun.Of("--detect").Out, Does.Not.Contain('\u001b'));

    [Test]
    public void Ops_are_a_table_of_name_classes_target_and_replacement()
    {
        string text = Text(new Ink(inColour: false),
            new PlannedOp("irq.save_fl", PvOpClass.PatchedCall | PvOpClass.AssemblyMacro, "NativeIrq.SaveFlags", "inline IL", IsNative: true),
            new PlannedOp("cpu.io_delay", PvOpClass.PatchedCall, "nop", "nothing", IsNative: false));
        Assert.That(text.ReplaceLineEndings("\n"), Does.EndWith("""

            Ops that would be installed and how each would be patched
              op            class          by          target               replacement
              irq.save_fl   patched+macro  native      NativeIrq.SaveFlags  inline IL
              cpu.io_delay  patched        hypervisor  nop                  nothing

            """.ReplaceLineEndings("\n")));
    }

    [TestCase("kvm", "cpu.io_delay", false, "gone")]
    [TestCase("kvm", "irq.save_fl", true, "call NativeIrq.SaveFlags")]
    [TestCase("kvm", "time.sched_clock", false, "call KvmClock.SchedClock")]
    [TestCase("kvm", "mmu.pte_val", true, "its argument")]
    [TestCase("kvm", "init.banner", false, "indirect: class 1 goes through its slot")]
    public void The_ops_are_those_of_the_detected_hypervisor(string dump, string name, bool isNative, string replacement)
    {
        using JsonDocument json = JsonDocument.Parse(ToolRun.Of("--detect", "--json", "--cpuid", ToolRun.Dump(dump)).Out);
        JsonElement op = json.RootElement.GetProperty("ops").EnumerateArray().Single(row => row.GetProperty("name").GetString() == name);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(op.GetProperty("isNative").GetBoolean(), Is.EqualTo(isNative));
            Assert.That(op.GetProperty("replacement").GetString(), Is.EqualTo(replacement));
        }
    }

    [Test]
    public void Without_ops_their_section_is_left_out() =>
        Assert.That(Text(new Ink(inColour: false)), Does.Not.Contain("Ops that"));

    [Test]
    public void Every_colour_that_begins_ends_on_its_line()
    {
        foreach (string line in Text(new Ink(inColour: true)).Split('\n'))
            Assert.That(line.Split('\e'), Has.Length.EqualTo(1).Or.Length.EqualTo(3), line);
    }

    private static string Text(Ink ink, params PlannedOp[] ops)
    {
        using var writer = new StringWriter();
        CpuidDump dump = CpuidDump.Parse(File.ReadAllText(ToolRun.Dump("kvm")));
        new DetectText(writer, ink).Write(HypervisorDetector.Detect(dump, PlatformFiles.Nothing), ops);
        return writer.ToString();
    }

    private static void AssertBadInput(ToolRun run)
    {
        Assert.That((run.Code, run.Out), Is.EqualTo((3, "")));
        CommandLineTests.AssertOneSentence(run.Error);
    }
}
