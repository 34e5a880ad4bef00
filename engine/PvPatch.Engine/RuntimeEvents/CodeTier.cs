using System.Text.Json.Serialization;

namespace PvPatch.Engine.RuntimeEvents;

/// <summary>
/// How far the runtime optimised a body of code (dotnet/runtime, src/coreclr/vm/eventtrace.h, <c>NativeCodeVersion</c>'s optimisation tier, and
/// src/coreclr/vm/ClrEtwAll.man, bits 7 to 9 of a loaded method's flags). The numbers are the runtime's.
/// </summary>
[JsonConverter(typeof(JsonStringEnumConverter<CodeTier>))]
public enum CodeTier
{
    /// <summary>It was not told: the body is older than the diagnosis.</summary>
    Unknown = 0,

    /// <summary>Compiled once for all without optimisation, as code of Debug builds is.</summary>
    MinOpts = 1,

    /// <summary>Compiled once for all with full optimisation: <c>AggressiveOptimization</c>, <c>TieredCompilation=0</c>, emitted methods.</summary>
    FullOpts = 2,

    /// <summary>Compiled quickly at the first call, to be replaced if it runs often.</summary>
    Tier0 = 3,

    /// <summary>Optimised, after many calls.</summary>
    Tier1 = 4,

    /// <summary>Optimised for a loop that a body of the first tier is in (on-stack replacement). Calls never begin in it.</summary>
    Osr = 5,

    /// <summary>As <see cref="Tier0"/>, with counters for the optimiser.</summary>
    InstrumentedTier0 = 6,

    /// <summary>Optimised, with counters: what follows precompiled code.</summary>
    InstrumentedTier1 = 7,

    /// <summary>Compiled when the assembly was published.</summary>
    ReadyToRun = 8,
}
