namespace PvPatch.Emulator.Snapshots;

/// <summary>Why a saved machine could not be restored.</summary>
public enum SnapshotError
{
    /// <summary>The stream does not start as a saved machine does.</summary>
    NotASnapshot,

    /// <summary>It was saved in another version of the format.</summary>
    OtherVersion,

    /// <summary>The stream ends too early.</summary>
    Truncated,

    /// <summary>It is not what was saved.</summary>
    Damaged,

    /// <summary>It was saved by a machine that is built otherwise.</summary>
    OtherMachine,

    /// <summary>The machine that saves or restores runs a C# guest, whose state is on host stacks.</summary>
    ManagedGuest,
}

/// <summary>A saved machine could not be restored; the machine is as it was before.</summary>
/// <param name="error">Why.</param>
/// <param name="detail">What exactly.</param>
/// <param name="inner">What the host said of it.</param>
public sealed class SnapshotException(SnapshotError error, string detail, Exception? inner = null) : Exception(Sentence(error, detail), inner)
{
    /// <summary>Why.</summary>
    public SnapshotError Error { get; } = error;

    private static string Sentence(SnapshotError error, string detail) => error switch
    {
        SnapshotError.NotASnapshot => $"The stream is no saved machine: {detail}.",
        SnapshotError.OtherVersion => $"The machine was saved in another version of the format: {detail}.",
        SnapshotError.Truncated => $"The saved machine is truncated: {detail}.",
        SnapshotError.Damaged => $"The saved machine is damaged: {detail}.",
        SnapshotError.OtherMachine => $"The saved machine is built otherwise: {detail}.",
        _ => $"A machine with a C# guest cannot be saved or restored: {detail}.",
    };
}
