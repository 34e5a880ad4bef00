using System.Reflection;
using System.Runtime.CompilerServices;

namespace PvPatch.Matrix.Kinds;

public static unsafe class StaticMethod
{
    public static long Run(long a) => Site(a);

    private static long Site(long a) => Pv.Mix(a);
}

public static unsafe class NoInlining
{
    public static long Run(long a) => Site(a);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Site(long a) => Pv.Mix(a);
}

public static unsafe class AggressiveInlining
{
    public static long Run(long a) => Site(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Site(long a) => Pv.Mix(a);
}

public static unsafe class AggressiveOptimization
{
    public static long Run(long a) => Site(a);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Site(long a) => Pv.Mix(a);
}

public static unsafe class AggressiveOptimizationNotInlined
{
    public static long Run(long a) => Site(a);

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static long Site(long a) => Pv.Join(a, Pv.Mix(a));
}

public static unsafe class NoOptimization
{
    public static long Run(long a) => Site(a);

    [MethodImpl(MethodImplOptions.NoOptimization)]
    private static long Site(long a) => Pv.Mix(a);
}

public static unsafe class InlinedWrapper
{
    public static long Run(long a) => Caller(a) + Caller(a + 1);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Caller(long a) => Wrapper(a) ^ Wrapper(a + 2);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Wrapper(long a) => Pv.Mix(a);
}

public static unsafe class WrapperOfWrapper
{
    public static long Run(long a) => Caller(a);

    private static long Caller(long a)
    {
        long sum = 0;
        for (int i = 0; i < 3; i++)
            sum += Outer(a + i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Outer(long a) => Inner(a) - 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Inner(long a) => Pv.Mix(a);
}

public static unsafe class SynchronizedStatic
{
    public static long Run(long a) => Site(a);

    [MethodImpl(MethodImplOptions.Synchronized)]
    private static long Site(long a) => Pv.Mix(a);
}

public static unsafe class SynchronizedInstance
{
    public static long Run(long a) => new Counter { Number = a }.Site();

    private sealed class Counter
    {
        public long Number;

        [MethodImpl(MethodImplOptions.Synchronized)]
        public long Site() => Pv.Mix(Number);
    }
}

public static unsafe class InstanceMethod
{
    public static long Run(long a) => new Counter { Number = a }.Site(2);

    private sealed class Counter
    {
        public long Number;

        public long Site(long b) => Pv.Join(Number, b);
    }
}

public static unsafe class InstanceNotInlined
{
    public static long Run(long a) => new Counter { Number = a }.Site(2);

    private sealed class Counter
    {
        public long Number;

        [MethodImpl(MethodImplOptions.NoInlining)]
        public long Site(long b) => Pv.Join(Number, b);
    }
}

public static unsafe class ExtensionMethod
{
    public static long Run(long a) => a.Site(3);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Site(this long a, long b) => Pv.Join(a, b);
}

public static unsafe class Property
{
    public static long Run(long a)
    {
        var counter = new Counter { Number = a };
        counter.Number++;
        return counter.Number;
    }

    private sealed class Counter
    {
        private long _number;

        public long Number
        {
            get => Pv.Mix(_number);
            set => _number = Pv.Join(value, 7);
        }
    }
}

public static unsafe class Indexer
{
    public static long Run(long a) => new Row()[a, 4];

    private sealed class Row
    {
        public long this[long a, long b] => Pv.Join(a, b);
    }
}

public static unsafe class Event
{
    public static long Run(long a)
    {
        var source = new Source();
        source.Happened += Nothing;
        source.Happened -= Nothing;
        return source.Number + a;
    }

    private static void Nothing(long a)
    {
    }

    private sealed class Source
    {
        public long Number = 1;

        public event Action<long> Happened
        {
            add => Number = Pv.Mix(Number);
            remove => Number = Pv.Join(Number, 5);
        }
    }
}

public static unsafe class Operator
{
    public static long Run(long a) => (long)(new Amount(a) + new Amount(3));

    private readonly struct Amount(long number)
    {
        private readonly long _number = number;

        public static Amount operator +(Amount a, Amount b) => new(Pv.Join(a._number, b._number));

        public static explicit operator long(Amount a) => Pv.Mix(a._number);
    }
}

public static unsafe class Constructor
{
    public static long Run(long a) => new Counter(a).Number;

    private sealed class Counter(long number)
    {
        public readonly long Number = Pv.Mix(number);
    }
}

public static unsafe class StructConstructor
{
    public static long Run(long a) => new Counter(a).Number;

    private readonly struct Counter
    {
        public readonly long Number;

        [MethodImpl(MethodImplOptions.NoInlining)]
        public Counter(long number) => Number = Pv.Mix(number);
    }
}

public static unsafe class StaticConstructor
{
    public static long Run(long a) => Holder.Number + a;

    private static class Holder
    {
        public static readonly long Number;

        static Holder() => Number = Pv.Mix(11);
    }
}

public static unsafe class Finalizer
{
    private static long _last;

    public static long Run(long a)
    {
        Volatile.Write(ref _last, 0);
        Leave(a);
        for (int generation = 0; Volatile.Read(ref _last) == 0; generation = GC.MaxGeneration)
        {
            GC.Collect(generation); // another collection may have made it older
            GC.WaitForPendingFinalizers();
        }

        return Volatile.Read(ref _last);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Leave(long a) => _ = new Dying(a);

    private sealed class Dying(long number)
    {
        ~Dying() => Volatile.Write(ref _last, Pv.Mix(number));
    }
}

public static unsafe class Reflection
{
    private static readonly MethodInfo Method = typeof(Reflection).GetMethod(nameof(Site), BindingFlags.Static | BindingFlags.NonPublic)!;

    public static long Run(long a) => (long)Method.Invoke(null, [a])!;

    private static long Site(long a) => Pv.Mix(a);
}

public static unsafe class MethodPointer
{
    public static long Run(long a)
    {
        delegate*<long, long> site = &Site;
        return site(a);
    }

    private static long Site(long a) => Pv.Mix(a);
}

public static unsafe class UnmanagedCaller
{
    public static long Run(long a)
    {
        delegate* unmanaged<long, long> site = &Site;
        return site(a);
    }

    [System.Runtime.InteropServices.UnmanagedCallersOnly]
    private static long Site(long a) => Pv.Mix(a);
}

public static unsafe class AsksForItself
{
    public static long Run(long a) => Site(a);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Site(long a) => Pv.Mix(a) + MethodBase.GetCurrentMethod()!.Name.Length;
}
