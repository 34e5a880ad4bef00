namespace PvPatch.Engine.Tests.PatchedCalls.Late;

/// <summary>Code that is hot when it is patched. Each state is a process of its own.</summary>
[Parallelizable(ParallelScope.Children)]
internal sealed class LateWayTests
{
    private const string CountAtOnce = "DOTNET_TC_CallCountingDelayMs=0", NeverCount = "DOTNET_TC_CallCountingDelayMs=600000";

    [TestCase("tier0", NeverCount, TestName = "Methods of the first tier are redirected and restored")]
    [TestCase("tier1", CountAtOnce, TestName = "Methods of the last tier are redirected and restored")]
    [TestCase("tier1", CountAtOnce, "DOTNET_TieredPGO=0", TestName = "Methods optimised without a profile are redirected and restored")]
    [TestCase("tier1", CountAtOnce, "DOTNET_EnableWriteXorExecute=0", TestName = "Methods are redirected where code is writable")]
    [TestCase("tier-up", "DOTNET_TieredCompilation=1", TestName = "Methods that tier up after the redirect end patched")]
    [TestCase("tier-up-switchable", "DOTNET_TieredCompilation=1", TestName = "Methods that tier up after they were led to switchable copies are led there again")]
    [TestCase("hammer", CountAtOnce, TestName = "Threads that run through the sites meanwhile see no wrong value")]
    [CancelAfter(Patience.Milliseconds)]
    public Task A_hot_program(string part, string setting, string other = "DOTNET_gcServer=0") => Run(["late", part], setting, other);

    [TestCase("hot", CountAtOnce, TestName = "Methods that have inlined a site are redirected, or named in the report")]
    [TestCase("young", NeverCount, TestName = "Methods of the first tier have inlined nothing")]
    [CancelAfter(Patience.Milliseconds)]
    public Task Inliners(string state, string setting) => Run(["inlined", state], setting);

    [TestCase("hot", CountAtOnce, TestName = "In place, methods that have inlined a site are named in the report")]
    [TestCase("young", NeverCount, TestName = "In place, methods of the first tier have inlined nothing")]
    [CancelAfter(Patience.Milliseconds)]
    public Task Inliners_in_place(string state, string setting) => Run(["inlined-in-place", state], setting);

    [Test]
    [CancelAfter(Patience.Milliseconds)]
    public Task Callers_that_have_inlined_a_site_follow_a_second_patch_with_other_targets() => Run(["inlined-twice"], CountAtOnce);

    private static async Task Run(string[] part, params string[] settings)
    {
        (int exitCode, string output) = await ChildProcess.RunAsync(part, settings, TestContext.CurrentContext.CancellationToken);
        TestContext.Out.WriteLine(output);
        Assert.That(exitCode, Is.Zero, output);
    }
}
