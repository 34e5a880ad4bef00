namespace PvPatch.Perf.Rows;

/// <summary>Loops with one call of an op. Copies of this assembly have them through slots, and patched in each way.</summary>
internal static unsafe class OpLoops
{
    public static long Loop(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum ^= LabOps.Step(i);
        return sum;
    }

    public static long Chain(int calls)
    {
        long x = 1;
        for (int i = 0; i < calls; i++)
            x = LabOps.Step(x);
        return x;
    }

    public static long None(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += LabOps.None();
        return sum;
    }

    public static long One(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += LabOps.Step(i);
        return sum;
    }

    public static long Two(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += LabOps.Two(i, calls);
        return sum;
    }

    public static long Three(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += LabOps.Three(i, calls, 11);
        return sum;
    }

    public static long Four(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += LabOps.Four(i, calls, 11, sum);
        return sum;
    }

    public static long Pair(int calls)
    {
        Pair p = new(1, 2);
        for (int i = 0; i < calls; i++)
            p = LabOps.Pair(p);
        return p.A;
    }

    public static long Quad(int calls)
    {
        Quad q = new(1, 2, 3, 4);
        for (int i = 0; i < calls; i++)
            q = LabOps.Quad(q);
        return q.A;
    }

    public static long Nop(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
        {
            LabOps.Nop(sum * i);
            sum += i;
        }

        return sum;
    }

    public static long Constant(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum ^= i + LabOps.Constant();
        return sum;
    }

    public static long Identity(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += LabOps.Identity(i ^ 3);
        return sum;
    }

    public static long Direct(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum = LabOps.Direct(sum, i);
        return sum;
    }

    public static long Inline(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum = LabOps.Inline(sum, i ^ 3);
        return sum;
    }

    public static long Called(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum = LabOps.Called(sum, i);
        return sum;
    }
}
