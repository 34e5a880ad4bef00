namespace PvPatch.Engine.Tests.Matrix;

/// <summary>One kind of method in one cell of the matrix.</summary>
/// <param name="Cell">How and when it was patched: <c>in-place when tier-1</c>.</param>
/// <param name="Kind">Which kind.</param>
/// <param name="Word">The verdict, or <c>wrong</c>.</param>
/// <param name="Reason">Why it is not native from start to end, or what is wrong.</param>
internal sealed record KindResult(string Cell, string Kind, string Word, string Reason)
{
    /// <summary>The verdict and the reason in few words.</summary>
    public string Verdict => Reason.Length == 0 ? Word : $"{Word}: {string.Join(" + ", Reason.Split(" | ").Select(Reasons.Short).Distinct(StringComparer.Ordinal))}";
}

/// <summary>A run of the program that has every kind of method.</summary>
/// <param name="ExitCode">0 if nothing was wrong.</param>
/// <param name="Output">All that it printed.</param>
internal sealed record MatrixRun(int ExitCode, string Output)
{
    /// <summary>The program.</summary>
    public static readonly string Program = Path.Combine(AppContext.BaseDirectory, "PvPatch.Matrix.dll");

    /// <summary>A line a kind.</summary>
    public IReadOnlyList<KindResult> Results { get; } =
        [.. Output.Split('\n').Select(l => l.Split('\t')).Where(l => l.Length == 4).Select(l => new KindResult(l[0], l[1], l[2], l[3]))];

    /// <summary>Runs it.</summary>
    /// <param name="program">The program's file.</param>
    /// <param name="way">How it is patched; several with commas between.</param>
    /// <param name="state">What has run then; or <c>all</c>.</param>
    /// <param name="copy">Which copy is patched: <c>host</c>, <c>path</c>, <c>memory</c>.</param>
    /// <param name="settings">Environment variables.</param>
    /// <param name="cancel">Ends the process.</param>
    public static async Task<MatrixRun> Of(string program, string way, string state, string copy, string[] settings, CancellationToken cancel)
    {
        bool isAssembly = program.EndsWith(".dll", StringComparison.Ordinal);
        string[] arguments = [way, state, copy, isAssembly ? program : Program];
        (int exitCode, string output) = isAssembly
            ? await ChildProcess.RunAsync(ChildProcess.DotNet, [program, .. arguments], settings, cancel)
            : await ChildProcess.RunAsync(program, arguments, settings, cancel);
        return new MatrixRun(exitCode, output);
    }

    /// <summary>How many kinds came to which verdict, a line a cell.</summary>
    public string Counts => string.Join('\n', Results.Where(r => r.Word != "wrong").GroupBy(r => r.Cell, StringComparer.Ordinal).Select(cell =>
        $"{cell.Key}: {cell.Count()} kinds, {string.Join(", ", cell.GroupBy(r => r.Word, StringComparer.Ordinal).OrderBy(w => w.Key, StringComparer.Ordinal).Select(w => $"{w.Count()} {w.Key}"))}"));

    /// <summary>What must not be; the whole output where the program itself failed.</summary>
    public string Mistakes => Results.Count == 0 || (ExitCode != 0 && Results.All(r => r.Word != "wrong"))
        ? $"exit code {ExitCode}: {Output}"
        : string.Join('\n', Results.Where(r => r.Word == "wrong").Select(r => $"{r.Cell}, {r.Kind}: {r.Reason}"));
}
