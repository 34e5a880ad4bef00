namespace PvPatch.Oracle;

/// <summary>What a run has done so far.</summary>
/// <param name="Instructions">Cases of a single instruction that were compared.</param>
/// <param name="Sequences">Sequences that were compared.</param>
/// <param name="Forms">Forms of instructions that took part.</param>
/// <param name="Skipped">Forms that did not take part, counted by the reason.</param>
/// <param name="Differing">Cases that differed.</param>
/// <param name="Differences">One for each form that differed, and for each sequence.</param>
public sealed record FuzzSummary(
    long Instructions,
    long Sequences,
    int Forms,
    IReadOnlyDictionary<string, int> Skipped,
    long Differing,
    IReadOnlyList<FuzzDifference> Differences)
{
    /// <summary>All cases that were compared.</summary>
    public long Cases => Instructions + Sequences;
}

/// <summary>A case that does one thing on the host and another in the emulator.</summary>
/// <param name="Code">The instructions.</param>
/// <param name="What">What differs, the host's first.</param>
/// <param name="Line">The shrunk case with the host's outcome, as a line of a case file.</param>
public sealed record FuzzDifference(string Code, string What, string Line);
