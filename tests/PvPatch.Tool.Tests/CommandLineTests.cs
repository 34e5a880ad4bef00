namespace PvPatch.Tool.Tests;

[TestFixture]
[Parallelizable(ParallelScope.Children)]
public sealed class CommandLineTests
{
    [TestCase("--detct")]
    [TestCase("--json")]
    [TestCase("--quiet")]
    [TestCase("--detect", "extra")]
    [TestCase("--detect=true")]
    [TestCase("--detect", "--cpuid")]
    [TestCase("--detect", "--log-level", "chatty")]
    [TestCase("--log-level")]
    public void Wrong_usage_answers_2_with_one_sentence_on_stderr(params string[] args)
    {
        ToolRun run = ToolRun.Of(args);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(run.Code, Is.EqualTo(2));
            Assert.That(run.Out, Is.Empty);
            AssertOneSentence(run.Error);
        }
    }

    [TestCase("nothing")]
    [TestCase("--help")]
    public void Help_tells_every_exit_code(string argument)
    {
        ToolRun run = ToolRun.Of(string.Equals(argument, "nothing", StringComparison.Ordinal) ? [] : [argument]);
        Assert.That(run.Code, Is.Zero);
        foreach (ExitCode code in Enum.GetValues<ExitCode>())
            Assert.That(run.Out, Does.Match($@"(?m)^\s+{(int)code}\s+\S"), $"{code}");
    }

    [TestCase("PvPatch --log-", "--log-file --log-level")]
    [TestCase("PvPatch --detect --js", "--json")]
    [TestCase("PvPatch --detect --json --qu", "--quiet")]
    [TestCase("PvPatch --log-level err", "error")]
    public void Completion_lists_what_can_stand_there(string line, string expected)
    {
        ToolRun run = ToolRun.Of($"[suggest:{line.Length}]", line);
        Assert.That(run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), Is.EqualTo(expected.Split(' ')));
    }

    [Test]
    public void A_log_file_that_cannot_be_written_answers_3()
    {
        ToolRun run = ToolRun.Of("--detect", "--log-file", Path.Combine(AppContext.BaseDirectory, "no-such-folder", "log"));
        Assert.That((run.Code, run.Out), Is.EqualTo((3, "")));
        AssertOneSentence(run.Error);
    }

    [Test]
    public void A_log_without_a_file_goes_to_stderr()
    {
        ToolRun run = ToolRun.Of("--detect", "--quiet", "--log-level", "information", "--cpuid", ToolRun.Dump("kvm"));
        Assert.That((run.Code, run.Out), Is.EqualTo((0, "")));
        Assert.That(run.Error, Does.Contain("ends with").And.Not.Contain('\u001b'));
    }

    [Test]
    public void A_full_disk_answers_4()
    {
        if (!File.Exists("/dev/full"))
            Assert.Ignore("There is no /dev/full here to write to.");
        ToolRun run = ToolRun.OfShell("$TOOL --detect > /dev/full");
        Assert.That(run.Code, Is.EqualTo(4));
        AssertOneSentence(run.Error);
    }

    [Test]
    [NonParallelizable]
    public void A_stack_trace_goes_to_the_log_file_only()
    {
        string log = ToolRun.ScratchFile("log");
        (ExitCode code, string error) = RunWithBrokenPlanner("--detect", "--log-file", log);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(code, Is.EqualTo(ExitCode.InternalError));
            AssertOneSentence(error);
            Assert.That(error, Does.Contain("the planner is broken"));
            Assert.That(File.ReadAllText(log), Does.Contain(" at PvPatch.Tool."));
        }
    }

    [Test]
    [NonParallelizable]
    public void Without_a_log_file_an_unexpected_error_is_still_one_sentence()
    {
        (ExitCode code, string error) = RunWithBrokenPlanner("--detect");
        Assert.That(code, Is.EqualTo(ExitCode.InternalError));
        AssertOneSentence(error);
    }

    internal static void AssertOneSentence(string error)
    {
        Assert.That(error, Does.StartWith("PvPatch: ").And.EndWith(Environment.NewLine));
        Assert.That(error.TrimEnd(), Does.Not.Contain('\n').And.Not.Contain("   at "));
    }

    private static (ExitCode Code, string Error) RunWithBrokenPlanner(params string[] args)
    {
        TextWriter before = Console.Error;
        using var error = new StringWriter();
        Console.SetError(error);
        try
        {
            ExitCode code = Program.Run(args, (_, _) => throw new InvalidOperationException("the planner is broken"));
            return (code, error.ToString());
        }
        finally
        {
            Console.SetError(before);
        }
    }
}
