using System.Diagnostics;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.Reports;
using PvPatch.Engine.Tests.PatchedCalls.InPlace;

namespace PvPatch.Engine.Tests.PatchedCalls.Switching;

/// <summary>Threads run through sites that are switched all the time, in a process of their own.</summary>
internal sealed class SwitchStress
{
    private const int Threads = 6, Switches = 100_000;

    private static readonly long[] Arguments = [1, 3, 5, 1000];

    private readonly Func<long, long>[] _functions;
    private readonly long[][] _expected;

    /// <summary>Twice the number of switches done, and one more while one is being done.</summary>
    private int _moment;

    private SwitchStress(LoadedProgram program, LoadedProgram plain)
    {
        var cases = FixtureProgram.Cases(program.Assembly).Where(m => m.DeclaringType!.Name is "HotPlaces").Concat(FixtureProgram.Inliners(program.Assembly)).ToArray();
        _functions = [.. cases.Select(m => m.CreateDelegate<Func<long, long>>())];
        Func<long, long>[] plainOnes = [.. cases.Select(m => plain.Function(m.DeclaringType!.FullName!, m.Name))];
        _expected = [.. TargetSets.Of(plain).Select(set =>
        {
            plain.Table.Install(set);
            return plainOnes.SelectMany(f => Arguments.Select(f)).ToArray();
        })];
    }

    /// <summary>Runs it.</summary>
    /// <returns>0 if no value was wrong and the memory stayed flat.</returns>
    public static int Run(bool isHot)
    {
        var program = LoadedProgram.Load(FixtureProgram.Names[1], Loading.Path);
        var stress = new SwitchStress(program, LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream));
        for (int round = 0; isHot && round < 8; round++)
        {
            for (int i = 0; i < 50; i++)
                Array.ForEach(stress._functions, f => f(i));
            Thread.Sleep(50);
        }

        using LivePatch patch = Patcher.Apply(program.Table, new ApplyOptions { Assemblies = a => a == program.Assembly, WatchLoads = false, Switchable = true });
        return stress.Run(patch, program);
    }

    private int Run(LivePatch patch, LoadedProgram program)
    {
        var sets = TargetSets.Of(program);
        using var stop = new CancellationTokenSource();
        long calls = 0, judged = 0, wrong = 0;
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(t => new Thread(() =>
        {
            (long Calls, long Judged, long Wrong) mine = default;
            for (int k = t; !stop.IsCancellationRequested; k++)
                Call(k % (_functions.Length * Arguments.Length), ref mine);
            Interlocked.Add(ref calls, mine.Calls);
            Interlocked.Add(ref judged, mine.Judged);
            Interlocked.Add(ref wrong, mine.Wrong);
        }))];
        Array.ForEach(threads, t => t.Start());

        for (int i = 0; i < 3; i++)
            Switch(patch, sets[i]);
        long memory = GC.GetTotalMemory(forceFullCollection: true);
        int collections = 0;
        (long Calls, long Judged, long Wrong) own = default;
        var clock = Stopwatch.StartNew();
        for (int i = 3; i < Switches; i++)
        {
            Switch(patch, sets[i % sets.Count]);
            Call(i % (_functions.Length * Arguments.Length), ref own);
            if (i % 500 == 0)
            {
                GC.Collect();
                collections++;
            }
        }

        clock.Stop();
        stop.Cancel();
        Array.ForEach(threads, t => t.Join());
        long grown = GC.GetTotalMemory(forceFullCollection: true) - memory;
        SiteCounts totals = patch.Report.Totals;
        Console.WriteLine($"{Switches} switches in {clock.Elapsed.TotalSeconds:F1} s under {Threads} threads with {collections} forced collections: "
            + $"{calls + own.Calls} calls, {judged + own.Judged} of them between two switches, {wrong + own.Wrong} wrong; {totals}; memory grew by {grown} B");
        return wrong + own.Wrong == 0 && own.Judged == own.Calls && judged > 0 && totals.Patched > 15 && grown < 1_000_000 ? 0 : 1;
    }

    private void Switch(LivePatch patch, KeyValuePair<string, PvTarget>[] targets)
    {
        Interlocked.Increment(ref _moment);
        patch.Switch(targets);
        Interlocked.Increment(ref _moment);
    }

    /// <summary>Calls one function; if no switch was done meanwhile, it must give what the targets of this moment give.</summary>
    private void Call(int k, ref (long Calls, long Judged, long Wrong) counts)
    {
        int before = Volatile.Read(ref _moment);
        long value = _functions[k / Arguments.Length](Arguments[k % Arguments.Length]);
        int after = Volatile.Read(ref _moment);
        counts.Calls++;
        if (before != after || before % 2 != 0 || before == 0)
            return;
        counts.Judged++;
        if (value != _expected[((before / 2) - 1) % _expected.Length][k])
            counts.Wrong++;
    }
}
