using System.Globalization;
using System.Text;

namespace PvPatch.Oracle.Cases;

/// <summary>
/// A case as a line of text: code bytes, state, "=>", result. State names only what is not zero, the result only what
/// differs from the state: <c>48F7F1 rax=64 rcx=7 flags=0 => vector=3 rax=e rdx=2</c>. Memory is <c>[address]=bytes</c>, the upper
/// half of YMM0 <c>ymmh0=</c>, the x87 <c>fpu=</c> control word, status word and a tag bit for each register, then <c>st0=</c> and so on.
/// </summary>
internal static class CaseLine
{
    private const string Arrow = "=>";
    private const ushort InitialControl = 0x37f;

    private static readonly string[] Names =
        ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    /// <summary>Writes a case and its result.</summary>
    public static string Format(MachineCase given, MachineCase result)
    {
        var line = new StringBuilder(Convert.ToHexString(given.Code.AsSpan(0, given.Length)));
        var empty = new MachineCase { Rip = given.Rip, Mxcsr = 0x1f80 };
        X87Image.Set(empty.Fpu, InitialControl, 0, 0);
        Append(line, empty, given);
        line.Append(' ').Append(Arrow).Append(CultureInfo.InvariantCulture, $" vector={result.Vector:x}");
        if (result.Vector == 14)
            line.Append(CultureInfo.InvariantCulture, $" error={result.ErrorCode:x} cr2={result.Cr2:x}");
        line.Append(CultureInfo.InvariantCulture, $" rip={result.Rip:x}");
        Append(line, given, result);
        return line.ToString();
    }

    /// <summary>Reads a line.</summary>
    public static (MachineCase Given, MachineCase Result) Parse(string line)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        byte[] code = Convert.FromHexString(words[0]);
        int arrow = Array.IndexOf(words, Arrow);
        if (arrow < 0)
            throw new FormatException($"No result in the case {line}");
        var given = new MachineCase { Rip = CaseLayout.CodeStart, Mxcsr = 0x1f80 };
        X87Image.Set(given.Fpu, InitialControl, 0, 0);
        given.SetCode(code);
        Apply(given, words.AsSpan(1, arrow - 1));
        MachineCase result = given.Clone();
        Apply(result, words.AsSpan(arrow + 1));
        return (given, result);
    }

    private static void Append(StringBuilder line, MachineCase from, MachineCase to)
    {
        for (int i = 0; i < 16; i++)
        {
            if (from.General[i] != to.General[i])
                line.Append(CultureInfo.InvariantCulture, $" {Names[i]}={to.General[i]:x}");
        }

        if (((from.Flags ^ to.Flags) & 0xcd5) != 0)
            line.Append(CultureInfo.InvariantCulture, $" flags={to.Flags & 0xcd5:x}");
        if (from.Mxcsr != to.Mxcsr)
            line.Append(CultureInfo.InvariantCulture, $" mxcsr={to.Mxcsr:x}");
        for (int i = 0; i < 16; i++)
        {
            if (from.Xmm[2 * i] != to.Xmm[2 * i] || from.Xmm[(2 * i) + 1] != to.Xmm[(2 * i) + 1])
                line.Append(CultureInfo.InvariantCulture, $" xmm{i}={to.Xmm[(2 * i) + 1]:x16}{to.Xmm[2 * i]:x16}");
        }

        for (int i = 0; i < 16; i++)
        {
            if (from.YmmHigh[2 * i] != to.YmmHigh[2 * i] || from.YmmHigh[(2 * i) + 1] != to.YmmHigh[(2 * i) + 1])
                line.Append(CultureInfo.InvariantCulture, $" ymmh{i}={to.YmmHigh[(2 * i) + 1]:x16}{to.YmmHigh[2 * i]:x16}");
        }

        AppendX87(line, from.Fpu, to.Fpu);
        for (int window = 0; window < from.Memory.Length; window++)
        {
            byte[] before = from.Memory[window];
            byte[] after = to.Memory[window];
            for (int i = 0; i < after.Length; i++)
            {
                int start = i;
                while (i < after.Length && before[i] != after[i])
                    i++;
                if (i > start)
                    line.Append(CultureInfo.InvariantCulture, $" [{CaseLayout.Windows[window].Address + (ulong)start:x}]={Convert.ToHexString(after.AsSpan(start, i - start))}");
            }
        }
    }

    private static void AppendX87(StringBuilder line, byte[] from, byte[] to)
    {
        if (!from.AsSpan(0, 5).SequenceEqual(to.AsSpan(0, 5)))
            line.Append(CultureInfo.InvariantCulture, $" fpu={X87Image.Control(to):x4}{X87Image.Status(to):x4}{X87Image.Used(to):x2}");
        for (int i = 0; i < 8; i++)
        {
            if (X87Image.High(from, i) != X87Image.High(to, i) || X87Image.Mantissa(from, i) != X87Image.Mantissa(to, i))
                line.Append(CultureInfo.InvariantCulture, $" st{i}={X87Image.High(to, i):x4}{X87Image.Mantissa(to, i):x16}");
        }
    }

    private static void Apply(MachineCase state, ReadOnlySpan<string> words)
    {
        foreach (string word in words)
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            string name = word[..equals];
            string value = word[(equals + 1)..];
            if (name[0] == '[')
                ApplyMemory(state, Number(name[1..^1]), Convert.FromHexString(value));
            else if (name.StartsWith("xmm", StringComparison.Ordinal))
                ApplyVector(state.Xmm, int.Parse(name[3..], CultureInfo.InvariantCulture), value);
            else if (name.StartsWith("ymmh", StringComparison.Ordinal))
                ApplyVector(state.YmmHigh, int.Parse(name[4..], CultureInfo.InvariantCulture), value);
            else if (name.StartsWith("st", StringComparison.Ordinal))
                X87Image.SetRegister(state.Fpu, name[2] - '0', Number(value[4..]), (ushort)Number(value[..4]));
            else if (name == "fpu")
                X87Image.Set(state.Fpu, (ushort)Number(value[..4]), (ushort)Number(value[4..8]), (byte)Number(value[8..]));
            else
                ApplyRegister(state, name, Number(value));
        }
    }

    private static void ApplyRegister(MachineCase state, string name, ulong value)
    {
        switch (name)
        {
            case "flags":
                state.Flags = value;
                break;
            case "mxcsr":
                state.Mxcsr = (uint)value;
                break;
            case "rip":
                state.Rip = value;
                break;
            case "vector":
                state.Vector = (uint)value;
                break;
            case "error":
                state.ErrorCode = (uint)value;
                break;
            case "cr2":
                state.Cr2 = value;
                break;
            default:
                int register = Array.IndexOf(Names, name);
                if (register < 0)
                    throw new FormatException($"A case has no {name}");
                state.General[register] = value;
                break;
        }
    }

    private static void ApplyVector(Span<ulong> words, int register, string value)
    {
        words[(2 * register) + 1] = Number(value[..16]);
        words[2 * register] = Number(value[16..]);
    }

    private static void ApplyMemory(MachineCase state, ulong address, byte[] bytes)
    {
        int window = Array.FindIndex(CaseLayout.Windows, w => address >= w.Address && address < w.Address + (ulong)w.Size);
        bytes.CopyTo(state.Memory[window], (int)(address - CaseLayout.Windows[window].Address));
    }

    private static ulong Number(string digits) => ulong.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
