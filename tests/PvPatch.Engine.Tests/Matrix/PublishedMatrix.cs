namespace PvPatch.Engine.Tests.Matrix;

/// <summary>Other forms of the program that has every kind of method. Each is made once, in a folder of its own.</summary>
internal static class PublishedMatrix
{
    private static readonly string Here = Path.Combine(AppContext.BaseDirectory, "published");
    private static readonly Dictionary<string, Task<string>> Made = new(StringComparer.Ordinal);

    /// <summary>The program with native code beside its IL. Skips the test where its compiler is not there.</summary>
    /// <param name="cancel">Ends the compiler.</param>
    /// <returns>Its file.</returns>
    public static Task<string> ReadyToRun(CancellationToken cancel) => Once("ready-to-run", async folder =>
    {
        foreach (string file in Directory.EnumerateFiles(AppContext.BaseDirectory, "PvPatch.*"))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        File.Copy(await ReadyToRunFile.Of(MatrixRun.Program, cancel), Path.Combine(folder, Path.GetFileName(MatrixRun.Program)), overwrite: true);
        return Path.Combine(folder, Path.GetFileName(MatrixRun.Program));
    });

    /// <summary>The program as one file. Skips the test where the packages for that cannot be restored.</summary>
    /// <param name="isSelfContained">Whether the runtime is in it.</param>
    /// <param name="cancel">Ends the publishing.</param>
    /// <returns>Its file.</returns>
    public static Task<string> SingleFile(bool isSelfContained, CancellationToken cancel) => Once($"single-file-{isSelfContained}", async folder =>
    {
        // The sources are copied: to publish is to restore for another target, which the other tests' builds must not see.
        string source = Repository.Root;
        string[] files = ["Directory.Build.props", "Directory.Packages.props", "BannedSymbols.txt", "global.json", "tests/Directory.Build.props", "perf/PvPatch.Perf/Measuring/SettledCode.cs"];
        IEnumerable<string> projects = new[] { "engine/PvPatch.Engine", "tests/PvPatch.Matrix" }
            .SelectMany(p => Directory.EnumerateFiles(Path.Combine(source, p), "*", SearchOption.AllDirectories))
            .Select(f => Path.GetRelativePath(source, f))
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal));
        foreach (string file in files.Concat(projects))
        {
            string copy = Path.Combine(folder, file);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(Path.Combine(source, file), copy, overwrite: true);
        }

        string[] form = isSelfContained ? ["--self-contained"] : ["--no-self-contained"];
        string[] publish = ["publish", Path.Combine(folder, "tests/PvPatch.Matrix"), "-c", "Release", "-r", "linux-x64", "-o", Path.Combine(folder, "out"), "-v", "quiet", "-nologo"];
        string[] properties = ["-p:PublishSingleFile=true", "-p:RunAnalyzers=false", "-p:EnableSourceLink=false", "-p:RestoreLockedMode=false", "-p:NuGetLockFilePath=obj/publish.lock.json"];
        await Run(ChildProcess.DotNet, [.. publish, .. form, .. properties], cancel);
        return Path.Combine(folder, "out", "PvPatch.Matrix");
    });

    private static Task<string> Once(string form, Func<string, Task<string>> make)
    {
        lock (Made)
        {
            if (!Made.TryGetValue(form, out Task<string>? made))
                Made[form] = made = make(Directory.CreateDirectory(Path.Combine(Here, form)).FullName);
            return made;
        }
    }

    private static async Task Run(string program, string[] arguments, CancellationToken cancel)
    {
        (int exitCode, string output) = await ChildProcess.RunAsync(program, arguments, [], cancel);
        if (output.Contains("NU1101", StringComparison.Ordinal) || output.Contains("NU1301", StringComparison.Ordinal))
            Assert.Ignore($"The packages to publish with cannot be restored here: {output}");
        Assert.That(exitCode, Is.Zero, output);
    }
}
