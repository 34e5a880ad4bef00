using System.Globalization;
using System.Text;
using Iced.Intel;

namespace PvPatch.Emulator.Tests.Firmware;

/// <summary>
/// A system case as a line: mode, level, state that is not zero, code bytes; "=>", the event that ended it, its frame and what
/// changed; behind ";" the instructions, for the reader.
/// <c>Protected32 cpl=3 cr0=20 rax=10 code=8ED8 => #GP(10) rip=b000 cs=23 flags=10002 rsp=77e4 … ; mov ds,eax</c>. Numbers are hexadecimal. Memory is
/// <c>[address]=bytes</c> in the state, double words in the result.
/// </summary>
internal static class SystemCaseText
{
    private static readonly string[] Names =
        ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    private static readonly string[] DataNames = ["ds", "es", "fs", "gs"];

    private static readonly string[] SystemNames =
        ["cr0", "cr2", "cr3", "cr4", "dr6", "dr7", "tr", "ldtr", "fsbase", "gsbase", "kernelgsbase", "efer"];

    private static readonly string[] DebugNames = ["dr0", "dr1", "dr2", "dr3", "dr7"];

    private static readonly string[] Vectors =
    [
        "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "9", "#TS", "#NP", "#SS", "#GP", "#PF", "15", "#MF", "#AC", "#MC", "#XM",
    ];

    /// <summary>A line for a case and its result.</summary>
    public static string Format(SystemCase one, SystemResult result) => $"{FormatCase(one)} => {FormatResult(one, result)} ; {Disassemble(one)}";

    /// <summary>The part before the arrow.</summary>
    public static string FormatCase(SystemCase one)
    {
        var line = new StringBuilder(one.Mode.ToString());
        Append(line, "cpl", (ulong)one.Level);
        Append(line, "flags", one.Flags);
        Append(line, "cr0", one.Cr0);
        Append(line, "cr4", one.Cr4);
        for (int i = 0; i < 16; i++)
            Append(line, Names[i], one.General[i]);
        for (int i = 0; i < 5; i++)
            Append(line, DebugNames[i], one.Debug[i]);
        foreach ((uint place, byte[] bytes) in one.Memory)
            line.Append(CultureInfo.InvariantCulture, $" [{place:x}]={Convert.ToHexString(bytes)}");
        return line.Append(" code=").Append(Convert.ToHexString(one.Code)).ToString();
    }

    /// <summary>The part behind the arrow: only what is not as the case began.</summary>
    public static string FormatResult(SystemCase one, SystemResult result)
    {
        if (result.IsShutdown)
            return "shutdown";
        var line = new StringBuilder();
        line.Append(result.Vector < Vectors.Length ? Vectors[result.Vector] : $"int{result.Vector:x}");
        int first = 0;
        if (result.HasErrorCode)
            line.Append(CultureInfo.InvariantCulture, $"({result.Frame[first++]:x})");
        line.Append(CultureInfo.InvariantCulture, $" rip={result.Frame[first]:x} cs={result.Frame[first + 1] & 0xffff:x} flags={result.Frame[first + 2]:x}");
        for (int i = 0; i < 16; i++)
        {
            if (i == 4 || result.General[i] != one.General[i])
                line.Append(CultureInfo.InvariantCulture, $" {Names[i]}={result.General[i]:x}");
        }

        for (int i = 0; i < 4; i++)
        {
            if (result.Data[i] != SystemLauncher.DataSelector(one))
                line.Append(CultureInfo.InvariantCulture, $" {DataNames[i]}={result.Data[i]:x}");
        }

        ulong[] before = SystemLauncher.System(one);
        for (int i = 0; i < SystemNames.Length; i++)
        {
            if (result.System[i] != before[i])
                line.Append(CultureInfo.InvariantCulture, $" {SystemNames[i]}={result.System[i]:x}");
        }

        foreach ((uint place, uint value) in result.Memory)
            line.Append(CultureInfo.InvariantCulture, $" [{place:x}]={value:x}");
        return line.ToString();
    }

    private static void Append(StringBuilder line, string name, ulong value)
    {
        if (value != 0)
            line.Append(CultureInfo.InvariantCulture, $" {name}={value:x}");
    }

    /// <summary>The code's instructions, as far as they go straight on.</summary>
    private static string Disassemble(SystemCase one)
    {
        int bitness = one.Mode switch
        {
            SystemMode.Long64 => 64,
            SystemMode.Real or SystemMode.Virtual8086 or SystemMode.Protected16 => 16,
            _ => 32,
        };
        var decoder = Iced.Intel.Decoder.Create(bitness, new ByteArrayCodeReader(one.Code), SystemLauncher.StartRip(one.Mode));
        var formatter = new NasmFormatter();
        var output = new StringOutput();
        var text = new StringBuilder();
        while (decoder.IP - SystemLauncher.StartRip(one.Mode) < (ulong)one.Code.Length)
        {
            decoder.Decode(out Instruction instruction);
            formatter.Format(instruction, output);
            text.Append(text.Length > 0 ? " : " : string.Empty).Append(output.ToStringAndReset());
        }

        return text.ToString();
    }

    /// <summary>Reads the part before the arrow.</summary>
    public static SystemCase Parse(string line)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var values = words.Skip(1).Select(word => word.Split('=')).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
        ulong Number(string name) => values.Remove(name, out string? digits) ? ulong.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture) : 0;
        var one = new SystemCase
        {
            Mode = Enum.Parse<SystemMode>(words[0]),
            Level = (int)Number("cpl"),
            Flags = Number("flags"),
            Cr0 = Number("cr0"),
            Cr4 = Number("cr4"),
            Code = values.Remove("code", out string? code) ? Convert.FromHexString(code) : throw new FormatException($"A case has no code: {line}"),
        };
        for (int i = 0; i < 16; i++)
            one.General[i] = Number(Names[i]);
        for (int i = 0; i < 5; i++)
            one.Debug[i] = Number(DebugNames[i]);
        foreach ((string name, string bytes) in values)
        {
            if (name[0] != '[')
                throw new FormatException($"A case has no {name}.");
            one.Memory.Add(uint.Parse(name[1..^1], NumberStyles.HexNumber, CultureInfo.InvariantCulture), Convert.FromHexString(bytes));
        }

        return one;
    }
}
