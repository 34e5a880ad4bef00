using System.Text.Json.Serialization;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.Reports;

/// <summary>What became of a site.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SiteState>))]
public enum SiteState
{
    /// <summary>The call is rewritten.</summary>
    Patched,

    /// <summary>The call is rewritten where it is compiled anew; code compiled earlier still goes through the slot.</summary>
    Deferred,

    /// <summary>The call goes through its slot, or the slot's value is used for something else than a call.</summary>
    Left,
}

/// <summary>How the new IL got in.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PatchWay>))]
public enum PatchWay
{
    /// <summary>Into the image's bytes, before it was loaded.</summary>
    Image,

    /// <summary>Into the image's bytes, with what the module lacked for it: a reference, a string, or room for longer IL.</summary>
    Metadata,

    /// <summary>Into the image in memory, after it was loaded.</summary>
    InPlace,

    /// <summary>Into a copy that the method's calls are led to, after it was compiled.</summary>
    Late,

    /// <summary>Written so when the program emitted the code.</summary>
    Emitted,
}

/// <summary>One row of a report: a site, or a load of a slot that leads to no proven site.</summary>
public sealed record PatchedSite
{
    /// <summary>The op's name; several joined by "or" where it is not known which.</summary>
    public required string Op { get; init; }

    /// <summary>The op's class.</summary>
    public required PvOpClass Class { get; init; }

    /// <summary>Simple name of the assembly.</summary>
    public required string Module { get; init; }

    /// <summary>Full name of the method.</summary>
    public required string Method { get; init; }

    /// <summary>Metadata token of the method.</summary>
    public required int MethodToken { get; init; }

    /// <summary>Offset of the <c>calli</c>, or of the load of the slot, in bytes from the start of the method's IL.</summary>
    public required int IlOffset { get; init; }

    /// <summary>What the rules chose for the call; <see langword="null"/> where there is no call or it is not known of what.</summary>
    public string? Replacement { get; init; }

    /// <summary>How it was rewritten; <see langword="null"/> where it was not.</summary>
    public PatchWay? Way { get; init; }

    /// <summary>The IL of the site as it was.</summary>
    public required string Before { get; init; }

    /// <summary>The same IL after patching; <see langword="null"/> where it stays.</summary>
    public string? After { get; init; }

    /// <summary>What became of it.</summary>
    public required SiteState State { get; init; }

    /// <summary>Why it is not patched. Where it is, <see langword="null"/>, or that the runtime had undone it for a moment.</summary>
    public string? Reason { get; init; }
}
