using System.Diagnostics;

namespace PvPatch.Engine.Tests.IndirectCalls;

internal sealed class MissingOpTests
{
    [Test]
    [CancelAfter(60_000)]
    public async Task A_call_of_a_missing_op_stops_with_its_name(CancellationToken cancel)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath : "dotnet")
        {
            ArgumentList = { typeof(Program).Assembly.Location },
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string errors = await process.StandardError.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(process.ExitCode, Is.Not.Zero);
            Assert.That(errors, Does.Contain("pv op plain.twice is missing"));
        }
    }
}
