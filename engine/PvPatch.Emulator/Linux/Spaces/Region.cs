namespace PvPatch.Emulator.Linux.Spaces;

/// <summary>Pages that follow each other and have the same rights.</summary>
/// <param name="Start">The first address.</param>
/// <param name="End">The address behind the last one.</param>
/// <param name="Protection">The rights.</param>
internal readonly record struct Region(ulong Start, ulong End, Protection Protection);
