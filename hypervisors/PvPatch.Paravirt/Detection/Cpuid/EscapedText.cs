using System.Globalization;
using System.Text;

namespace PvPatch.Paravirt.Detection.Cpuid;

/// <summary>Bytes and strings from outside made safe to print: no control characters reach a terminal.</summary>
public static class EscapedText
{
    /// <summary>Printable ASCII as it is, a backslash doubled, every other byte as <c>\xNN</c>.</summary>
    /// <param name="bytes">The bytes.</param>
    public static string From(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (byte b in bytes)
            Append(text, (char)b);
        return text.ToString();
    }

    /// <summary>Printable ASCII as it is, a backslash doubled, every other character as <c>\xNN</c> or <c>\uNNNN</c>.</summary>
    /// <param name="characters">The characters.</param>
    /// <param name="limit">How many of them at most; an ellipsis stands for the rest.</param>
    public static string From(ReadOnlySpan<char> characters, int limit)
    {
        var text = new StringBuilder(Math.Min(characters.Length, limit));
        foreach (char c in characters[..Math.Min(characters.Length, limit)])
            Append(text, c);
        return characters.Length > limit ? text.Append("...").ToString() : text.ToString();
    }

    private static void Append(StringBuilder text, char c)
    {
        if (c == '\\')
            text.Append(@"\\");
        else if (c is >= ' ' and <= '~')
            text.Append(c);
        else if (c <= 0xff)
            text.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}");
        else
            text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
    }
}
