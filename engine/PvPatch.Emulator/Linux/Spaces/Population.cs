namespace PvPatch.Emulator.Linux.Spaces;

/// <summary>What became of an access to a page that had no frame, or not the right to it.</summary>
internal enum Population
{
    /// <summary>The page is there now: the access can be made.</summary>
    Done,

    /// <summary>Nothing is mapped at the address.</summary>
    NotMapped,

    /// <summary>The page's rights forbid the access.</summary>
    Forbidden,

    /// <summary>No frame is left.</summary>
    NoMemory,
}
