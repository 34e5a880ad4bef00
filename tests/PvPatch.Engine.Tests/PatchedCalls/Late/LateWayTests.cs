namespace PvPatch.Engine.Tests.PatchedCalls.Late;

/// <summary>Code that is hot when it is patched. Each state is a process of its own.</summary>
internal sealed class LateWayTests
{
    private const string CountAtOnce = "DOTNET_TC_CallCountingDelayMs=0", NeverCount = "DOTNET_TC_CallCountingDelayMs=600000";

    [TestCase("tier0", NeverCount, TestName = "Methods of the first tier are redirected and restored")]
    [TestCase("tier1", CountAtOnce, TestName = "Methods of the last tier are redirected and restored")]
    [TestCase("tier1", CountAtOnce, "DOTNET_TieredPGO=0", TestName = "Methods optimised without a profile are redirected and restored")]
    [TestCase("tier1", CountAtOnce, "DOTNET_EnableWriteXorExecute=0", TestName = "Methods are redirected where code is writable")]
    [TestCase("tier-up", "DOTNET_TieredCompilation=1", TestName = "Methods that tier up after the redirect end patched")]
    [TestCase("hammer", CountAtOnce, TestName = "Threads that run through the sites meanwhile see no wrong value")]
    [CancelAfter(120_000)]
    public async Task A_hot_program(string part, string setting, string other = "DOTNET_gcServer=0")
    {
        (int exitCode, string output) = await ChildProcess.RunAsync(["late", part], [setting, other], TestContext.CurrentContext.CancellationToken);
        TestContext.Out.WriteLine(output);
        Assert.That(exitCode, Is.Zero, output);
    }
}
