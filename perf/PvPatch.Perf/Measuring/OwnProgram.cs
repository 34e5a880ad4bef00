using System.Diagnostics;
using System.Reflection;

namespace PvPatch.Perf.Measuring;

/// <summary>This program once more: its own executable, or the runtime's with this program's assembly.</summary>
internal static class OwnProgram
{
    /// <summary>
    /// Tiers and profiles as every .NET program has them by default. The delay before methods are counted only says when they
    /// are compiled anew, not how.
    /// </summary>
    private static readonly KeyValuePair<string, string>[] MeasuringSettings =
    [
        new("DOTNET_TieredCompilation", "1"), new("DOTNET_TieredPGO", "1"), new("DOTNET_TC_QuickJit", "1"),
        new("DOTNET_TC_QuickJitForLoops", "1"), new("DOTNET_TC_CallCountingDelayMs", "0"), new("DOTNET_ReadyToRun", "1"),
    ];

    /// <summary>Whether it is the command, which can run programs.</summary>
    public static bool IsPvPatch { get; } = Assembly.GetEntryAssembly()?.GetName().Name == "PvPatch";

    /// <summary>How it is started, without arguments.</summary>
    public static IReadOnlyList<string> Command { get; } = Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet"
        ? [Environment.ProcessPath!, Assembly.GetEntryAssembly()!.Location]
        : [Environment.ProcessPath!];

    /// <summary>Gives a process that measures the runtime's usual settings, whatever those of this one are.</summary>
    public static void Set(ProcessStartInfo measuring)
    {
        foreach ((string name, string value) in MeasuringSettings)
            measuring.Environment[name] = value;
    }

    /// <summary>Takes those settings from a process that is measured itself.</summary>
    public static void Unset(ProcessStartInfo measured)
    {
        foreach ((string name, string _) in MeasuringSettings)
            measured.Environment.Remove(name);
    }
}
