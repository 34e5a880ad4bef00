using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace PvPatch.Emulator.Tests.Firmware;

/// <summary>
/// Another emulator of PCs, where one is installed, that runs ROMs of system cases. A case in which it hangs has no result; it is
/// started again behind that case.
/// </summary>
internal abstract partial class ForeignPc
{
    private const int PatienceMilliseconds = 3000;

    private readonly string _program;

    private ForeignPc(string name, string program)
    {
        Name = name;
        _program = program;
    }

    /// <summary>Those that are installed here.</summary>
    public static IReadOnlyList<ForeignPc> Installed { get; } = [.. Find()];

    /// <summary>What it is called.</summary>
    public string Name { get; }

    /// <summary>The results of some cases, null for those in which it hangs.</summary>
    public List<SystemResult?> Run(IReadOnlyList<SystemCase> cases)
    {
        var results = new List<SystemResult?>();
        while (results.Count < cases.Count)
        {
            List<SystemCase> left = [.. cases.Skip(results.Count)];
            string folder = Directory.CreateTempSubdirectory("system-cases").FullName;
            try
            {
                results.AddRange(SystemResult.Parse(left, RunRom(folder, left)));
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }

            if (results.Count < cases.Count)
                results.Add(null);
        }

        return results;
    }

    /// <summary>What the ROM of some cases writes, up to the one that hangs.</summary>
    protected abstract byte[] RunRom(string folder, IReadOnlyList<SystemCase> cases);

    /// <summary>Runs the program while what it writes grows; gives its standard output.</summary>
    protected byte[] Start(string folder, Func<long, long> size, params string[] arguments)
    {
        var start = new ProcessStartInfo(_program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        using Process process = Process.Start(start)!;
        process.BeginErrorReadLine();
        process.StandardInput.Close();
        using var output = new MemoryStream();
        Task copy = process.StandardOutput.BaseStream.CopyToAsync(output);
        for (long seen = -1; !process.WaitForExit(PatienceMilliseconds);)
        {
            long now = size(output.Length);
            if (now == seen)
            {
                process.Kill();
                process.WaitForExit();
                break;
            }

            seen = now;
        }

        copy.Wait();
        return output.ToArray();
    }

    private static IEnumerable<ForeignPc> Find()
    {
        if (Path("qemu-system-x86_64") is { } qemu)
            yield return new QemuPc(qemu);
        if (Path("bochs") is { } bochs)
            yield return new BochsPc(bochs);
    }

    private static string? Path(string name) => (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
        .Split(System.IO.Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => System.IO.Path.Combine(folder, name))
        .FirstOrDefault(File.Exists);

    /// <summary>QEMU's translator. It checks no limits of data segments.</summary>
    private sealed class QemuPc(string program) : ForeignPc("QEMU", program)
    {
        protected override byte[] RunRom(string folder, IReadOnlyList<SystemCase> cases)
        {
            string output = System.IO.Path.Combine(folder, "output");
            File.WriteAllBytes(System.IO.Path.Combine(folder, "rom"), SystemFirmware.Build(cases));
            File.WriteAllBytes(output, []);
            Start(
                folder, _ => new FileInfo(output).Length,
                "-M", "pc,accel=tcg", "-cpu", "max,vendor=GenuineIntel", "-m", "16", "-bios", "rom", "-nodefaults", "-no-user-config",
                "-display", "none", "-chardev", "file,id=o,path=output", "-device", "isa-debugcon,iobase=0xe9,chardev=o",
                "-device", "isa-debug-exit,iobase=0xf4,iosize=4");
            return File.ReadAllBytes(output);
        }
    }

    /// <summary>Bochs with its debugger, as Debian builds it: the debugger stops at each triple fault and writes between the ROM's bytes.</summary>
    private sealed partial class BochsPc(string program) : ForeignPc("Bochs", program)
    {
        private const string Configuration = """
            megs: 32
            romimage: file=rom
            vgaromimage: file=vga
            cpu: model=corei7_icelake_u, count=1, ips=50000000, reset_on_triple_fault=1
            display_library: rfb, options="timeout=0"
            port_e9_hack: enabled=1
            vga: extension=none
            log: log
            panic: action=fatal
            error: action=ignore
            info: action=ignore
            debug: action=ignore
            """;

        protected override byte[] RunRom(string folder, IReadOnlyList<SystemCase> cases)
        {
            byte[] empty = new byte[0x8000];
            new byte[] { 0x55, 0xaa, 0x40, 0xcb, 0xf6 }.CopyTo(empty, 0);
            File.WriteAllBytes(System.IO.Path.Combine(folder, "rom"), SystemFirmware.Build(cases));
            File.WriteAllBytes(System.IO.Path.Combine(folder, "vga"), empty);
            File.WriteAllText(System.IO.Path.Combine(folder, "bochsrc"), Configuration);
            File.WriteAllText(System.IO.Path.Combine(folder, "commands"), string.Concat(Enumerable.Repeat("c\n", cases.Count + 1)));
            string output = Encoding.Latin1.GetString(Start(folder, size => size, "-q", "-f", "bochsrc", "-rc", "commands"));
            int begin = output.IndexOf("Next at t=0\n", StringComparison.Ordinal);
            return Encoding.Latin1.GetBytes(Debugger().Replace(begin < 0 ? string.Empty : output[begin..], string.Empty));
        }

        [GeneratedRegex(@"\(0\)\.\[[^\n]*\n|Next at t=\d+\n|\(0\) \[0x[^\n]*\n|<bochs:\d+> ")]
        private static partial Regex Debugger();
    }
}
