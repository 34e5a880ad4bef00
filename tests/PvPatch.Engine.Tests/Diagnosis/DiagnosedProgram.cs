using PvPatch.Engine.Diagnosis;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.Tests.PatchedCalls;
using PvPatch.Engine.Tests.PatchedCalls.InPlace;
using PvPatch.Perf.Measuring;

namespace PvPatch.Engine.Tests.Diagnosis;

/// <summary>A fixture that is patched under a diagnosis. It needs a process whose runtime is set for it, and prints the report as text and as JSON, and how many calls each function then makes through slots.</summary>
internal static class DiagnosedProgram
{
    /// <summary>What stands between what is printed.</summary>
    public const string Rule = "----";

    private const string Hot = "PvPatch.Engine.Fixtures.HotPlaces", Flights = "PvPatch.Engine.Fixtures.Flights";

    /// <summary>Patches in a state, and reports.</summary>
    /// <param name="state">What has run when the patch is applied; or a file of the fixture, of which every function is called once.</param>
    /// <returns>0.</returns>
    public static int Run(string state)
    {
        PatchDiagnosis? early = state is "older" ? null : PatchDiagnosis.Start();
        LoadedProgram program = File.Exists(state) ? LoadedProgram.LoadFile(state) : LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream);
        Func<long, long>[] functions = [.. FunctionsOf(program)];
        if (early is null)
            CallUntilQuiet(functions);
        using PatchDiagnosis diagnosis = early ?? PatchDiagnosis.Start();
        DiagnosisReport report = state switch
        {
            "cold" => Cold(program, functions, diagnosis, isHot: true),
            "hot" or "late" => PatchedHot(program, functions, diagnosis, redirects: state is "late"),
            "older" => diagnosis.Report(Apply(program, redirects: false)),
            "restored" => Restored(program, functions, diagnosis),
            "copies" => Copies(program, diagnosis),
            "flight" => InFlight(program, diagnosis),
            "switch" => Switched(program, functions, diagnosis),
            "image" => OfImages(diagnosis),
            _ when File.Exists(state) => Cold(program, functions, diagnosis, isHot: false),
            _ => throw new ArgumentException($"No such state: {state}.", nameof(state)),
        };
        Console.WriteLine(report);
        Console.WriteLine(Rule);
        Console.WriteLine(report.ToJson());
        Console.WriteLine(Rule);
        foreach (Func<long, long> function in functions)
            Console.WriteLine($"{function.Method.DeclaringType!.Name}.{function.Method.Name} {program.CallsThroughSlots(function)}");
        return 0;
    }

    /// <summary>Calls functions until they have the last code they get.</summary>
    public static void CallUntilQuiet(Func<long, long>[] functions) => SettledCode.Reach(() =>
    {
        for (int i = 0; i < 50; i++)
            Array.ForEach(functions, f => f(i));
    });

    private static IEnumerable<Func<long, long>> FunctionsOf(LoadedProgram program) =>
        FixtureProgram.Cases(program.Assembly).Where(m => m.DeclaringType!.FullName is Hot).Concat(FixtureProgram.Inliners(program.Assembly))
            .Select(m => m.CreateDelegate<Func<long, long>>());

    private static LivePatch Apply(LoadedProgram program, bool redirects) =>
        Patcher.Apply(program.Table, new ApplyOptions { Assemblies = a => a == program.Assembly, WatchLoads = false, RedirectCompiled = redirects });

    private static DiagnosisReport Cold(LoadedProgram program, Func<long, long>[] functions, PatchDiagnosis diagnosis, bool isHot)
    {
        LivePatch patch = Apply(program, redirects: false);
        if (isHot)
            CallUntilQuiet(functions);
        else
            Array.ForEach(functions, f => f(1));
        return diagnosis.Report(patch);
    }

    private static DiagnosisReport PatchedHot(LoadedProgram program, Func<long, long>[] functions, PatchDiagnosis diagnosis, bool redirects)
    {
        CallUntilQuiet(functions);
        LivePatch patch = Apply(program, redirects);
        Array.ForEach(functions, f => f(1));
        return diagnosis.Report(patch);
    }

    private static DiagnosisReport Restored(LoadedProgram program, Func<long, long>[] functions, PatchDiagnosis diagnosis)
    {
        LivePatch patch = Apply(program, redirects: false);
        patch.Restore();
        Array.ForEach(functions, f => f(1));
        return diagnosis.Report(patch);
    }

    /// <summary>A second copy of the program runs hot beside the patched one, which does nothing.</summary>
    private static DiagnosisReport Copies(LoadedProgram program, PatchDiagnosis diagnosis)
    {
        LivePatch patch = Apply(program, redirects: false);
        CallUntilQuiet([.. FunctionsOf(LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream))]);
        return diagnosis.Report(patch);
    }

    private static DiagnosisReport InFlight(LoadedProgram program, PatchDiagnosis diagnosis)
    {
        Func<long, Func<long, bool>, long> until = program.Assembly.GetType(Flights, throwOnError: true)!.GetMethod("Until")!.CreateDelegate<Func<long, Func<long, bool>, long>>();
        using var replaced = new ManualResetEventSlim();
        using var stop = new ManualResetEventSlim();
        const long Enough = 2_000_000; // rounds after which the runtime has put optimised code under the loop
        var thread = new Thread(() => until(1, rounds =>
        {
            if (rounds == Enough)
                replaced.Set();
            return stop.IsSet;
        }));
        thread.Start();
        replaced.Wait();
        LivePatch patch = Apply(program, redirects: false);
        DiagnosisReport report = diagnosis.Report(patch);
        stop.Set();
        thread.Join();
        return report;
    }

    private static DiagnosisReport Switched(LoadedProgram program, Func<long, long>[] functions, PatchDiagnosis diagnosis)
    {
        CallUntilQuiet(functions);
        LivePatch patch = Patcher.Apply(program.Table, new ApplyOptions { Assemblies = a => a == program.Assembly, WatchLoads = false, Switchable = true });
        patch.Switch([KeyValuePair.Create("math.bump", PvTarget.Nop)]);
        Array.ForEach(functions, f => f(1));
        return diagnosis.Report(patch);
    }

    private static DiagnosisReport OfImages(PatchDiagnosis diagnosis)
    {
        FixtureProgram program = FixtureProgram.Of(FixtureProgram.Names[1]);
        program.Patched.GetType(Hot, throwOnError: true)!.GetMethod("Leaf_Direct")!.CreateDelegate<Func<long, long>>()(1);
        return diagnosis.Report(program.PatchedSet);
    }
}
