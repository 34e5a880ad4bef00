using System.Diagnostics;
using System.IO.Compression;
using System.Xml.Linq;

namespace PvPatch.Engine.Tests.Package;

/// <summary>What a user of the package has: packed, restored from a folder into a program outside of this repository, and run.</summary>
internal sealed class PackageTests
{
    private const string Version = "0.0.1-test";

    private static readonly string Folder = Path.Combine(Path.GetTempPath(), $"pvpatch-package-{Environment.ProcessId}");

    private static string Feed => Path.Combine(Folder, "feed");

    [OneTimeSetUp]
    public async Task PackAsync()
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMilliseconds(Patience.Milliseconds));
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        await DotnetAsync(Repository.Root, ["pack", "engine/PvPatch.Engine", "-c", configuration, "--no-build", "-o", Feed, $"-p:PackageVersion={Version}"], late.Token);
    }

    [OneTimeTearDown]
    public void Clean() => Directory.Delete(Folder, recursive: true);

    [Test]
    public void The_package_has_a_readme_a_licence_documentation_and_needs_no_other_package()
    {
        using ZipArchive package = ZipFile.OpenRead(Path.Combine(Feed, $"PvPatch.Engine.{Version}.nupkg"));
        using Stream text = package.GetEntry("PvPatch.Engine.nuspec")!.Open();
        var nuspec = XDocument.Load(text);
        XNamespace names = nuspec.Root!.Name.Namespace;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(package.Entries.Select(e => e.FullName), Is.SupersetOf(new[] { "README.md", "lib/net10.0/PvPatch.Engine.dll", "lib/net10.0/PvPatch.Engine.xml" }));
            Assert.That(nuspec.Descendants(names + "license").Single().Value, Is.EqualTo("MIT"));
            Assert.That(nuspec.Descendants(names + "readme").Single().Value, Is.EqualTo("README.md"));
            Assert.That(nuspec.Descendants(names + "dependency"), Is.Empty);
        }
    }

    [Test]
    public void The_symbols_are_a_package_of_their_own()
    {
        using ZipArchive symbols = ZipFile.OpenRead(Path.Combine(Feed, $"PvPatch.Engine.{Version}.snupkg"));
        Assert.That(symbols.Entries.Select(e => e.FullName), Does.Contain("lib/net10.0/PvPatch.Engine.pdb"));
    }

    [Test]
    [CancelAfter(Patience.Milliseconds)]
    public async Task A_fresh_program_uses_it_in_three_lines(CancellationToken cancel)
    {
        string program = Directory.CreateDirectory(Path.Combine(Folder, "consumer")).FullName;
        await File.WriteAllTextAsync(Path.Combine(program, "consumer.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <AllowUnsafeBlocks>true</AllowUnsafeBlocks>
                <RestorePackagesPath>packages</RestorePackagesPath>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="PvPatch.Engine" Version="{Version}" />
              </ItemGroup>
            </Project>
            """, cancel);
        await File.WriteAllTextAsync(Path.Combine(program, "nuget.config"), $"""
            <configuration>
              <packageSources>
                <clear />
                <add key="packed" value="{Feed}" />
              </packageSources>
            </configuration>
            """, cancel);
        File.Copy(Path.Combine(Repository.Root, "tests/PvPatch.Engine.Tests/Package/Consumer.cs.txt"), Path.Combine(program, "Program.cs"));

        string output = await DotnetAsync(program, ["run", "-c", "Release"], cancel);
        Assert.That(output.Trim(), Is.EqualTo("c12ba747, 1 patched, 0 deferred, 0 left"));
    }

    private static async Task<string> DotnetAsync(string folder, string[] arguments, CancellationToken cancel)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1"; // no process outlives the test
        start.Environment["UseSharedCompilation"] = "false";
        using Process process = Process.Start(start)!;
        await using CancellationTokenRegistration end = cancel.Register(() => process.Kill(entireProcessTree: true));
        Task<string> output = process.StandardOutput.ReadToEndAsync(cancel), errors = process.StandardError.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        Assert.That(process.ExitCode, Is.Zero, $"dotnet {string.Join(' ', arguments)}:\n{await output}{await errors}");
        return await output;
    }
}
