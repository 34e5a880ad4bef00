using System.Runtime.CompilerServices;

namespace PvPatch.Perf.Rows;

/// <summary>A way to call ops with any number of arguments; see <see cref="ICallWay"/>.</summary>
internal interface IArgumentWay
{
    static abstract long None();

    static abstract long One(long a);

    static abstract long Two(long a, long b);

    static abstract long Three(long a, long b, long c);

    static abstract long Four(long a, long b, long c, long d);

    static abstract Pair Pair(Pair p);

    static abstract Quad Quad(Quad q);
}

/// <summary>The loops of <see cref="OpLoops"/> around a way.</summary>
internal static class ArgumentLoops
{
    public static long None<T>(int calls)
        where T : struct, IArgumentWay
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += T.None();
        return sum;
    }

    public static long One<T>(int calls)
        where T : struct, IArgumentWay
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += T.One(i);
        return sum;
    }

    public static long Two<T>(int calls)
        where T : struct, IArgumentWay
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += T.Two(i, calls);
        return sum;
    }

    public static long Three<T>(int calls)
        where T : struct, IArgumentWay
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += T.Three(i, calls, 11);
        return sum;
    }

    public static long Four<T>(int calls)
        where T : struct, IArgumentWay
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += T.Four(i, calls, 11, sum);
        return sum;
    }

    public static long Pair<T>(int calls)
        where T : struct, IArgumentWay
    {
        Pair p = new(1, 2);
        for (int i = 0; i < calls; i++)
            p = T.Pair(p);
        return p.A;
    }

    public static long Quad<T>(int calls)
        where T : struct, IArgumentWay
    {
        Quad q = new(1, 2, 3, 4);
        for (int i = 0; i < calls; i++)
            q = T.Quad(q);
        return q.A;
    }
}

/// <summary>The ways that differ in what they do with arguments.</summary>
internal static unsafe class ArgumentWays
{
    internal struct Direct : IArgumentWay
    {
        [MethodImpl(MethodImplOptions.NoInlining)]
        public static long None() => LabTargets.None();

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static long One(long a) => LabTargets.Step(a);

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static long Two(long a, long b) => LabTargets.Two(a, b);

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static long Three(long a, long b, long c) => LabTargets.Three(a, b, c);

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static long Four(long a, long b, long c, long d) => LabTargets.Four(a, b, c, d);

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static Pair Pair(Pair p) => LabTargets.Pair(p);

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static Quad Quad(Quad q) => LabTargets.Quad(q);
    }

    internal struct Interface : IArgumentWay
    {
        private static IOps _chosen = new Ops();

        public static long None() => _chosen.None();

        public static long One(long a) => _chosen.One(a);

        public static long Two(long a, long b) => _chosen.Two(a, b);

        public static long Three(long a, long b, long c) => _chosen.Three(a, b, c);

        public static long Four(long a, long b, long c, long d) => _chosen.Four(a, b, c, d);

        public static Pair Pair(Pair p) => _chosen.Pair(p);

        public static Quad Quad(Quad q) => _chosen.Quad(q);
    }

    internal struct ByDelegate : IArgumentWay
    {
        private static Func<long> _none = LabTargets.None;
        private static Func<long, long> _one = LabTargets.Step;
        private static Func<long, long, long> _two = LabTargets.Two;
        private static Func<long, long, long, long> _three = LabTargets.Three;
        private static Func<long, long, long, long, long> _four = LabTargets.Four;
        private static Func<Pair, Pair> _pair = LabTargets.Pair;
        private static Func<Quad, Quad> _quad = LabTargets.Quad;

        public static long None() => _none();

        public static long One(long a) => _one(a);

        public static long Two(long a, long b) => _two(a, b);

        public static long Three(long a, long b, long c) => _three(a, b, c);

        public static long Four(long a, long b, long c, long d) => _four(a, b, c, d);

        public static Pair Pair(Pair p) => _pair(p);

        public static Quad Quad(Quad q) => _quad(q);
    }

    internal struct ManagedPointer : IArgumentWay
    {
        private static delegate*<long> _none = &LabTargets.None;
        private static delegate*<long, long> _one = &LabTargets.Step;
        private static delegate*<long, long, long> _two = &LabTargets.Two;
        private static delegate*<long, long, long, long> _three = &LabTargets.Three;
        private static delegate*<long, long, long, long, long> _four = &LabTargets.Four;
        private static delegate*<Pair, Pair> _pair = &LabTargets.Pair;
        private static delegate*<Quad, Quad> _quad = &LabTargets.Quad;

        public static long None() => _none();

        public static long One(long a) => _one(a);

        public static long Two(long a, long b) => _two(a, b);

        public static long Three(long a, long b, long c) => _three(a, b, c);

        public static long Four(long a, long b, long c, long d) => _four(a, b, c, d);

        public static Pair Pair(Pair p) => _pair(p);

        public static Quad Quad(Quad q) => _quad(q);
    }

    private interface IOps
    {
        long None();

        long One(long a);

        long Two(long a, long b);

        long Three(long a, long b, long c);

        long Four(long a, long b, long c, long d);

        Pair Pair(Pair p);

        Quad Quad(Quad q);
    }

    private sealed class Ops : IOps
    {
        public long None() => LabTargets.None();

        public long One(long a) => LabTargets.Step(a);

        public long Two(long a, long b) => LabTargets.Two(a, b);

        public long Three(long a, long b, long c) => LabTargets.Three(a, b, c);

        public long Four(long a, long b, long c, long d) => LabTargets.Four(a, b, c, d);

        public Pair Pair(Pair p) => LabTargets.Pair(p);

        public Quad Quad(Quad q) => LabTargets.Quad(q);
    }
}
