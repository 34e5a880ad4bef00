namespace PvPatch.Perf.Rows;

/// <summary>Methods with one call, of which only the first one is measured, in a copy of this assembly that was just loaded.</summary>
internal static unsafe class ColdCalls
{
    private static readonly Func<long, long> Chosen = LabTargets.Step;

    public static long HandWritten(int x) => (((long)x * 5) + 1) & LabTargets.Mask;

    public static long Direct(int x) => LabTargets.Step(x);

    public static long ByDelegate(int x) => Chosen(x);

    public static long Op(int x) => LabOps.Step(x);
}
