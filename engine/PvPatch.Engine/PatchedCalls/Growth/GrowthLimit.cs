namespace PvPatch.Engine.PatchedCalls.Growth;

/// <summary>How far a method may change where its sites are patched.</summary>
internal enum GrowthLimit
{
    /// <summary>Not in size, and only tokens that its module has already: bytes are overwritten.</summary>
    SameSize,

    /// <summary>It may grow, and name what its module can be made to name: metadata is added.</summary>
    Named,

    /// <summary>It may grow and name everything: a copy that skips the check of visibility.</summary>
    Anything,
}
