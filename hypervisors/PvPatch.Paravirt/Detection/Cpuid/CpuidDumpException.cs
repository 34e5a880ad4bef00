namespace PvPatch.Paravirt.Detection.Cpuid;

/// <summary>The ways in which a text fails to be a CPUID dump.</summary>
public enum CpuidDumpError
{
    /// <summary>A line is neither a CPU's header nor a leaf with its four registers.</summary>
    NotALeaf,

    /// <summary>A leaf and subleaf stand in the dump a second time.</summary>
    LeafTwice,

    /// <summary>There is no leaf at all.</summary>
    NoLeaves,

    /// <summary>Leaf 0 is missing, without which no other leaf can be judged.</summary>
    NoLeafZero,
}

/// <summary>A text is not a CPUID dump.</summary>
/// <param name="error">In which way.</param>
/// <param name="line">The line, counted from 1; for an error of the whole text the last one.</param>
/// <param name="found">What stands in the line, safe to print; empty for an error of the whole text.</param>
public sealed class CpuidDumpException(CpuidDumpError error, int line, string found) : Exception(Sentence(error, line, found))
{
    /// <summary>In which way the text fails.</summary>
    public CpuidDumpError Error { get; } = error;

    /// <summary>The line, counted from 1; for an error of the whole text the last one.</summary>
    public int Line { get; } = line;

    /// <summary>What stands in the line, safe to print; empty for an error of the whole text.</summary>
    public string Found { get; } = found;

    private static string Sentence(CpuidDumpError error, int line, string found) => error switch
    {
        CpuidDumpError.NotALeaf => $"Line {line} is not of the form \"0x00000001 0x00: eax=0x... ebx=0x... ecx=0x... edx=0x...\": \"{found}\".",
        CpuidDumpError.LeafTwice => $"Line {line} gives a leaf a second time: \"{found}\".",
        CpuidDumpError.NoLeaves => "There is no CPUID leaf in it (it should be the output of \"cpuid -r\").",
        _ => "CPUID leaf 0 is missing from it.",
    };
}
