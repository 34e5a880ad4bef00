using System.Diagnostics;
using System.Reflection;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.Reports;
using PvPatch.Engine.Tests.PatchedCalls.InPlace;
using PvPatch.Perf.Measuring;

namespace PvPatch.Engine.Tests.PatchedCalls.Late;

/// <summary>A fixture that runs hot and is patched then. It needs a process whose runtime is set for it.</summary>
internal sealed class HotProgram
{
    private const string Hot = "PvPatch.Engine.Fixtures.HotPlaces";

    private static readonly long[] Arguments = [1, 2, 3, 4, 5, 17, 1000];

    /// <summary>The methods that must be refused, with a word of the reason.</summary>
    private static readonly Dictionary<string, string> Refused = new(StringComparer.Ordinal)
    {
        ["Virtual"] = "virtual",
        ["Synchronized"] = "synchronized",
        ["GivesStruct"] = "returns a struct",
        ["Optimised"] = "compiled once",
        ["Generic"] = "generic",
    };

    private readonly LoadedProgram _program = LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream);
    private readonly LoadedProgram _plain = LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream);
    private readonly List<string> _wrong = [];

    private HotProgram(bool isHot)
    {
        foreach (MethodInfo method in Cases)
        {
            Func<long, long> patched = method.CreateDelegate<Func<long, long>>(), plain = _plain.Function(Hot, method.Name);
            Functions.Add((method.Name, patched, plain));
        }

        if (isHot)
            SettledCode.Reach(() => Warm(calls: 50));
        else
            Warm(calls: 1);
    }

    private List<(string Name, Func<long, long> Patched, Func<long, long> Plain)> Functions { get; } = [];

    private IEnumerable<MethodInfo> Cases => FixtureProgram.Cases(_program.Assembly).Where(m => m.DeclaringType!.FullName == Hot);

    /// <summary>Patches the program when every method is in the state, checks all of it, and restores it.</summary>
    /// <param name="isHot">Whether that is the last tier, or the first one.</param>
    /// <returns>0 if everything was right.</returns>
    public static int PatchAndRestore(bool isHot)
    {
        var hot = new HotProgram(isHot);
        using (LivePatch inPlace = Patcher.Apply(hot._program.Table, new ApplyOptions { Assemblies = a => a == hot._program.Assembly, WatchLoads = false }))
        {
            hot.Check("compiled code does not see the IL alone", hot._program.CallsThroughSlots(hot._program.Function(Hot, "Leaf_Direct")) == 1);
            inPlace.Restore();
        }

        LivePatch patch = hot.Apply();
        PatchReport report = patch.Report;
        Console.WriteLine($"{report.Totals}");
        foreach (PatchedSite site in report.Sites.Where(s => s.Method.StartsWith(Hot, StringComparison.Ordinal)))
            hot.CheckRow(site);
        hot.CheckValues("patched");
        foreach ((string name, Func<long, long> function, _) in hot.Functions.Where(f => f.Name is not "InRefusedKinds_Direct" and not "BesideAnIndirectCall_Mixed"))
            hot.Check($"{name} calls through slots when patched", hot._program.CallsThroughSlots(function) == 0);
        hot.Check("a refused kind calls on through its slot", hot._program.CallsThroughSlots(hot._program.Function(Hot, "InRefusedKinds_Direct")) > 0);
        hot.Check("what is left calls on", hot._program.CallsThroughSlots(hot._program.Function(Hot, "BesideAnIndirectCall_Mixed")) == 1);

        patch.Restore();
        hot.CheckValues("restored");
        foreach ((string name, Func<long, long> function, Func<long, long> plain) in hot.Functions)
            hot.Check($"{name} calls as before when restored", hot._program.CallsThroughSlots(function) == hot._plain.CallsThroughSlots(plain) || name is "Constant_Inline");
        return hot.Done();
    }

    /// <summary>Redirects methods of the first tier, which the runtime takes back, and sees them led to their copies again.</summary>
    /// <param name="isSwitchable">Whether the copies can be switched, and the images stay as they are.</param>
    /// <returns>0 if everything was right.</returns>
    public static int PatchAndTierUp(bool isSwitchable)
    {
        var hot = new HotProgram(isHot: false);
        using LivePatch patch = isSwitchable
            ? Patcher.Apply(hot._program.Table, new ApplyOptions { Assemblies = a => a == hot._program.Assembly, WatchLoads = false, Switchable = true })
            : hot.Apply();
        SettledCode.Reach(() =>
        {
            for (int i = 0; i < 20; i++)
                hot.CheckValues("while it becomes hot");
        });

        for (int i = 0; i < 100 && patch.Report.Sites.Any(IsPutBack); i++)
            Thread.Sleep(100);
        hot.Check("every method is led to its copy again", !patch.Report.Sites.Any(IsPutBack));
        Console.WriteLine($"{patch.Report.Totals}");
        foreach ((string name, Func<long, long> function, _) in hot.Functions.Where(f => !isSwitchable && f.Name is not "InRefusedKinds_Direct" and not "BesideAnIndirectCall_Mixed"))
            hot.Check($"{name} calls through slots in the end", hot._program.CallsThroughSlots(function) == 0);
        return hot.Done();
    }

    /// <summary>Applies and restores while threads run through the sites and the garbage collector runs.</summary>
    /// <returns>0 if no value was wrong.</returns>
    public static int Hammer(int toggles)
    {
        const int Threads = 4;
        var hot = new HotProgram(isHot: true);
        var expected = hot.Functions.Select(f => Arguments.Select(f.Plain).ToArray()).ToArray();
        using var stop = new CancellationTokenSource();
        long calls = 0, wrong = 0;
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
        {
            long mine = 0;
            while (!stop.IsCancellationRequested)
            {
                for (int f = 0; f < expected.Length; f++)
                {
                    for (int a = 0; a < Arguments.Length; a++, mine++)
                    {
                        if (hot.Functions[f].Patched(Arguments[a]) != expected[f][a])
                            Interlocked.Increment(ref wrong);
                    }
                }
            }

            Interlocked.Add(ref calls, mine);
        }))];
        Array.ForEach(threads, t => t.Start());
        var clock = Stopwatch.StartNew();
        int redirected = 0;
        for (int i = 0; i < toggles; i++)
        {
            LivePatch patch = hot.Apply();
            redirected += patch.Report.Sites.Count(s => s.Way == PatchWay.Late);
            if (i % 4 == 0)
                GC.Collect();
            patch.Restore();
        }

        clock.Stop();
        stop.Cancel();
        Array.ForEach(threads, t => t.Join());
        Console.WriteLine($"{toggles} times applied and restored in {clock.Elapsed.TotalSeconds:F1} s, {redirected} sites redirected, {calls} calls on {Threads} threads, {wrong} wrong values");
        hot.Check("sites were redirected each time", redirected > 15 * toggles);
        hot.Check("no value was wrong", wrong == 0);
        return hot.Done();
    }

    private static bool IsPutBack(PatchedSite site) => site.Reason?.Contains("in a moment", StringComparison.Ordinal) == true;

    private LivePatch Apply() =>
        Patcher.Apply(_program.Table, new ApplyOptions { Assemblies = a => a == _program.Assembly, WatchLoads = false, RedirectCompiled = true });

    private void CheckRow(PatchedSite site)
    {
        string method = site.Method[(site.Method.LastIndexOf('.') + 1)..];
        if (Refused.TryGetValue(method, out string? word))
            Check($"{method} is deferred: {site.Reason}", site.State == SiteState.Deferred && site.Reason!.Contains(word, StringComparison.Ordinal));
        else if (site.Op is not "stubborn.set_up")
            Check($"{method} is patched: {site.State} {site.Reason}", site is { State: SiteState.Patched, Way: PatchWay.Late });
    }

    private void Warm(int calls)
    {
        foreach ((_, Func<long, long> patched, Func<long, long> plain) in Functions)
        {
            for (int i = 0; i < calls; i++)
                Check("while it warms up", patched(i) == plain(i));
        }
    }

    private void CheckValues(string when)
    {
        foreach ((string name, Func<long, long> patched, Func<long, long> plain) in Functions)
        {
            foreach (long argument in Arguments)
                Check($"{name}({argument}) {when}", patched(argument) == plain(argument));
        }
    }

    private void Check(string what, bool isTrue)
    {
        if (!isTrue && !_wrong.Contains(what))
            _wrong.Add(what);
    }

    private int Done()
    {
        Console.WriteLine(_wrong.Count == 0 ? "all right" : string.Join('\n', _wrong.Select(w => $"wrong: {w}")));
        return _wrong.Count == 0 ? 0 : 1;
    }
}
