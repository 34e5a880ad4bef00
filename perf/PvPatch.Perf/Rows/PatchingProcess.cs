using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using PvPatch.Engine;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.Reports;
using PvPatch.Perf.Measuring;
using PvPatch.Perf.Yardsticks;

namespace PvPatch.Perf.Rows;

/// <summary>A process that patches one assembly once and tells the CPU time of that.</summary>
internal static class PatchingProcess
{
    /// <summary>How its command line begins, behind <see cref="Lab.ProcessWord"/>.</summary>
    public const string Word = "patch";

    /// <summary>The ways.</summary>
    public const string Image = "image", InPlace = "in-place", Late = "late";

    /// <summary>Starts one and waits.</summary>
    /// <param name="way">How it patches.</param>
    /// <param name="file">A <see cref="PatchableImage"/>'s file.</param>
    /// <param name="sites">How many sites that has.</param>
    /// <returns>Nanoseconds of CPU time from the first use of the engine's patching to the end of it.</returns>
    /// <exception cref="PlatformNotSupportedException">This program is not the one that can be such a process.</exception>
    public static double Start(string way, string file, int sites) => OwnProgram.IsPvPatch
        ? double.Parse(ChildProcess.RunWell([.. OwnProgram.Command, Lab.ProcessWord, Word, way, file, sites.ToString(CultureInfo.InvariantCulture)]).Output, CultureInfo.InvariantCulture)
        : throw new PlatformNotSupportedException("Only 'PvPatch lab' starts the processes that are measured here.");

    /// <summary>Is such a process.</summary>
    public static void Run(string way, string file, int sites)
    {
        using var loaded = ImageSet.LoadUnpatched([file]);
        Assembly copy = loaded[SitesImage.Name];
        PvOpTable table = PatchableImage.Fill(copy);
        if (way == Late)
            Compile(copy);
        double start = CpuClock.Nanoseconds();
        PatchReport report = way == Image ? Plan(table, file) : Apply(table, copy, redirectCompiled: way == Late);
        double time = CpuClock.Nanoseconds() - start;
        PatchableImage.Check(report, sites);
        Console.WriteLine(time.ToString("R", CultureInfo.InvariantCulture));
    }

    private static PatchReport Plan(PvOpTable table, string file)
    {
        PatchPlan plan = Patcher.Plan(table, [file]);
        _ = ImageSet.Load(plan);
        return plan.Report;
    }

    private static PatchReport Apply(PvOpTable table, Assembly copy, bool redirectCompiled) =>
        Patcher.Apply(table, new ApplyOptions { Assemblies = a => a == copy, WatchLoads = false, RedirectCompiled = redirectCompiled }).Report;

    private static void Compile(Assembly copy)
    {
        foreach (MethodInfo method in copy.GetTypes().Where(t => t.Name.StartsWith(SitesImage.Callers, StringComparison.Ordinal)).SelectMany(t => t.GetMethods(BindingFlags.Public | BindingFlags.Static)))
            RuntimeHelpers.PrepareMethod(method.MethodHandle);
    }
}
