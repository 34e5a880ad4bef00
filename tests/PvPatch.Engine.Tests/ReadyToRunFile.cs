using System.Reflection;
using System.Reflection.PortableExecutable;

namespace PvPatch.Engine.Tests;

/// <summary>Assemblies of the tests with native code beside their IL, as publishing makes them.</summary>
internal static class ReadyToRunFile
{
    /// <summary>Compiles an assembly ahead. Skips the test where the compiler for that is not there.</summary>
    /// <param name="assembly">Its file.</param>
    /// <param name="cancel">Ends the compiler.</param>
    /// <returns>The compiled file, of the same name, in a folder of its own.</returns>
    public static async Task<string> Of(string assembly, CancellationToken cancel)
    {
        string? compiler = typeof(ReadyToRunFile).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(a => a.Key == "Crossgen")?.Value;
        if (!File.Exists(compiler))
            Assert.Ignore($"The ReadyToRun compiler is restored on linux-x64 only; it is not at {compiler ?? "any place"}.");
        string folder = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "compiled", Path.GetFileNameWithoutExtension(assembly))).FullName;
        string compiled = Path.Combine(folder, Path.GetFileName(assembly)), framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        string[] arguments = [assembly, "-o", compiled, "-r", Path.Combine(framework, "*.dll"), "-r", Path.Combine(AppContext.BaseDirectory, "PvPatch.*.dll"), "--targetos", "linux", "--targetarch", "x64", "-O"];
        (int exitCode, string output) = await ChildProcess.RunAsync(compiler, arguments, [], cancel);
        Assert.That(exitCode, Is.Zero, output);
        using var image = new PEReader(File.OpenRead(compiled));
        Assert.That(image.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size, Is.Positive, "the compiler left no native code");
        return compiled;
    }
}
