using System.Runtime.CompilerServices;

namespace PvPatch.Engine.Fixtures;

/// <summary>Sites in small methods, and the methods that inline them, or may. Each wrapper is called by the methods of its name.</summary>
public static unsafe class Inliners
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Plain_Direct(long a) => Wrappers.Plain(a) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Deep_Direct(long a) => Wrappers.DeepOuter(a) + Wrappers.DeepOuter(1);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Looped_Direct(long a)
    {
        long sum = 0;
        for (long i = 0; i < 10; i++)
            sum += Wrappers.Looped(a + i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long InVirtual_Slow(long a) => new Kind { Number = a }.InVirtual() + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long InGeneric_Slow(long a) => Kind.InGeneric<string>(a) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long InDelegate_Slow(long a)
    {
        Func<long, long> function = Wrappers.InDelegate;
        return function(a);
    }

    /// <summary>Calls the wrapper, and keeps it whole: its machine code shows that.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Kept_Direct(long a) => new Kind { Number = a }.Keeps() + 1;

    private static class Wrappers
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static long Plain(long a) => Pv.Math.Negate(a);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static long DeepOuter(long a) => DeepInner(a) * 3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static long Looped(long a) => Pv.Math.Add(a, 2);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static long InVirtual(long a) => Pv.Math.Negate(a);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static long InGeneric(long a) => Pv.Math.Negate(a);

        public static long InDelegate(long a) => Pv.Math.Negate(a);

        /// <summary>May be inlined by its size, but no JIT does so: it allocates on the stack in a loop.</summary>
        public static long Kept(long a)
        {
            long sum = 0;
            for (int i = 0; i < 3; i++)
            {
#pragma warning disable CA2014 // it is what keeps the JIT from inlining
                long* numbers = stackalloc long[(int)(a & 7) + 4];
#pragma warning restore CA2014
                numbers[i] = Pv.Math.Add(a, i);
                sum += numbers[i];
            }

            return sum;
        }

        private static long DeepInner(long a) => Pv.Math.Negate(a) + 1;
    }

    private abstract class Base
    {
        public abstract long InVirtual();

        public abstract long Keeps();
    }

    private sealed class Kind : Base
    {
        public long Number { get; init; }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public override long InVirtual() => Wrappers.InVirtual(Number);

        [MethodImpl(MethodImplOptions.NoInlining)]
        public override long Keeps() => Wrappers.Kept(Number);

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static long InGeneric<T>(long a) => Wrappers.InGeneric(a + typeof(T).Name.Length);
    }
}
