namespace PvPatch.Oracle;

/// <summary>What a run of the <see cref="Fuzzer"/> does.</summary>
public sealed record FuzzOptions
{
    /// <summary>Where the random choices start: the same seed gives the same cases.</summary>
    public required int Seed { get; init; }

    /// <summary>How many cases; null for no end.</summary>
    public long? Cases { get; init; }

    /// <summary>How long; null for no end.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>How many of a hundred cases are sequences of instructions; the others are single ones.</summary>
    public int SequencePercent { get; init; } = 3;

    /// <summary>Only forms whose name, as Iced has it, starts so.</summary>
    public string Only { get; init; } = string.Empty;

    /// <summary>The run ends after this many forms or sequences that differ.</summary>
    public int MostDifferences { get; init; } = 20;
}
