using System.Runtime.InteropServices;

namespace PvPatch.Tool.Tests;

[TestFixture]
[Parallelizable(ParallelScope.Children)]
public sealed class FuzzCommandTests
{
    [TestCase("--cases 0", "'0' is no whole number from 1")]
    [TestCase("--cases many", "'many' is no whole number from 1")]
    [TestCase("--minutes 0", "'0' is no number of minutes")]
    [TestCase("--minutes -1", "'-1' is no number of minutes")]
    [TestCase("--seed 2147483648", "'2147483648' is no whole number from 0 to 2147483647")]
    [TestCase("--minutes 1 --cases 1", "'--minutes' and '--cases' exclude each other")]
    [TestCase("--tier auto", "'auto' not recognized")]
    [TestCase("--bogus", "--bogus")]
    public void Wrong_usage_answers_2(string options, string expected)
    {
        ToolRun run = ToolRun.Of(["fuzz", .. options.Split(' ')]);
        Assert.That((run.Code, run.Out), Is.EqualTo((2, "")));
        CommandLineTests.AssertOneSentence(run.Error);
        Assert.That(run.Error, Does.Contain(expected));
    }

    [Test]
    public void A_file_that_cannot_be_written_answers_3()
    {
        ToolRun run = ToolRun.Of("fuzz", "--cases", "1", "--out", Path.Combine(AppContext.BaseDirectory, "no-such-folder", "cases"));
        Assert.That((run.Code, run.Out), Is.EqualTo((3, "")));
        CommandLineTests.AssertOneSentence(run.Error);
    }

    [Test]
    public void Elsewhere_than_on_Linux_on_x86_64_it_answers_4()
    {
        if (IsHere)
        {
            Assert.Ignore("the host is Linux on x86-64");
            return;
        }

        ToolRun run = ToolRun.Of("fuzz", "--cases", "1");
        Assert.That((run.Code, run.Out), Is.EqualTo((4, "")));
        CommandLineTests.AssertOneSentence(run.Error);
    }

    [Test]
    public void A_seed_gives_the_same_cases_and_the_summary_counts_them()
    {
        IgnoreElsewhere();
        ToolRun run = ToolRun.Of("fuzz", "--cases", "3000", "--seed", "9");
        Assert.That(run.Code, Is.Zero, run.Out);
        Assert.That(run.Out, Does.StartWith("Seed 9.").And.Contain("privileged").And.Contain("not in 64-bit mode").And.Match("3,000 cases, [0-9]+ of them sequences, in .* s: no difference"));
        string sequences = run.Out[run.Out.IndexOf("3,000 cases", StringComparison.Ordinal)..run.Out.IndexOf(" of them", StringComparison.Ordinal)];
        Assert.That(ToolRun.Of("fuzz", "--cases", "3000", "--seed", "9").Out, Does.Contain(sequences));
    }

    [Test]
    public void Translated_code_is_judged_when_that_is_asked_for()
    {
        IgnoreElsewhere();
        ToolRun run = ToolRun.Of("fuzz", "--tier", "1", "--cases", "100", "--seed", "9");
        Assert.That(run.Code, Is.Zero, run.Out);
        Assert.That(run.Out, Does.Match("100 cases, [0-9]+ of them sequences, in .* s: no difference"));
    }

    [Test]
    public void A_form_that_may_not_stand_in_a_sequence_is_judged_alone()
    {
        IgnoreElsewhere();
        ToolRun run = ToolRun.Of("fuzz", "--only", "Int3", "--cases", "500", "--seed", "9");
        Assert.That(run.Code, Is.Zero, run.Out + run.Error);
        Assert.That(run.Out, Does.Contain("500 cases, 0 of them sequences"));
    }

    [Test]
    public void A_form_that_is_not_there_answers_2()
    {
        IgnoreElsewhere();
        ToolRun run = ToolRun.Of("fuzz", "--cases", "1", "--only", "Frobnicate");
        Assert.That(run.Code, Is.EqualTo(2));
        CommandLineTests.AssertOneSentence(run.Error);
    }

    [Test]
    public void A_signal_ends_it_with_the_summary()
    {
        IgnoreElsewhere();
        string output = ToolRun.ScratchFile("out");
        ToolRun run = ToolRun.OfShell($"$TOOL fuzz --only Add_ > '{output}' & until grep -qs Seed '{output}'; do sleep 0.1; done; kill -TERM $!; wait $!");
        Assert.That(run.Code, Is.Zero);
        Assert.That(File.ReadAllText(output), Does.Match("cases, [0-9]+ of them sequences, in .* s: no difference"));
        Assert.That(run.Error, Does.Not.Contain("   at "));
    }

    private static bool IsHere => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    private static void IgnoreElsewhere()
    {
        if (!IsHere)
            Assert.Ignore("the host is not Linux on x86-64");
    }
}
