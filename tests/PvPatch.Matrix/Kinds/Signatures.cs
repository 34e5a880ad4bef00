using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PvPatch.Matrix.Kinds;

public static unsafe class RefArgument
{
    public static long Run(long a)
    {
        Site(ref a);
        return a;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Site(ref long a) => a = Pv.Mix(a);
}

public static unsafe class InArgument
{
    public static long Run(long a) => Site(in a, a + 1);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Site(in long a, in long b) => Pv.Join(a, b);
}

public static unsafe class OutArgument
{
    public static long Run(long a)
    {
        Site(a, out long b);
        return b;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Site(long a, out long b) => b = Pv.Mix(a);
}

public static unsafe class PointerArgument
{
    public static long Run(long a)
    {
        Site(&a);
        return a;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Site(long* a) => Pv.Bump(a);
}

public static unsafe class FunctionPointerArgument
{
    public static long Run(long a) => Site(&Twice, a);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Site(delegate*<long, long> function, long a) => function(Pv.Mix(a));

    private static long Twice(long a) => a * 2;
}

public static unsafe class SpanArgument
{
    public static long Run(long a)
    {
        Span<long> numbers = [a, 2, 3];
        return Site(numbers, "four");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Site(Span<long> numbers, ReadOnlySpan<char> text)
    {
        foreach (ref long number in numbers)
            number = Pv.Join(number, text.Length);
        return numbers[0] + numbers[1] + numbers[2];
    }
}

public static unsafe class RefStruct
{
    public static long Run(long a)
    {
        var view = new View(ref a);
        view.Site();
        return a;
    }

    private readonly ref struct View(ref long number)
    {
        private readonly ref long _number = ref number;

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Site() => _number = Pv.Mix(_number);
    }
}

public static unsafe class StackAlloc
{
    public static long Run(long a) => Site(a);

    private static long Site(long a)
    {
        long* numbers = stackalloc long[4];
        Span<long> more = stackalloc long[(int)(a & 3) + 1];
        numbers[2] = Pv.Mix(a);
        Pv.Bump(numbers + 2);
        more[0] = Pv.Mix(numbers[2]);
        return numbers[2] + more[0];
    }
}

public static unsafe class FixedStatement
{
    public static long Run(long a) => Site([1, a, 3]);

    private static long Site(long[] numbers)
    {
        fixed (long* first = numbers)
            Pv.Bump(first + 1);
        fixed (long* first = &numbers[2])
            Pv.Bump(first);
        return Pv.Join(numbers[1], numbers[2]);
    }
}

public static unsafe class RefReturn
{
    public static long Run(long a)
    {
        long[] numbers = [a, 2];
        Site(numbers) += 5;
        return numbers[0];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ref long Site(long[] numbers)
    {
        numbers[0] = Pv.Mix(numbers[0]);
        return ref numbers[0];
    }
}

public static unsafe class ManyArguments
{
    public static long Run(long a) => Site(a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, "twelve", 13);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Site(long a, byte b, short c, int d, long e, float f, double g, sbyte h, ushort i, uint j, ulong k, decimal l, string m, nint n) =>
        Pv.Join(Pv.Join(a + b + c + d, e + (long)f + (long)g), Pv.Join(h + i + j, (long)k + (long)l)) + m.Length + n;
}

public static unsafe class ManyInstanceArguments
{
    public static long Run(long a) => new Counter { Number = a }.Site(1, 2, 3, 4, 5, 6, 7, 8, 9.5, 10.5);

    private sealed class Counter
    {
        public long Number;

        [MethodImpl(MethodImplOptions.NoInlining)]
        public long Site(long a, long b, long c, long d, long e, long f, long g, long h, double i, double j) =>
            Pv.Join(Number + a + b + c + d, Pv.Join(e + f + g + h, (long)(i + j)));
    }
}

public static unsafe class FloatingPoint
{
    public static long Run(long a) => BitConverter.DoubleToInt64Bits(Site(a, 0.5f)) >> 8;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double Site(double a, float b) => Pv.Scale(a) * b;
}

public static unsafe class Decimal
{
    public static long Run(long a) => (long)Site(a * 1.25m);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static decimal Site(decimal a) => a + Pv.Mix((long)a);
}

public static unsafe class Vectors
{
    public static long Run(long a) => Site(Vector128.Create(a, 2)).GetElement(0);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Vector128<long> Site(Vector128<long> a) => a.WithElement(0, Pv.Mix(a.GetElement(0)));
}

public static unsafe class ParamsArgument
{
    public static long Run(long a) => Site(a, 2, 3);

    private static long Site(params ReadOnlySpan<long> numbers)
    {
        long sum = 0;
        foreach (long number in numbers)
            sum = Pv.Join(sum, number);
        return sum;
    }
}

public static unsafe class TupleReturn
{
    public static long Run(long a)
    {
        (long first, string second) = Site(a);
        return first + second.Length;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (long First, string Second) Site(long a) => (Pv.Mix(a), "two");
}
