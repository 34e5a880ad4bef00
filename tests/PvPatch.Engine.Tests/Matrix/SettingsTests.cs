namespace PvPatch.Engine.Tests.Matrix;

/// <summary>
/// The matrix under other settings of the runtime, and from other forms of the program. Whatever the verdicts, no value is wrong
/// and no report untrue. By the ways in which code of the runtime's own making is met: what the image way makes is a file like any other.
/// </summary>
[Parallelizable(ParallelScope.Children)]
internal sealed class SettingsTests
{
    private const string Live = "in-place,late";

    [TestCase("DOTNET_TieredCompilation=0")]
    [TestCase("DOTNET_TieredPGO=0")]
    [TestCase("DOTNET_ReadyToRun=0")]
    [TestCase("DOTNET_TC_QuickJitForLoops=0")]
    [TestCase("DOTNET_EnableWriteXorExecute=0")]
    [TestCase("DOTNET_gcServer=1")]
    [CancelAfter(Patience.Milliseconds)]
    public async Task Under_the_setting(string setting, CancellationToken cancel) =>
        IsRight(await MatrixRun.Of(MatrixRun.Program, Live, "all", "path", [setting], cancel));

    [TestCase("memory")]
    [CancelAfter(Patience.Milliseconds)]
    public async Task Loaded_from(string copy, CancellationToken cancel) =>
        IsRight(await MatrixRun.Of(MatrixRun.Program, Live, "all", copy, [], cancel));

    [TestCase("path")]
    [TestCase("memory")]
    [CancelAfter(Patience.Milliseconds)]
    public async Task Compiled_ready_to_run_and_loaded_from(string copy, CancellationToken cancel) =>
        IsRight(await MatrixRun.Of(await PublishedMatrix.ReadyToRun(cancel), Live, "all", copy, [], cancel));

    [TestCase("in-place", "cold", false)]
    [TestCase("late", "tier-1", false)]
    [TestCase("in-place", "cold", true)]
    [TestCase("late", "tier-1", true)]
    [CancelAfter(Patience.Milliseconds)]
    public async Task Published_as_a_single_file(string way, string state, bool isSelfContained, CancellationToken cancel) =>
        IsRight(await MatrixRun.Of(await PublishedMatrix.SingleFile(isSelfContained, cancel), way, state, "host", [], cancel));

    private static void IsRight(MatrixRun run)
    {
        TestContext.Out.WriteLine(run.Counts);
        Assert.That(run.Mistakes, Is.Empty);
    }
}
