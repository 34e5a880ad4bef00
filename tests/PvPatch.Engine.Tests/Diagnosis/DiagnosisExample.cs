using System.Runtime.CompilerServices;
using PvPatch.Engine.Diagnosis;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.InPlace;

namespace PvPatch.Engine.Tests.Diagnosis;

/// <summary>The slot of the program.</summary>
public static unsafe class SumOps
{
    [PvOp("sum.add")]
    public static delegate* unmanaged<uint, uint, uint> Add;
}

/// <summary>The program of docs/diagnosis.md.</summary>
internal static class Sum
{
    public static int Run(bool redirects)
    {
        using var diagnosis = PatchDiagnosis.Start();
        var ops = new PvOpTable(typeof(SumOps));
        ops.Install("sum.add", PvTarget.Method(Plain));

        RunHot();
        using LivePatch patch = Patcher.Apply(ops, new ApplyOptions { RedirectCompiled = redirects });
        Console.Write(diagnosis.Report(patch));
        return 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static uint Of(uint[] words)
    {
        uint sum = 0;
        foreach (uint word in words)
            sum = Step(sum, word);
        return sum;
    }

    private static unsafe uint Step(uint sum, uint word) => SumOps.Add(sum, word);

    private static uint Plain(uint sum, uint word) => sum + word;

    private static void RunHot() => DiagnosedProgram.CallUntilQuiet([_ => Of([1, 2, 3])]);
}
