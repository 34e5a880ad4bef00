using System.Runtime.InteropServices;

namespace PvPatch.Perf.Yardsticks;

/// <summary>What is measured and compared, as files of this system.</summary>
internal sealed class Installation : IDisposable
{
    /// <summary>Finds the repository; publishes the tool unless one is given.</summary>
    /// <param name="tool">A published PvPatch, or null.</param>
    public Installation(string? tool)
    {
        Tool = tool ?? Publish();
    }

    /// <summary>A folder for programs, deleted in the end.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("pvpatch-yardsticks-").FullName;

    /// <summary>The published PvPatch.</summary>
    public string Tool { get; }

    private static string Root
    {
        get
        {
            string? folder = AppContext.BaseDirectory;
            while (folder is not null && !File.Exists(Path.Combine(folder, "PvPatch.sln")))
                folder = Path.GetDirectoryName(folder);
            return folder ?? throw new DirectoryNotFoundException("The lab runs outside the repository.");
        }
    }

    /// <summary>Whether a program is on the path.</summary>
    public static bool Has(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    /// <summary>The name of a program that has to be there.</summary>
    /// <param name="program">Its name.</param>
    /// <param name="package">The package that has it.</param>
    /// <exception cref="PlatformNotSupportedException">It is not.</exception>
    public static string Required(string program, string package) =>
        Has(program) ? program : throw new PlatformNotSupportedException($"{program} is not installed (Debian: {package}).");

    /// <summary>A program that does nothing, published as the tool is.</summary>
    public string PublishEmptyProgram()
    {
        string folder = Path.Combine(Folder, "empty");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "empty.csproj"), """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <InvariantGlobalization>true</InvariantGlobalization>
                <PublishReadyToRun>true</PublishReadyToRun>
              </PropertyGroup>
            </Project>
            """);
        File.WriteAllText(Path.Combine(folder, "Program.cs"), "return 0;");
        Publish(folder, Path.Combine(folder, "out"));
        return Path.Combine(folder, "out", "empty");
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private string Publish()
    {
        string target = Path.Combine(Folder, "tool");
        Publish(Path.Combine(Root, "tools", "PvPatch"), target, "-p:RestoreLockedMode=false", $"-p:NuGetLockFilePath={Path.Combine(Folder, "publish.lock.json")}");
        return Path.Combine(target, "PvPatch");
    }

    private static void Publish(string project, string target, params string[] more)
    {
        string runtime = $"linux-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        ChildProcess.RunWell(["dotnet", "publish", project, "-c", "Release", "-r", runtime, "--self-contained", "false", "-o", target, "-v", "quiet", "-nologo", .. more]);
    }
}
