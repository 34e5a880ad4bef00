using System.Diagnostics;

namespace PvPatch.Engine.Tests.Samples;

/// <summary>Each sample runs, is patched wherever it calls through a slot, and computes the same in every form.</summary>
internal sealed class SampleTests
{
    private static readonly string Configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    [TestCase("CpuFeatures")]
    [TestCase("QuietLog")]
    [TestCase("PluginBackend")]
    [CancelAfter(Patience.Milliseconds)]
    public async Task A_sample_is_patched_and_computes_the_same(string sample, CancellationToken cancel)
    {
        (int exitCode, string output, string errors) = await RunAsync(sample, ["--short"], cancel);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(exitCode, Is.Zero, errors);
            Assert.That(output, Does.Match(@"  patched .* ([1-9][0-9]*) of \1 sites patched\n"));
            Assert.That(output, Does.Contain("times as fast"));
        }
    }

    [Test]
    [CancelAfter(Patience.Milliseconds)]
    public async Task The_log_of_the_sample_can_be_turned_on(CancellationToken cancel)
    {
        (int exitCode, string output, string errors) = await RunAsync("QuietLog", ["--log"], cancel);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(exitCode, Is.Zero, errors);
            Assert.That(output, Is.EqualTo("27 comes to 1 in 111 steps.\n"));
            Assert.That(errors.Split('\n').Count(line => line.StartsWith("Step ", StringComparison.Ordinal)), Is.EqualTo(111));
        }
    }

    [Test]
    [CancelAfter(Patience.Milliseconds)]
    public async Task The_backend_of_the_sample_is_the_configured_one(CancellationToken cancel)
    {
        string file = Path.Combine(TestContext.CurrentContext.WorkDirectory, "rook.json");
        await File.WriteAllTextAsync(file, Repository.Text("engine/samples/PluginBackend/backend.json").Replace("King", "Rook", StringComparison.Ordinal), cancel);
        (int exitCode, string output, string errors) = await RunAsync("PluginBackend", ["--short"], cancel, $"BACKEND={file}");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(exitCode, Is.Zero, errors);
            Assert.That(output, Does.StartWith("The length of a way by Rook.Distance").And.Match("patched .* 1 of 1 sites patched\n"));
        }
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(string sample, string[] arguments, CancellationToken cancel, string? setting = null)
    {
        string program = Path.Combine(Repository.Root, "engine", "samples", sample, "bin", Configuration, "net10.0", $"PvPatch.Samples.{sample}.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. arguments]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        if (setting?.Split('=') is [var name, var value])
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        await using CancellationTokenRegistration end = cancel.Register(() => process.Kill(entireProcessTree: true));
        Task<string> output = process.StandardOutput.ReadToEndAsync(cancel), errors = process.StandardError.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        return (process.ExitCode, await output, await errors);
    }
}
