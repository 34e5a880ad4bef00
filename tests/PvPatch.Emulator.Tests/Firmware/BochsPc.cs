using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace PvPatch.Emulator.Tests.Firmware;

/// <summary>
/// Bochs, where it is installed: an emulator by others that checks segments, gates and tasks as processors do. A case in which it
/// hangs has no result; it is started again behind that case. Its debugger, which Debian builds in, stops at each triple fault
/// and writes between the ROM's bytes.
/// </summary>
internal static partial class BochsPc
{
    private const int PatienceMilliseconds = 5000;

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

    /// <summary>Where it is, null without it.</summary>
    public static string? Program { get; } = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, "bochs"))
        .FirstOrDefault(File.Exists);

    /// <summary>The results of some cases, null for those in which it hangs.</summary>
    public static List<SystemResult?> Run(string program, IReadOnlyList<SystemCase> cases)
    {
        var results = new List<SystemResult?>();
        while (results.Count < cases.Count)
        {
            List<SystemCase> left = [.. cases.Skip(results.Count)];
            string folder = Directory.CreateTempSubdirectory("system-cases").FullName;
            try
            {
                results.AddRange(SystemResult.Parse(left, RunRom(program, folder, left)));
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

    private static byte[] RunRom(string program, string folder, List<SystemCase> cases)
    {
        byte[] displayRom = new byte[0x8000];
        new byte[] { 0x55, 0xaa, 0x40, 0xcb, 0xf6 }.CopyTo(displayRom, 0);
        File.WriteAllBytes(Path.Combine(folder, "rom"), SystemFirmware.Build(cases));
        File.WriteAllBytes(Path.Combine(folder, "vga"), displayRom);
        File.WriteAllText(Path.Combine(folder, "bochsrc"), Configuration);
        File.WriteAllText(Path.Combine(folder, "commands"), string.Concat(Enumerable.Repeat("c\n", cases.Count + 1)));
        string output = Encoding.Latin1.GetString(Start(program, folder));
        int begin = output.IndexOf("Next at t=0\n", StringComparison.Ordinal);
        return begin < 0 ? [] : Encoding.Latin1.GetBytes(Debugger().Replace(output[begin..], string.Empty));
    }

    /// <summary>Runs it while what it writes grows.</summary>
    private static byte[] Start(string program, string folder)
    {
        var start = new ProcessStartInfo(program, ["-q", "-f", "bochsrc", "-rc", "commands"])
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
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
            if (output.Length == seen)
            {
                process.Kill();
                process.WaitForExit();
                break;
            }

            seen = output.Length;
        }

        copy.Wait();
        return output.ToArray();
    }

    [GeneratedRegex(@"\(0\)\.\[[^\n]*\n|Next at t=\d+\n|\(0\) \[0x[^\n]*\n|<bochs:\d+> ", RegexOptions.None, 10_000)]
    private static partial Regex Debugger();
}
