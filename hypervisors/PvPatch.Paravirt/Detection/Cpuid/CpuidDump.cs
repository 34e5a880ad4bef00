using System.Globalization;
using PvPatch.Emulator.State;

namespace PvPatch.Paravirt.Detection.Cpuid;

/// <summary>
/// A processor recorded in the form <c>cpuid -r</c> prints: a line <c>CPU 0:</c> (or <c>CPU:</c>), then a line
/// <c>0x00000001 0x00: eax=0x... ebx=0x... ecx=0x... edx=0x...</c> for every leaf and subleaf. Only the first CPU is
/// read. Empty lines and lines that begin with <c>#</c> are skipped.
/// </summary>
public sealed class CpuidDump : ICpuidSource
{
    /// <summary>The largest dump that is read, in characters; one of 512 CPUs has about 6 million.</summary>
    public const int LargestText = 16 * 1024 * 1024;

    private readonly Dictionary<(uint Leaf, uint Subleaf), CpuidRegisters> _leaves;

    private CpuidDump(Dictionary<(uint Leaf, uint Subleaf), CpuidRegisters> leaves) => _leaves = leaves;

    /// <summary>Reads a dump.</summary>
    /// <param name="text">The whole text.</param>
    /// <exception cref="CpuidDumpException">The text is not such a dump; the exception says which line and why.</exception>
    public static CpuidDump Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var leaves = new Dictionary<(uint Leaf, uint Subleaf), CpuidRegisters>();
        bool insideCpu = false;
        int number = 0;
        foreach (ReadOnlySpan<char> raw in text.AsSpan().EnumerateLines())
        {
            number++;
            ReadOnlySpan<char> line = raw.Trim();
            if (line.IsEmpty || line[0] == '#')
                continue;

            if (IsCpuHeader(line))
            {
                if (insideCpu)
                    break;
                insideCpu = true;
                continue;
            }

            if (!TryParseLeaf(line, out (uint, uint) key, out CpuidRegisters registers))
                throw new CpuidDumpException(CpuidDumpError.NotALeaf, number, EscapedText.From(line, limit: 100));
            if (!leaves.TryAdd(key, registers))
                throw new CpuidDumpException(CpuidDumpError.LeafTwice, number, EscapedText.From(line, limit: 100));
            insideCpu = true;
        }

        if (leaves.Count == 0)
            throw new CpuidDumpException(CpuidDumpError.NoLeaves, number, "");
        if (!leaves.ContainsKey((0, 0)))
            throw new CpuidDumpException(CpuidDumpError.NoLeafZero, number, "");
        return new CpuidDump(leaves);
    }

    /// <inheritdoc/>
    public CpuidRegisters Read(uint leaf, uint subleaf) =>
        _leaves.TryGetValue((leaf, subleaf), out CpuidRegisters exact) ? exact
        : _leaves.TryGetValue((leaf, 0), out CpuidRegisters first) && !_leaves.ContainsKey((leaf, 1)) ? first // a leaf without subleaves ignores ECX
        : default;

    private static bool IsCpuHeader(ReadOnlySpan<char> line)
    {
        if (!line.StartsWith("CPU") || line[^1] != ':')
            return false;
        ReadOnlySpan<char> between = line["CPU".Length..^1].Trim();
        return between.IsEmpty || uint.TryParse(between, NumberStyles.None, CultureInfo.InvariantCulture, out _);
    }

    private static bool TryParseLeaf(ReadOnlySpan<char> line, out (uint Leaf, uint Subleaf) key, out CpuidRegisters registers)
    {
        key = default;
        registers = default;
        if (!TryTakeNumber(ref line, "", out uint leaf)
            || !TryTakeNumber(ref line, "", out uint subleaf)
            || !TryTake(ref line, ":")
            || !TryTakeNumber(ref line, "eax=", out uint eax)
            || !TryTakeNumber(ref line, "ebx=", out uint ebx)
            || !TryTakeNumber(ref line, "ecx=", out uint ecx)
            || !TryTakeNumber(ref line, "edx=", out uint edx)
            || !line.IsEmpty)
            return false;

        key = (leaf, subleaf);
        registers = new CpuidRegisters(eax, ebx, ecx, edx);
        return true;
    }

    private static bool TryTake(ref ReadOnlySpan<char> line, ReadOnlySpan<char> word)
    {
        if (!line.StartsWith(word, StringComparison.Ordinal))
            return false;
        line = line[word.Length..].TrimStart();
        return true;
    }

    private static bool TryTakeNumber(ref ReadOnlySpan<char> line, ReadOnlySpan<char> label, out uint value)
    {
        value = 0;
        if (!TryTake(ref line, label) || !line.StartsWith("0x", StringComparison.Ordinal))
            return false;

        ReadOnlySpan<char> rest = line[2..];
        int length = 0;
        while (length < rest.Length && char.IsAsciiHexDigit(rest[length]))
            length++;
        if (!uint.TryParse(rest[..length], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value))
            return false;
        line = rest[length..].TrimStart();
        return true;
    }
}
