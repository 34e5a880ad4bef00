using System.Diagnostics;

namespace PvPatch.Engine.Tests;

/// <summary>A process of its own for what concerns a whole process.</summary>
internal static class ChildProcess
{
    /// <summary>The program that runs assemblies.</summary>
    public static string DotNet { get; } = Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath : "dotnet";

    /// <summary>Runs a part of <see cref="Program"/>.</summary>
    /// <param name="part">Its arguments.</param>
    /// <param name="settings">Environment variables, as in <c>DOTNET_TieredPGO=0</c>.</param>
    /// <param name="cancel">Ends the wait, and the process.</param>
    public static Task<(int ExitCode, string Output)> RunAsync(string[] part, string[] settings, CancellationToken cancel) =>
        RunAsync(DotNet, [typeof(Program).Assembly.Location, .. part], settings, cancel);

    /// <summary>Runs a program.</summary>
    /// <param name="program">Its path, or its name.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="settings">Environment variables.</param>
    /// <param name="cancel">Ends the wait, and the process.</param>
    public static async Task<(int ExitCode, string Output)> RunAsync(string program, string[] arguments, string[] settings, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (string[] setting in settings.Select(s => s.Split('=')))
            start.Environment[setting[0]] = setting[1];

        using Process process = Process.Start(start)!;
        await using CancellationTokenRegistration end = cancel.Register(() => process.Kill(entireProcessTree: true));
        Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None), errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        string text = await output + await errors;
        return cancel.IsCancellationRequested
            ? throw new TimeoutException($"{string.Join(' ', [.. settings, program, .. arguments])} did not end. It said:\n{text}")
            : (process.ExitCode, text);
    }
}
