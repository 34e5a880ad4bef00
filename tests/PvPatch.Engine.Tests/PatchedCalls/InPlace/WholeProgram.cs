using System.Reflection;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.PatchedCalls.InPlace;

/// <summary>Every method of a fixture, run beside an unpatched copy, in this process or in one with other runtime settings.</summary>
internal static class WholeProgram
{
    private static readonly long[] Arguments = [1, 2, 3, 4, 5, 17, 1000, 123456789];

    /// <summary>What was seen.</summary>
    /// <param name="Methods">Methods run.</param>
    /// <param name="Direct">Methods whose name promises that no call is left, and which made none.</param>
    /// <param name="Wrong">What was not as it should be.</param>
    internal sealed record Outcome(int Methods, int Direct, IReadOnlyList<string> Wrong)
    {
        public override string ToString() => $"{Methods} methods, {Direct} without a call through a slot, {Wrong.Count} wrong\n{string.Join('\n', Wrong)}";
    }

    public static Outcome Run(string fixture, Loading loading)
    {
        var plain = LoadedProgram.Load(fixture, loading);
        var patched = LoadedProgram.Load(fixture, loading);
        using LivePatch patch = patched.Apply();
        var wrong = new List<string>(patch.Refusals.Select(r => r.Message));
        wrong.AddRange(patch.Report.Sites.Where(s => s.State == SiteState.Deferred && !IsGeneric(s)).Select(s => $"{s.Method}: {s.Reason}"));
        int methods = 0, direct = 0;
        foreach (MethodInfo method in FixtureProgram.Cases(patched.Assembly))
        {
            Func<long, long> before = plain.Function(method.DeclaringType!.FullName!, method.Name), after = method.CreateDelegate<Func<long, long>>();
            string verdict = method.Name[(method.Name.LastIndexOf('_') + 1)..];
            if (method.Name is "WrittenByHand_Left")
                continue; // the copies' slots differ by intent
            methods++;
            foreach (long argument in Arguments)
            {
                if (after(argument) != before(argument))
                    wrong.Add($"{method.Name}({argument})");
            }

            long calls = patched.CallsThroughSlots(after);
            _ = before(5);
            if (verdict is not ("Direct" or "Inline" or "Gone"))
                continue;
            direct++;
            if (calls != 0)
                wrong.Add($"{method.Name}: {calls} calls through slots");
        }

        return new Outcome(methods, direct, wrong);
    }

    /// <summary>The same for all fixtures and loadings, as a process of its own.</summary>
    /// <returns>0 if everything was right.</returns>
    public static int RunAll()
    {
        int wrong = 0;
        foreach (string fixture in FixtureProgram.Names)
        {
            foreach (Loading loading in LoadedProgram.Loadings)
            {
                Outcome outcome = Run(fixture, loading);
                Console.WriteLine($"{fixture} {loading}: {outcome}");
                wrong += outcome.Wrong.Count;
            }
        }

        return wrong == 0 ? 0 : 1;
    }

    private static bool IsGeneric(PatchedSite site) => site.Reason!.StartsWith("generic:", StringComparison.Ordinal);
}
