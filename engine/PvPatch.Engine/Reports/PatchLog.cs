namespace PvPatch.Engine.Reports;

/// <summary>
/// How much an event matters. The numbers are those of Serilog's <c>LogEventLevel</c> and of Microsoft.Extensions.Logging's
/// <c>LogLevel</c>, so that a cast is right for both.
/// </summary>
public enum PatchLogLevel
{
    /// <summary>What became of a single site.</summary>
    Debug = 1,

    /// <summary>An assembly was patched or restored, or an op was switched to another target.</summary>
    Information = 2,

    /// <summary>An assembly cannot be patched. The program runs on, through its slots.</summary>
    Warning = 3,
}

/// <summary>
/// Takes what the engine tells while it works, for any structured log. It is called on the thread that patches, which may be
/// one that loads an assembly, never under a lock of the engine. What it throws is dropped: a log changes nothing.
/// </summary>
/// <param name="level">How much it matters.</param>
/// <param name="template">A message template (messagetemplates.org): a sentence with named holes, <c>{Assembly} is restored</c>.</param>
/// <param name="arguments">What goes into the holes, in their order: strings, numbers and enumerations.</param>
public delegate void PatchLog(PatchLogLevel level, string template, params object?[] arguments);
