using System.Diagnostics;

namespace PvPatch.Tool.Tests;

/// <summary>One run of the built command as a process.</summary>
internal sealed record ToolRun(int Code, string Out, string Error)
{
    private static string Dll { get; } = Path.Combine(AppContext.BaseDirectory, "PvPatch.dll");

    internal static string Dump(string name) => Path.Combine(AppContext.BaseDirectory, "Dumps", name + ".txt");

    /// <summary>A file of the repository that the tests were built in.</summary>
    internal static string Repository(string path)
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "PvPatch.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("There is no PvPatch.sln above the tests.");
        return Path.Combine(folder, path);
    }

    internal static ToolRun Of(params string[] args) => Start("dotnet", [Dll, .. args]);

    /// <summary>Runs any program, with environment variables as in <c>DOTNET_ReadyToRun=1</c>.</summary>
    internal static ToolRun OfProgram(string program, string[] args, params string[] settings) => Start(program, args, settings);

    /// <summary>Runs a line of the shell, in which <c>$TOOL</c> is the command.</summary>
    internal static ToolRun OfShell(string line) => Start("sh", ["-c", line.Replace("$TOOL", $"dotnet '{Dll}'", StringComparison.Ordinal)]);

    internal static string ScratchFile(string name) => Path.Combine(Directory.CreateTempSubdirectory("pvpatch-tool-").FullName, name);

    private static ToolRun Start(string program, string[] args, params string[] settings)
    {
        var start = new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (string[] setting in settings.Select(setting => setting.Split('=')))
            start.Environment[setting[0]] = setting[1];
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new ToolRun(process.ExitCode, output, error.GetAwaiter().GetResult());
    }
}
