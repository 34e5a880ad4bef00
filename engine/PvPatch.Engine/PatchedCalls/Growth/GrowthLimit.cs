namespace PvPatch.Engine.PatchedCalls.Growth;

/// <summary>How far a method may change where its sites are patched.</summary>
internal enum GrowthLimit
{
    /// <summary>Not in size, and only tokens that its module has already: bytes are overwritten.</summary>
    SameSize,

    /// <summary>It may grow and use new tokens, of members that it may name: metadata is rewritten.</summary>
    Visible,

    /// <summary>As <see cref="Visible"/>, and it may name everything: a copy that skips the check of visibility.</summary>
    Anything,
}
