using System.Diagnostics;
using PvPatch.Engine.PatchedCalls.InPlace;

namespace PvPatch.Engine.Tests.PatchedCalls.InPlace;

/// <summary>What shows only in a process of its own, or after many rounds.</summary>
internal sealed class EnduranceTests
{
    private static readonly string CallersFile = Path.Combine(AppContext.BaseDirectory, "callers-endurance", "Callers.dll");

    [TestCase("DOTNET_TieredCompilation=1")]
    [TestCase("DOTNET_TieredCompilation=0")]
    [TestCase("DOTNET_TieredPGO=0")]
    [TestCase("DOTNET_TC_QuickJitForLoops=0")]
    [TestCase("DOTNET_ReadyToRun=0")]
    [TestCase("DOTNET_EnableWriteXorExecute=0")]
    [TestCase("DOTNET_gcServer=1")]
    [CancelAfter(Patience.Milliseconds)]
    public async Task The_whole_program_runs_right_under_the_setting(string setting, CancellationToken cancel)
    {
        (int exitCode, string output) = await ChildProcess.RunAsync(["in-place"], [setting], cancel);
        TestContext.Out.WriteLine(output);
        Assert.That(exitCode, Is.Zero, output);
    }

    [TestCaseSource(typeof(LoadedProgram), nameof(LoadedProgram.Loadings))]
    [CancelAfter(Patience.Milliseconds)]
    public async Task Ten_thousand_times_applied_and_restored_the_memory_is_flat(Loading loading, CancellationToken cancel)
    {
        (int exitCode, string output) = await ChildProcess.RunAsync(["endurance", loading.ToString()], [], cancel);
        TestContext.Out.WriteLine(output);
        Assert.That(exitCode, Is.Zero, output);
    }

    /// <summary>Applies and restores without end, as a process of its own.</summary>
    /// <returns>0 if every round patched the site and the memory stayed flat.</returns>
    public static int ApplyAndRestore(Loading loading)
    {
        const int WarmUp = 500, Rounds = 10_000;
        CallersImage.Write(FixtureProgram.Names[1], CallersFile);
        var program = LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream);
        var callers = LoadedProgram.Load(CallersFile, loading, program.Context);
        var options = new ApplyOptions { Assemblies = a => a == callers, WatchLoads = false };
        (long managed, long resident, int regions) before = default;
        var clock = new Stopwatch();
        for (int round = 0; round < WarmUp + Rounds; round++)
        {
            if (round == WarmUp)
            {
                before = Memory();
                clock.Start();
            }

            LivePatch patch = Patcher.Apply(program.Table, options);
            if (patch.Report.Totals.Patched != 1)
                return 1;
            patch.Restore();
        }

        clock.Stop();
        (long managed, long resident, int regions) after = Memory();
        Console.WriteLine($"{Rounds} rounds, {clock.Elapsed.TotalMicroseconds / Rounds:F0} us each; managed {before.managed} -> {after.managed} B, "
            + $"resident {before.resident} -> {after.resident} kB, mapped regions {before.regions} -> {after.regions}");
        bool isFlat = after.managed - before.managed < 1_000_000 && after.resident - before.resident < 40_000 && after.regions - before.regions < 50;
        return isFlat ? 0 : 1;
    }

    /// <summary>Bytes of live objects, resident kilobytes, number of mapped regions.</summary>
    private static (long Managed, long Resident, int Regions) Memory()
    {
        long managed = GC.GetTotalMemory(forceFullCollection: true);
        string resident = File.ReadLines("/proc/self/status").Single(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return (managed, long.Parse(resident["VmRSS:".Length..^"kB".Length]), File.ReadLines("/proc/self/maps").Count());
    }
}
