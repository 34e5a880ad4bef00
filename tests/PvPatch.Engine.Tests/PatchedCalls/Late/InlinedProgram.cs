using System.Reflection;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.Reports;
using PvPatch.Engine.Tests.PatchedCalls.InPlace;
using PvPatch.Perf.Measuring;

namespace PvPatch.Engine.Tests.PatchedCalls.Late;

/// <summary>Small methods that hot callers have inlined when they are patched. It needs a process whose runtime is set for it.</summary>
internal static class InlinedProgram
{
    private const string Inliners = "PvPatch.Engine.Fixtures.Inliners";

    /// <summary>Patches, and compares what the report says of each wrapper with what its caller does.</summary>
    /// <param name="isHot">Whether the callers are optimised by then.</param>
    /// <param name="redirects">Whether compiled code is led to copies.</param>
    /// <returns>0 if everything was right.</returns>
    public static int PatchAndTell(bool isHot, bool redirects)
    {
        var program = LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream);
        var plain = LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream);
        MethodInfo[] callers = FixtureProgram.Inliners(program.Assembly);
        Func<long, long>[] functions = [.. callers.Select(m => m.CreateDelegate<Func<long, long>>())];
        WarmUp(functions, isHot);

        using LivePatch patch = Patcher.Apply(program.Table, new ApplyOptions { Assemblies = a => a == program.Assembly, WatchLoads = false, RedirectCompiled = redirects });
        var wrong = new List<string>();
        for (int i = 0; i < callers.Length; i++)
        {
            string name = callers[i].Name, subject = name[..name.IndexOf('_')];
            PatchedSite row = patch.Report.Sites.Single(s => s.Method.StartsWith($"{Inliners}+Wrappers.{subject}", StringComparison.Ordinal));
            long calls = program.CallsThroughSlots(functions[i]);
            Console.WriteLine($"{name,-16} {calls} calls through slots; {row.State} {row.Way} {row.Reason}");
            if (row.State == SiteState.Patched && calls > 0)
                wrong.Add($"{name}: it is told to be patched, and calls through its slot");
            if (redirects && isHot && (row.State == SiteState.Patched) != name.EndsWith("_Direct", StringComparison.Ordinal))
                wrong.Add($"{name}: {row.State}");
            if (redirects && !isHot && name is "InVirtual_Slow" && row.State != SiteState.Patched)
                wrong.Add($"{name}: its code of the first tier shows that nothing is inlined");
            if (functions[i](7) != plain.Function(Inliners, name)(7))
                wrong.Add($"{name}: another value");
        }

        Console.WriteLine(wrong.Count == 0 ? "all right" : string.Join('\n', wrong));
        return wrong.Count == 0 ? 0 : 1;
    }

    /// <summary>Applies a second time, with another target, and compares values with those of an unpatched copy.</summary>
    /// <returns>0 if everything was right.</returns>
    public static int PatchTwice()
    {
        var program = LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream);
        var plain = LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream);
        MethodInfo[] callers = FixtureProgram.Inliners(program.Assembly);
        Func<long, long>[] functions = [.. callers.Select(m => m.CreateDelegate<Func<long, long>>())];
        WarmUp(functions, isHot: true);
        var wrong = new List<string>();
        foreach (PvTarget target in (PvTarget[])[PvTarget.Constant(5), PvTarget.Identity, PvTarget.Constant(5)])
        {
            program.Table.Install("math.negate", target);
            plain.Table.Install("math.negate", target);
            using LivePatch patch = Patcher.Apply(program.Table, new ApplyOptions { Assemblies = a => a == program.Assembly, WatchLoads = false, RedirectCompiled = true });
            for (int i = 0; i < callers.Length; i++)
            {
                if (functions[i](7) != plain.Function(Inliners, callers[i].Name)(7))
                    wrong.Add($"{callers[i].Name} gives {functions[i](7)} where its op is {target}");
            }

            patch.Restore();
        }

        Console.WriteLine(wrong.Count == 0 ? "all right" : string.Join('\n', wrong));
        return wrong.Count == 0 ? 0 : 1;
    }

    /// <summary>Calls functions once or, if they are to be hot, until they have the last code they get.</summary>
    private static void WarmUp(Func<long, long>[] functions, bool isHot)
    {
        if (isHot)
        {
            SettledCode.Reach(() =>
            {
                for (int i = 0; i < 50; i++)
                    Array.ForEach(functions, f => f(i));
            });
        }

        Array.ForEach(functions, f => f(1));
    }
}
