using System.Text.Json.Serialization;

namespace PvPatch.Engine.Diagnosis;

/// <summary>What runs when a method is called, in one word. The worst of what is true is told.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DiagnosisVerdict>))]
public enum DiagnosisVerdict
{
    /// <summary>Calls lead to a body with the original calls: of the method itself, or of one that has inlined it.</summary>
    OldBodyRuns,

    /// <summary>Calls lead to a body that is older than the diagnosis, and what it holds cannot be told.</summary>
    Unknown,

    /// <summary>Calls lead to patched bodies alone; a thread may still be in a loop of an older one.</summary>
    OldLoopMayRun,

    /// <summary>Calls lead to patched bodies alone. An older one exists, which a thread that was in it has left or will leave when it returns.</summary>
    OldBodyRetired,

    /// <summary>No body exists yet. It will be made from the patched IL.</summary>
    NotCompiled,

    /// <summary>Every body that exists was made from the patched IL.</summary>
    Patched,
}

/// <summary>From which IL a body was made.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<BodyIl>))]
public enum BodyIl
{
    /// <summary>The patched one.</summary>
    Patched,

    /// <summary>The one that calls through the slots.</summary>
    Original,

    /// <summary>It cannot be told: the body is older than the diagnosis, or was compiled while the patch was written.</summary>
    Unknown,
}

/// <summary>Who comes to a body.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<BodyUse>))]
public enum BodyUse
{
    /// <summary>Calls lead there, as far as the method's entry tells.</summary>
    Entered,

    /// <summary>Only a thread that is in a loop of it, or of the body it replaced on the stack.</summary>
    Loop,

    /// <summary>Only a thread that was in it when newer code came, until it returns.</summary>
    Retired,
}
