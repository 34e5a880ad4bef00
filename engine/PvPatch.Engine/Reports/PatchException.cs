namespace PvPatch.Engine.Reports;

/// <summary>A table, an image or a patch was refused. The message is one sentence; the evidence is in the properties.</summary>
public sealed class PatchException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="error">Which way it failed.</param>
    /// <param name="message">What happened to whom, in one sentence.</param>
    /// <param name="inner">What was caught, if anything.</param>
    internal PatchException(PatchError error, string message, Exception? inner = null)
        : base(message, inner) => Error = error;

    /// <summary>Which way it failed.</summary>
    public PatchError Error { get; }

    /// <summary>The op's name, where one is concerned.</summary>
    public string? Op { get; internal init; }

    /// <summary>The method's full name, where one is concerned.</summary>
    public string? Method { get; internal init; }

    /// <summary>Offset in the method's IL in bytes, where one is concerned.</summary>
    public int? Offset { get; internal init; }

    /// <summary>The IL concerned, as text.</summary>
    public string? Il { get; internal init; }
}
