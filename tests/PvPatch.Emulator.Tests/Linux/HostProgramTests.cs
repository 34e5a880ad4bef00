using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Linux;
using PvPatch.Emulator.Linux.Elf;
using PvPatch.Emulator.Linux.Programs;

namespace PvPatch.Emulator.Tests.Linux;

/// <summary>
/// Programs in C, linked statically with the host's own library: the host runs them, and so does the emulator. Some are made for
/// this, the others are the lab's yardsticks (perf/yardsticks).
/// </summary>
[Parallelizable(ParallelScope.All)]
public sealed class HostProgramTests
{
    private static IEnumerable<string> Sources =>
        Directory.EnumerateFiles(Folder("Programs"), "*.c").Concat(Directory.EnumerateFiles(Folder("Yardsticks"), "*.c"))
            .Select(file => Path.GetFileNameWithoutExtension(file)!);

    [Test]
    public void A_program_does_what_it_does_on_the_host([ValueSource(nameof(Sources))] string name, [Values(ExecutionTier.Interpreted, ExecutionTier.Automatic)] ExecutionTier tier, [Values("x86-64", "x86-64-v3")] string level)
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            Assert.Ignore("The host does not run x86-64 Linux programs.");
        if (level == "x86-64-v3" && !(Avx2.IsSupported && Fma.IsSupported && Bmi2.IsSupported))
            Assert.Ignore("The host is no x86-64-v3 processor.");
        string program = Compile(name, tier.ToString(), level);
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment.Clear();
        using Process native = Process.Start(start)!;
        string expected = native.StandardOutput.ReadToEnd();
        native.WaitForExit();

        using var output = new MemoryStream();
        using var emulated = new LinuxProgram(ElfImage.Read(File.ReadAllBytes(program)), new ProgramOptions
        {
            Path = program,
            Arguments = [program],
            MemorySize = 128 << 20,
            Output = new StandardStream(output),
            Tier = tier,
            Note = TestContext.Out.WriteLine,
        });
        ProgramEnd end = emulated.Run();
        Assert.That(
            (CodeOf(end), System.Text.Encoding.UTF8.GetString(output.ToArray())),
            Is.EqualTo((native.ExitCode, expected)));
    }

    private static int CodeOf(ProgramEnd end) => end switch
    {
        ProgramEnd.Exited exited => exited.Status,
        ProgramEnd.Signalled signalled => 128 + (int)signalled.Signal,
        ProgramEnd.Faulted fault => 128 + (int)fault.Signal,
        _ => -1,
    };

    private static string Folder(string name) => Path.Combine(TestContext.CurrentContext.TestDirectory, "Linux", name);

    private static string Compile(string name, string suffix, string level)
    {
        bool yardstick = !File.Exists(Path.Combine(Folder("Programs"), $"{name}.c"));
        string source = Path.Combine(Folder(yardstick ? "Yardsticks" : "Programs"), name);
        string program = $"{source}.{suffix}.{level}";
        string[] start = yardstick ? [Path.Combine(Folder("Yardsticks"), "start", "libc.c")] : [];
        string[] arguments = [level == "x86-64" ? "-O2" : "-O3", $"-march={level}", "-static", "-pthread", "-w", "-o", program, source + ".c", .. start, "-lm"];
        try
        {
            using Process compiler = Process.Start(new ProcessStartInfo("gcc", arguments) { RedirectStandardError = true, UseShellExecute = false })!;
            string errors = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            if (errors.Contains("cannot find -l", StringComparison.Ordinal))
                Assert.Ignore($"The static libraries are not here: {errors}");
            Assert.That(compiler.ExitCode, Is.Zero, errors);
        }
        catch (Win32Exception)
        {
            Assert.Ignore("gcc is not here.");
        }

        return program;
    }
}
