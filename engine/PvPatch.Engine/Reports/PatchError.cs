namespace PvPatch.Engine.Reports;

/// <summary>Every way in which tables, images and patches can be refused, one word each.</summary>
public enum PatchError
{
    /// <summary>The root classes hold no slot.</summary>
    NoOps,

    /// <summary>Two slots, or two entries of one installation, have the same op name.</summary>
    DuplicateOp,

    /// <summary>An op is declared on a field that can be no slot: no function pointer, no static root, no name or no class.</summary>
    NotASlot,

    /// <summary>A slot stands where it is not one fixed place: in an object that can be replaced, per thread, read-only, generic, over another slot.</summary>
    UnsupportedRoot,

    /// <summary>A slot's signature cannot cross an unmanaged call as it is.</summary>
    UnsupportedSignature,

    /// <summary>The table has no op of that name.</summary>
    UnknownOp,

    /// <summary>The target does not fit the slot's signature.</summary>
    TargetMismatch,

    /// <summary>The table was sealed; its slots no longer change.</summary>
    Sealed,

    /// <summary>No installation is left to undo.</summary>
    NothingToRestore,

    /// <summary>The image file is not there or cannot be read.</summary>
    FileUnreadable,

    /// <summary>The file is not a portable executable.</summary>
    NotAnImage,

    /// <summary>The portable executable holds no managed code.</summary>
    NotManaged,

    /// <summary>The image holds native code of its own beside IL.</summary>
    MixedMode,

    /// <summary>The image's headers or metadata contradict themselves: truncated or damaged.</summary>
    BadImage,

    /// <summary>A method's IL cannot be decoded or breaks the rules of the evaluation stack.</summary>
    BadIl,

    /// <summary>Two images of one set have the same assembly name.</summary>
    DuplicateImage,

    /// <summary>The set has no image of that assembly name.</summary>
    UnknownImage,

    /// <summary>A loaded method does not hold the IL that the plan wrote.</summary>
    NotAsPlanned,

    /// <summary>The assembly has no image: it was made in this process.</summary>
    NoImage,

    /// <summary>The image in memory is shared with a copy of the assembly in another load context, whose slots are others.</summary>
    SharedImage,

    /// <summary>The image is mapped as code, and the system refused a changed copy of its pages that can be executed.</summary>
    ExecutableImage,

    /// <summary>The system refused to change the image's pages.</summary>
    PagesRefused,

    /// <summary>Images in memory cannot be patched on this operating system.</summary>
    UnsupportedPlatform,

    /// <summary>The patch was not applied to be switchable: direct calls of its targets may be in code that nobody can name.</summary>
    NotSwitchable,
}
