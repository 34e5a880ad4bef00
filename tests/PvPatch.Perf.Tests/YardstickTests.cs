using PvPatch.Perf.Yardsticks;

namespace PvPatch.Perf.Tests;

/// <summary>The programs that the emulator is measured with.</summary>
internal sealed class YardstickTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("pvpatch-yardsticks-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Every_program_is_compiled_from_what_the_assembly_carries([ValueSource(typeof(Yardstick), nameof(Yardstick.Names))] string name)
    {
        Yardstick yardstick = Compiled(name);
        string once = Contender.Native.Run(yardstick, 1).Output;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(once, Does.Match("^[0-9a-f]{16}\n$"));
            Assert.That(Contender.Native.Run(yardstick, 2).Output, Is.EqualTo(once), "each repetition does the same");
            Assert.That(yardstick.Kernel is null || File.Exists(yardstick.Kernel));
        }
    }

    [Test]
    public void What_needs_Linux_no_bare_machine_runs() => Assert.That(
        Assert.Throws<PlatformNotSupportedException>(() => Contender.QemuSystem.Command(new Yardstick("calls", "calls", null), 1))!.Message,
        Does.Contain("calls needs Linux").Or.Contain("qemu-system-x86_64 is not installed"));

    [Test]
    public void The_tool_is_measured_by_itself_only() =>
        Assert.Throws<PlatformNotSupportedException>(() => Contender.Tool("auto").Command(new Yardstick("fib", "fib", null), 1));

    [Test]
    public void A_run_has_repetitions_enough_to_take_longer_than_its_start()
    {
        var runs = new RepeatedRuns(Contender.Native, Compiled("fib"), 1, 0.4);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(runs.Repetitions, Is.GreaterThan(1));
            Assert.That(runs.Measure(), Is.Positive);
        }
    }

    private Yardstick Compiled(string name)
    {
        try
        {
            return Yardstick.Compile(name, _folder);
        }
        catch (PlatformNotSupportedException e)
        {
            Assert.Ignore(e.Message);
            throw;
        }
    }
}
