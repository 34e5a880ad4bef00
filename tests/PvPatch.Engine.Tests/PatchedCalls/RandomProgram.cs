using System.Globalization;
using System.Reflection;
using System.Runtime.Loader;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.Reports;
using PvPatch.Engine.Tests.PatchedCalls.InPlace;
using PvPatch.Perf.Measuring;

namespace PvPatch.Engine.Tests.PatchedCalls;

/// <summary>
/// A program of random methods, patched in every way and in every state. Each computes what an unpatched copy computes, and
/// one of which the report says that all is patched calls through no slot. It needs a process whose runtime is set for it.
/// </summary>
internal sealed class RandomProgram
{
    private static readonly string Fixture = FixtureProgram.Names[1];

    private readonly string _name;
    private readonly LoadedProgram _program;
    private readonly Func<long, long, long>[] _methods;
    private readonly LivePatch? _patch;

    /// <param name="name">How and when it is patched, for messages.</param>
    /// <param name="assembly">The copy.</param>
    /// <param name="count">How many methods it has.</param>
    /// <param name="warmUp">What is run before it is patched.</param>
    /// <param name="redirects">Whether compiled code is led to copies; <see langword="null"/> if it is not to be patched.</param>
    private RandomProgram(string name, Assembly assembly, int count, Action<Func<long, long, long>[]>? warmUp, bool? redirects)
    {
        _name = name;
        _program = LoadedProgram.Of(assembly);
        Type type = assembly.GetType("RandomMethods", throwOnError: true)!;
        _methods = [.. Enumerable.Range(0, count).Select(i => type.GetMethod($"M{i}")!.CreateDelegate<Func<long, long, long>>())];
        warmUp?.Invoke(_methods);
        if (redirects is { } isLate)
            _patch = Patcher.Apply(_program.Table, new ApplyOptions { Assemblies = a => a == assembly, WatchLoads = false, RedirectCompiled = isLate });
    }

    /// <summary>Runs it in every way.</summary>
    /// <param name="seed">Where the program comes from.</param>
    /// <param name="count">How many methods it has.</param>
    /// <returns>0 if everything was right.</returns>
    public static int RunAll(int seed, int count)
    {
        string folder = Directory.CreateTempSubdirectory("pvpatch-random-").FullName;
        string file = Path.Combine(folder, $"{Fixture}.dll");
        RandomMethods.Write(FixtureProgram.FileOf(Fixture), file, seed, count);
        var plain = new RandomProgram("unpatched", Loaded(file), count, null, null);
        using ImageSet set = ImageSet.Load(Patcher.Plan(plain._program.Table, [file]));
        RandomProgram[] patched =
        [
            new("image", set[Fixture], count, null, null),
            new("in place when cold", Loaded(file), count, null, false),
            new("in place when hot", Loaded(file), count, Heat, false),
            new("late when cold", Loaded(file), count, null, true),
            new("late when young", Loaded(file), count, RunOnce, true),
            new("late when hot", Loaded(file), count, Heat, true),
        ];
        Directory.Delete(folder, recursive: true);

        var wrong = new List<string>();
        foreach (RandomProgram program in patched)
        {
            program.Compare(plain, wrong);
            program._patch?.Restore();
            program.CompareValues(plain, "restored", wrong);
        }

        Console.WriteLine(wrong.Count == 0 ? "all right" : string.Create(CultureInfo.InvariantCulture, $"seed {seed}:\n{string.Join('\n', wrong)}"));
        return wrong.Count == 0 ? 0 : 1;
    }

    private static Assembly Loaded(string file) => LoadedProgram.Load(file, Loading.Stream, new AssemblyLoadContext("a random program's"));

    private static void RunOnce(Func<long, long, long>[] methods) => Array.ForEach(methods, m => ResultOf(m, 1, 2));

    /// <summary>Runs them until they have the last code they get.</summary>
    private static void Heat(Func<long, long, long>[] methods) => SettledCode.Reach(() =>
    {
        for (int i = 0; i < 35; i++)
            RunOnce(methods);
    });

    private void Compare(RandomProgram plain, List<string> wrong)
    {
        ILookup<string, PatchedSite>? rows = _patch?.Report.Sites.ToLookup(s => s.Method, StringComparer.Ordinal);
        int native = 0;
        for (int i = 0; i < _methods.Length && rows is not null; i++)
        {
            PatchedSite[] own = [.. rows[$"RandomMethods.M{i}"]];
            if (own.Length == 0 || own.Any(r => r.State != SiteState.Patched))
                continue;
            native++;
            Func<long, long, long> method = _methods[i];
            long calls = _program.Table.CountCalls(() => ResultOf(method, 5, 3)).Values.Sum();
            if (calls > 0 && _patch!.Report.Sites.Where(r => r.Method == own[0].Method).All(r => r.State == SiteState.Patched))
                wrong.Add($"{_name}: M{i} is told to be patched before and after, and makes {calls} calls through slots");
        }

        Console.WriteLine($"{_name}: {_methods.Length} methods{(rows is null ? "" : $", {native} wholly patched, {_patch!.Report.Totals}")}");
        CompareValues(plain, "patched", wrong);
    }

    private void CompareValues(RandomProgram plain, string when, List<string> wrong)
    {
        for (int i = 0; i < _methods.Length; i++)
        {
            foreach ((long a, long b) in RandomMethodTests.Arguments)
            {
                if (ResultOf(_methods[i], a, b) is var result && ResultOf(plain._methods[i], a, b) is var expected && result != expected)
                    wrong.Add($"{_name}, {when}: M{i}({a}, {b}) is {result} and not {expected}");
            }
        }
    }

    /// <summary>The value; <see langword="null"/> where the method ends with an exception.</summary>
    private static long? ResultOf(Func<long, long, long> method, long a, long b)
    {
        try
        {
            return method(a, b);
        }
        catch (NullReferenceException)
        {
            return null;
        }
    }
}
