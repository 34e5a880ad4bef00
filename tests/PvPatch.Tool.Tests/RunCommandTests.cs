using System.Diagnostics;
using System.Text;

namespace PvPatch.Tool.Tests;

[TestFixture]
[Parallelizable(ParallelScope.Children)]
public sealed class RunCommandTests
{
    // mov edi, 42; mov eax, 60; syscall
    private static readonly byte[] Exit42 = [0xbf, 42, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05];

    // jmp itself
    private static readonly byte[] Spin = [0xeb, 0xfe];

    // ud2
    private static readonly byte[] Undefined = [0x0f, 0x0b];

    // mov eax, 1; mov edi, 1; mov rsi, [rsp + 16]; mov edx, 6; syscall; then Exit42
    private static readonly byte[] FirstArgument = [0xb8, 1, 0, 0, 0, 0xbf, 1, 0, 0, 0, 0x48, 0x8b, 0x74, 0x24, 16, 0xba, 6, 0, 0, 0, 0x0f, 0x05, .. Exit42];

    // mov eax, 999; syscall; then Exit42
    private static readonly byte[] UnknownCall = [0xb8, 0xe7, 3, 0, 0, 0x0f, 0x05, .. Exit42];

    private const int BytesStart = 12, BytesEnd = 45;

    [TestCase("run", "Required argument 'PROGRAM' missing")]
    [TestCase("run --bogus program", "'--bogus' is no option of 'run'")]
    [TestCase("run --max-instructions none program", "'none' is no whole number from 1 to 18446744073709551615")]
    [TestCase("run --max-instructions 0 program", "'0' is no whole number")]
    [TestCase("run --memory 1 program", "'1' is no whole number from 2 to 65536")]
    [TestCase("run --sensitive maybe program", "Argument 'maybe' not recognized. Must be one of")]
    [TestCase("run --explain main --lockstep program", "--explain and --lockstep exclude each other")]
    [TestCase("--detect run program", "'--detect' stands alone")]
    public void Wrong_usage_answers_2(string line, string expected) => AssertRefused(ToolRun.Of(line.Split(' ')), 2, expected);

    [TestCase("no-such-file", "The program can't be read")]
    [TestCase(".", "can't be run: it is a folder.")]
    [TestCase("PvPatch.dll", "it is no ELF file")]
    public void A_file_that_cannot_be_run_answers_3(string file, string expected) =>
        AssertRefused(ToolRun.Of("run", Path.Combine(AppContext.BaseDirectory, file)), 3, expected);

    [TestCase("sum", "'sum' is neither a symbol of ")]
    [TestCase("0x40zz", "'0x40zz' is neither a symbol of ")]
    [TestCase("0x10000", "0x10000 is not in the code of ")]
    [TestCase("40007d", "0x40007d was not executed: the program was stopped after 5 instructions.")]
    public void An_address_that_cannot_be_explained_answers_3(string address, string expected)
    {
        ToolRun run = ToolRun.Of("run", "--max-instructions", "5", "--explain", address, Program([.. Spin, 0x90, 0x90, 0x90, .. Exit42]));
        Assert.That((run.Code, run.Out), Is.EqualTo((3, "")));
        Assert.That(run.Error, Does.Contain(expected));
    }

    [Test]
    public void An_address_that_the_program_ends_before_answers_3() =>
        AssertRefused(ToolRun.Of("run", "--explain", "400084", Program([.. Exit42, 0x90])), 3, "0x400084 was not executed: the program ended with status 42 after 3 instructions.");

    [Test]
    public void A_symbol_is_an_address()
    {
        ToolRun run = ToolRun.Of("run", "--explain", "start", ProgramWithSymbol(Exit42, "start", 0x400078));
        Assert.That((run.Code, run.Error), Is.EqualTo((0, "")));
        Assert.That(run.Out, Does.StartWith("0x400078 is translated in a region of ").And.Contain("> 0x400078  bf 2a 00 00 00 ").And.Contain("Machine code of the region"));
    }

    /// <summary>The bytes of the documented program stand in its listing; what the command says of them and what it calls stands there too.</summary>
    [TestCase("patched")]
    [TestCase("indirect")]
    public void The_document_shows_what_the_command_says(string binding)
    {
        string document = File.ReadAllText(ToolRun.Repository("docs/emulator.md")).ReplaceLineEndings("\n");
        // mov ecx, 1000 stands before what is shown
        byte[] code = [0xb9, 0xe8, 3, 0, 0, .. document.Split('\n').Where(line => line.Length > BytesEnd && line[1..].StartsWith(" 0x4000", StringComparison.Ordinal) && line[BytesStart - 1] == ' ')
            .SelectMany(line => Convert.FromHexString(line[BytesStart..BytesEnd].Replace(" ", "", StringComparison.Ordinal)))];
        Assert.That(document, Does.Contain("PvPatch run --explain 40007d ./clock"));
        ToolRun run = ToolRun.Of("run", "--sensitive", binding, "--explain", "40007d", Program(code));
        Assert.That((run.Code, run.Error), Is.EqualTo((0, "")));
        Assert.That(document, Does.Contain(run.Out[..run.Out.IndexOf("\n2. ", StringComparison.Ordinal)]), "bytes");
        string[] lines = [.. run.Out.Split('\n').Select(line => line.Trim())];
        string[] calls = [.. lines.Where(IsCallOfIl), lines.Single(line => line.Contains("cpu.read_tsc", StringComparison.Ordinal))];
        string[] documented = [.. document.Split('\n').Select(line => line.Trim()).Where(calls.Contains)];
        Assert.That(documented, binding == "patched" ? Is.EqualTo(calls) : Is.Not.EqualTo(calls));
    }

    /// <summary>Machine code has no name with a capital behind <c>call</c>.</summary>
    private static bool IsCallOfIl(string line) =>
        line.StartsWith("calli", StringComparison.Ordinal) || (line is ['c', 'a', 'l', 'l', ' ', var first, ..] && char.IsAsciiLetterUpper(first));

    [Test]
    public void Figures_show_how_sensitive_ops_are_called()
    {
        // 1000 times RDTSC
        byte[] clock = [0xb9, 0xe8, 3, 0, 0, 0x0f, 0x31, 0xff, 0xc9, 0x75, 0xfa, .. Exit42];
        Assert.That(ToolRun.Of("run", "--tier", "1", "--stats", Program(clock)).Error, Does.Contain("PvPatch: cpu.read_tsc in 1 places: call UserCpu.ReadTsc"));
        Assert.That(ToolRun.Of("run", "--tier", "1", "--sensitive", "indirect", "--stats", Program(clock)).Error, Does.Contain("PvPatch: cpu.read_tsc in 1 places: indirect: left indirect, as asked"));
    }

    [Test]
    public void The_exit_status_is_the_programs() => Assert.That(ToolRun.Of("run", Program(Exit42)), Is.EqualTo(new ToolRun(42, "", "")));

    [TestCase("--help")]
    [TestCase("--trace")]
    [TestCase("-- xyz")]
    [TestCase("--log-file=x")]
    public void What_follows_the_program_belongs_to_it(string argument)
    {
        ToolRun run = ToolRun.Of("run", Program(FirstArgument), argument);
        Assert.That((run.Code, run.Out, run.Error), Is.EqualTo((42, argument[..6], "")));
    }

    [Test]
    public void Our_own_options_stand_before_the_program()
    {
        ToolRun run = ToolRun.Of("run", "--memory", "16", "--trace", "--stats", Program(Exit42));
        Assert.That((run.Code, run.Out), Is.EqualTo((42, "")));
        Assert.That(run.Error, Does.Contain("mov edi").And.Contain("syscall").And.Contain("PvPatch: 3 instructions in ").And.Contain("MIPS"));
    }

    [TestCase]
    [TestCase("--stats")]
    public void The_plain_form_answers_as_the_whole_command_line_does(params string[] options)
    {
        string[] rest = [Program(FirstArgument), "--help", "-x"];
        RunOptions? plain = RunOptions.FromPlainForm(["run", .. options, .. rest]);
        Assert.That((plain?.Program, plain?.Stats), Is.EqualTo((rest[0], options.Length > 0)));
        Assert.That(plain!.Arguments, Is.EqualTo(rest[1..]));
        ToolRun whole = ToolRun.Of(["--log-level", "fatal", "run", .. options, .. rest]);
        Assert.That(ToolRun.Of(["run", .. options, .. rest]) is { Code: 42, Out: "--help" } run && (options.Length > 0 || run == whole), Is.True);
    }

    [TestCase("run")]
    [TestCase("run", "")]
    [TestCase("run", "--trace", "program")]
    [TestCase("run", "--stats", "--stats", "program")]
    [TestCase("run", "--", "program")]
    [TestCase("--log-level", "fatal", "run", "program")]
    public void Other_forms_are_left_to_the_command_line(params string[] args) => Assert.That(RunOptions.FromPlainForm(args), Is.Null);

    [Test]
    public void A_fault_is_a_sentence_with_the_registers()
    {
        ToolRun run = ToolRun.Of("run", Program(Undefined));
        Assert.That((run.Code, run.Out), Is.EqualTo((132, "")));
        Assert.That(run.Error, Does.StartWith("PvPatch: The program ended by signal 4, SIGILL: ").And.Contain("at RIP 0x400078: ud2").And.Contain("r15="));
    }

    [Test]
    public void An_endless_loop_ends_at_the_limit()
    {
        ToolRun run = ToolRun.Of("run", "--max-instructions", "5000000", Program(Spin));
        Assert.That((run.Code, run.Out), Is.EqualTo((124, "")));
        CommandLineTests.AssertOneSentence(run.Error);
        Assert.That(run.Error, Does.Contain("after 5000000 instructions"));
    }

    [Test]
    public void A_call_that_is_not_there_is_named_in_the_log()
    {
        ToolRun run = ToolRun.Of("run", "--log-level", "warning", Program(UnknownCall));
        Assert.That((run.Code, run.Out), Is.EqualTo((42, "")));
        Assert.That(run.Error, Does.Contain("System call 999 is not there: ENOSYS"));
    }

    [Test]
    public void Interrupting_an_endless_loop_ends_it_in_order()
    {
        if (OperatingSystem.IsWindows())
            Assert.Ignore("Windows has no SIGINT to send to a single process.");
        ToolRun run = ToolRun.OfShell($"$TOOL run --stats '{Program(Spin)}' & sleep 3; kill -TERM $!; wait $!");
        Assert.That((run.Code, run.Out), Is.EqualTo((143, "")));
        Assert.That(run.Error, Does.Contain("by signal 15").And.Contain("MIPS"));
    }

    [TestCase("echo hello --help")]
    [TestCase("cat /etc/passwd")]
    [TestCase("sha256sum /etc/passwd")]
    [TestCase("ls -la /etc")]
    [TestCase("false")]
    public void Busybox_does_as_it_does_natively(string arguments)
    {
        const string Busybox = "/bin/busybox";
        if (!File.Exists(Busybox) || !OperatingSystem.IsLinux())
            Assert.Ignore($"{Busybox} (Debian: busybox-static) is not here.");
        string[] words = arguments.Split(' ');
        var start = new ProcessStartInfo(Busybox, words) { RedirectStandardOutput = true, UseShellExecute = false };
        using Process native = Process.Start(start)!;
        string expected = native.StandardOutput.ReadToEnd();
        native.WaitForExit();
        ToolRun run = ToolRun.Of(["run", Busybox, .. words]);
        if (run.Error.Contains("is linked dynamically", StringComparison.Ordinal))
            Assert.Ignore($"{Busybox} is linked dynamically here.");
        Assert.That((run.Code, run.Out), Is.EqualTo((native.ExitCode, expected)));
    }

    /// <summary>A file with one segment at 0x400000: headers and code.</summary>
    internal static string Program(byte[] code)
    {
        byte[] file = new byte[120 + code.Length];
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(file);
        ulong size = (ulong)file.Length;
        foreach ((int place, ulong value) in ((int, ulong)[])[
            (16, 2), (18, 62), (20, 1), (24, 0x400078), (32, 64), (52, 64), (54, 56), (56, 1),
            (64, 1), (68, 5), (80, 0x400000), (88, 0x400000), (96, size), (104, size), (112, 0x1000)])
        {
            int width = place is 16 or 18 or 52 or 54 or 56 ? 2 : place is 20 or 64 or 68 ? 4 : 8;
            BitConverter.GetBytes(value).AsSpan(0, width).CopyTo(file.AsSpan(place));
        }

        code.CopyTo(file, 120);
        string path = ToolRun.ScratchFile("program");
        File.WriteAllBytes(path, file);
        return path;
    }

    /// <summary>The same with a section header for a symbol table of one symbol.</summary>
    private static string ProgramWithSymbol(byte[] code, string name, ulong address)
    {
        string path = Program(code);
        byte[] file = File.ReadAllBytes(path);
        byte[] symbols = [.. new byte[24], .. BitConverter.GetBytes(1), 0x12, 0, 1, 0, .. BitConverter.GetBytes(address), .. new byte[8]];
        byte[] names = [0, .. Encoding.ASCII.GetBytes(name), 0];
        byte[] sections =
        [
            .. Section(0, 0, 0, 0),
            .. Section(2, file.Length, symbols.Length, link: 2),
            .. Section(3, file.Length + symbols.Length, names.Length, 0),
        ];
        BitConverter.GetBytes((long)(file.Length + symbols.Length + names.Length)).CopyTo(file, 40);
        BitConverter.GetBytes((short)64).CopyTo(file, 58);
        BitConverter.GetBytes((short)3).CopyTo(file, 60);
        File.WriteAllBytes(path, [.. file, .. symbols, .. names, .. sections]);
        return path;

        static byte[] Section(int type, int offset, int size, int link) =>
            [.. new byte[4], .. BitConverter.GetBytes(type), .. new byte[16], .. BitConverter.GetBytes((long)offset), .. BitConverter.GetBytes((long)size), .. BitConverter.GetBytes(link), .. new byte[20]];
    }

    private static void AssertRefused(ToolRun run, int code, string expected)
    {
        Assert.That((run.Code, run.Out), Is.EqualTo((code, "")));
        CommandLineTests.AssertOneSentence(run.Error);
        Assert.That(run.Error, Does.Contain(expected));
    }
}
