namespace PvPatch.Emulator.Linux.Spaces;

/// <summary>Pages that follow each other and have the same rights.</summary>
/// <param name="Start">The first address.</param>
/// <param name="End">The address behind the last one.</param>
/// <param name="Protection">The rights.</param>
/// <param name="Shared">Processes that come from this one by fork(2) see the same bytes.</param>
internal sealed record Region(ulong Start, ulong End, Protection Protection, bool Shared = false)
{
    /// <summary>Whether two regions differ in their addresses alone.</summary>
    public bool IsLike(Region other) => Protection == other.Protection && Shared == other.Shared;
}
