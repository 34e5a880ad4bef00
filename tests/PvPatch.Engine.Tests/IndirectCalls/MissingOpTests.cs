namespace PvPatch.Engine.Tests.IndirectCalls;

internal sealed class MissingOpTests
{
    [Test]
    [CancelAfter(Patience.Milliseconds)]
    public async Task A_call_of_a_missing_op_stops_with_its_name(CancellationToken cancel)
    {
        (int exitCode, string output) = await ChildProcess.RunAsync(["missing-op"], [], cancel);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(exitCode, Is.Not.Zero);
            Assert.That(output, Does.Contain("pv op plain.twice is missing; PvPatch.Engine.Tests.Program.CallMissingOp called it"));
        }
    }
}
