namespace PvPatch.Perf.Rows;

/// <summary>The same loops as <see cref="OpLoops"/>, with the op's work written into them by hand.</summary>
internal static class HandLoops
{
    public static long Loop(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum ^= (((long)i * 5) + 1) & LabTargets.Mask;
        return sum;
    }

    public static long Chain(int calls)
    {
        long x = 1;
        for (int i = 0; i < calls; i++)
            x = ((x * 5) + 1) & LabTargets.Mask;
        return x;
    }

    public static long None(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += 7;
        return sum;
    }

    public static long One(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += (((long)i * 5) + 1) & LabTargets.Mask;
        return sum;
    }

    public static long Two(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += ((long)i + calls) ^ 0x55;
        return sum;
    }

    public static long Three(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += (((long)i + calls) ^ 11) + 3;
        return sum;
    }

    public static long Four(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += (((long)i + calls) ^ 11) - sum;
        return sum;
    }

    public static long Pair(int calls)
    {
        Pair p = new(1, 2);
        for (int i = 0; i < calls; i++)
            p = new(p.B + 1, p.A ^ p.B);
        return p.A;
    }

    public static long Quad(int calls)
    {
        Quad q = new(1, 2, 3, 4);
        for (int i = 0; i < calls; i++)
            q = new(q.B + 1, q.C ^ q.A, q.D + q.B, q.A);
        return q.A;
    }

    public static long Nop(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += i;
        return sum;
    }

    public static long Constant(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum ^= i + 7L;
        return sum;
    }

    public static long Identity(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += i ^ 3;
        return sum;
    }

    public static long Direct(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum = (sum + i) ^ 0x55;
        return sum;
    }

    public static long Inline(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += i ^ 3;
        return sum;
    }

    public static long Called(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum = LabTargets.Called(sum, i);
        return sum;
    }
}
