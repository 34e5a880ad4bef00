using System.Reflection;

namespace PvPatch.Engine.Tests.PatchedCalls;

/// <summary>A patched call costs nothing: the JIT makes of it what it makes of hand-written code.</summary>
internal sealed class MachineCodeTests
{
    private const int Rounds = 5;

    private static Task<Dictionary<string, string>>? _listings;

    [TestCaseSource(typeof(PairProgram), nameof(PairProgram.Loops))]
    [CancelAfter(Patience.Milliseconds)]
    public async Task Patched_and_hand_written_loops_are_the_same_machine_code(string loop, CancellationToken cancel)
    {
        Dictionary<string, string> listings = await (_listings ??= ListAsync(cancel));
        Assert.That(listings[$"{loop}_Patched"], Is.EqualTo(listings[$"{loop}_HandWritten"]).And.Contain("ret"));
    }

    [Test]
    public void A_patched_call_allocates_nothing()
    {
        (Assembly assembly, _) = PairProgram.Load();
        long[] data = [1, 2, 3];
        foreach (string loop in PairProgram.Loops)
        {
            Func<long[], long> patched = PairProgram.Function(assembly, $"{loop}_Patched");
            patched(data);
            Assert.That(Enumerable.Range(0, Rounds).Min(_ => AllocatedBy(patched, data)), Is.Zero, loop);
        }
    }

    /// <summary>Bytes that many calls allocate. What the runtime does on this thread in between counts too, but not in every round.</summary>
    private static long AllocatedBy(Func<long[], long> patched, long[] data)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++)
            patched(data);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    /// <summary>Optimised code at once, and its listing without addresses.</summary>
    private static async Task<Dictionary<string, string>> ListAsync(CancellationToken cancel)
    {
        string file = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"machine-code-{Environment.ProcessId}.txt");
        string[] settings = ["DOTNET_TieredCompilation=0", "DOTNET_JitDisasm=*_Patched *_HandWritten", "DOTNET_JitDisasmDiffable=1", $"DOTNET_JitStdOutFile={file}"];
        (int exitCode, string output) = await ChildProcess.RunAsync(["machine-code"], settings, cancel);
        Assert.That(exitCode, Is.Zero, output);
        string listing = await File.ReadAllTextAsync(file, cancel);
        return listing.Split("; Assembly listing for method ")[1..].ToDictionary(NameIn, CodeIn, StringComparer.Ordinal);
    }

    /// <summary>The method's name, which stands in the first line: <c>Namespace.Class:Name(arguments):result</c>.</summary>
    private static string NameIn(string listing) => listing[(listing.IndexOf(':', StringComparison.Ordinal) + 1)..listing.IndexOf('(', StringComparison.Ordinal)];

    /// <summary>The lines after the first, without comments.</summary>
    private static string CodeIn(string listing) =>
        string.Join('\n', listing.Split('\n')[1..].Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != ';'));
}
