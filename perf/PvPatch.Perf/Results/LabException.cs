namespace PvPatch.Perf.Results;

/// <summary>What the lab can refuse.</summary>
public enum LabError
{
    /// <summary>No benchmark has such a name.</summary>
    UnknownBenchmark,

    /// <summary>A file is missing, unreadable, or not what it should be.</summary>
    BadFile,

    /// <summary>An assembly has no benchmarks, or one that cannot be measured.</summary>
    BadAssembly,

    /// <summary>A result file was written by another version of the lab.</summary>
    OtherSchema,

    /// <summary>The process that measures ended before its time.</summary>
    MeasuringFailed,

    /// <summary>The reports cannot be written.</summary>
    NotWritable,
}

/// <summary>What the lab refuses, in one sentence.</summary>
/// <param name="error">Which kind.</param>
/// <param name="sentence">What happened to what.</param>
/// <param name="cause">The exception below it.</param>
public sealed class LabException(LabError error, string sentence, Exception? cause = null) : Exception(sentence, cause)
{
    /// <summary>Which kind.</summary>
    public LabError Error { get; } = error;
}
