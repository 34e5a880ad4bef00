using System.Reflection;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.Reports;
using PvPatch.Engine.Tests.PatchedCalls.InPlace;

namespace PvPatch.Engine.Tests.PatchedCalls;

/// <summary>The pairs of the fixture: the loops with ops are patched, before any of them is compiled.</summary>
internal static class PairProgram
{
    public const string PairsClass = "PvPatch.Engine.Fixtures.Pairs";

    /// <summary>The names of the loops, which exist with <c>_Patched</c> and with <c>_HandWritten</c> behind.</summary>
    public static readonly string[] Loops = ["Nop", "Constant", "Identity", "Inline", "Inlined", "Called"];

    private static readonly long[] Data = [1, 2, 3, -4, 50, 600];

    /// <summary>Loads, installs, patches.</summary>
    /// <exception cref="InvalidOperationException">A site was not patched.</exception>
    public static (Assembly Assembly, PatchReport Report) Load()
    {
        Assembly assembly = LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream).Assembly;
        Type ops = assembly.GetType("PvPatch.Engine.Fixtures.PairOps", throwOnError: true)!;
        var table = new PvOpTable(ops);
        table.Install(new Dictionary<string, PvTarget>(StringComparer.Ordinal)
        {
            ["pair.nop"] = PvTarget.Nop,
            ["pair.constant"] = PvTarget.Constant(7),
            ["pair.identity"] = PvTarget.Identity,
            ["pair.inline"] = PvTarget.Inline(ops.GetMethod("Sum", BindingFlags.Static | BindingFlags.NonPublic)!),
            ["pair.inlined"] = PvTarget.Method(ops, "Mix"),
            ["pair.called"] = PvTarget.Method(ops, "MixCalled"),
        });
        PatchReport report = Patcher.Apply(table, new ApplyOptions { Assemblies = a => a == assembly, WatchLoads = false }).Report;
        return report.Totals == new SiteCounts(Loops.Length, 0, 0) ? (assembly, report) : throw new InvalidOperationException(report.ToString());
    }

    public static Func<long[], long> Function(Assembly assembly, string name) =>
        assembly.GetType(PairsClass, throwOnError: true)!.GetMethod(name)!.CreateDelegate<Func<long[], long>>();

    /// <summary>Runs every loop in both forms: the JIT lists their code if its settings say so.</summary>
    /// <returns>0 if each pair gives one value.</returns>
    public static int RunAll()
    {
        (Assembly assembly, _) = Load();
        int wrong = 0;
        foreach (string loop in Loops)
        {
            Func<long[], long> patched = Function(assembly, $"{loop}_Patched"), byHand = Function(assembly, $"{loop}_HandWritten");
            wrong += patched(Data) == byHand(Data) ? 0 : 1;
        }

        return wrong;
    }
}
