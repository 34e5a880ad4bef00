using System.Runtime.CompilerServices;

namespace PvPatch.Matrix.Kinds;

public static unsafe class Virtual
{
    private static readonly Shape Only = new Square();

    public static long Run(long a) => Only.Site(a);

    private abstract class Shape
    {
        public abstract long Site(long a);
    }

    private sealed class Square : Shape
    {
        public override long Site(long a) => Pv.Mix(a);
    }
}

public static unsafe class VirtualNotInlined
{
    private static readonly Shape Only = new Square();

    public static long Run(long a) => Only.Site(a);

    private abstract class Shape
    {
        public abstract long Site(long a);
    }

    private sealed class Square : Shape
    {
        [MethodImpl(MethodImplOptions.NoInlining)]
        public override long Site(long a) => Pv.Mix(a);
    }
}

public static unsafe class VirtualOfTwoClasses
{
    private static readonly Shape[] Shapes = [new Square(), new Round()];

    public static long Run(long a) => Shapes[0].Site(a) + Shapes[1].Site(a);

    private abstract class Shape
    {
        public abstract long Site(long a);
    }

    private sealed class Square : Shape
    {
        public override long Site(long a) => Pv.Mix(a);
    }

    private sealed class Round : Shape
    {
        public override long Site(long a) => Pv.Join(a, 9);
    }
}

public static unsafe class BaseCall
{
    private static readonly Shape Only = new Square();

    public static long Run(long a) => Only.Site(a);

    private class Shape
    {
        public virtual long Site(long a) => Pv.Mix(a);
    }

    private sealed class Square : Shape
    {
        public override long Site(long a) => Pv.Join(base.Site(a), 2);
    }
}

public static unsafe class InterfaceOfOneClass
{
    private static readonly IShape Only = new Square();

    public static long Run(long a) => Only.Site(a);

    private interface IShape
    {
        long Site(long a);
    }

    private sealed class Square : IShape
    {
        public long Site(long a) => Pv.Mix(a);
    }
}

public static unsafe class InterfaceOfThreeClasses
{
    private static readonly IShape[] Shapes = [new Square(), new Round(), new Flat()];

    public static long Run(long a)
    {
        long sum = 0;
        foreach (IShape shape in Shapes)
            sum = (sum * 3) + shape.Site(a);
        return sum;
    }

    private interface IShape
    {
        long Site(long a);
    }

    private sealed class Square : IShape
    {
        public long Site(long a) => Pv.Mix(a);
    }

    private sealed class Round : IShape
    {
        public long Site(long a) => Pv.Join(a, 9);
    }

    private sealed class Flat : IShape
    {
        long IShape.Site(long a) => Pv.Join(9, a);
    }
}

public static unsafe class DefaultInterfaceMethod
{
    private static readonly IShape Only = new Square();

    public static long Run(long a) => Only.Site(a);

    private interface IShape
    {
        long Site(long a) => Pv.Mix(a);
    }

    private sealed class Square : IShape;
}

public static unsafe class StaticAbstract
{
    public static long Run(long a) => Through<Square>(a) + Through<Round>(a);

    private static long Through<T>(long a)
        where T : IShape
        => T.Site(a);

    private interface IShape
    {
        static abstract long Site(long a);
    }

    private readonly struct Square : IShape
    {
        public static long Site(long a) => Pv.Mix(a);
    }

    private sealed class Round : IShape
    {
        public static long Site(long a) => Pv.Join(a, 9);
    }
}

public static unsafe class StructMethod
{
    public static long Run(long a)
    {
        var counter = new Counter { Number = a };
        counter.Site();
        return counter.Number;
    }

    private struct Counter
    {
        public long Number;

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Site() => Number = Pv.Mix(Number);
    }
}

public static unsafe class StructBehindInterface
{
    private static readonly ICounter Only = new Counter { Number = 4 };

    public static long Run(long a) => Only.Site(a);

    private interface ICounter
    {
        long Site(long a);
    }

    private struct Counter : ICounter
    {
        public long Number;

        public readonly long Site(long a) => Pv.Join(Number, a);
    }
}

public static unsafe class StructConstrained
{
    public static long Run(long a) => Through(new Counter { Number = a }, 2);

    private static long Through<T>(T counter, long a)
        where T : struct, ICounter
        => counter.Site(a);

    private interface ICounter
    {
        long Site(long a);
    }

    private struct Counter : ICounter
    {
        public long Number;

        public readonly long Site(long a) => Pv.Join(Number, a);
    }
}

public static unsafe class DelegateOfStaticMethod
{
    private static readonly Func<long, long> Function = Site;

    public static long Run(long a) => Function(a);

    private static long Site(long a) => Pv.Mix(a);
}

public static unsafe class DelegateOfInstanceMethod
{
    private static readonly Func<long, long> Function = new Counter { Number = 6 }.Site;

    public static long Run(long a) => Function(a);

    private sealed class Counter
    {
        public long Number;

        public long Site(long a) => Pv.Join(Number, a);
    }
}

public static unsafe class MulticastDelegate
{
    private static long _sum;

    private static readonly Action<long> Both = (Action<long>)First + Second;

    public static long Run(long a)
    {
        _sum = 0;
        Both(a);
        return _sum;
    }

    private static void First(long a) => _sum += Pv.Mix(a);

    private static void Second(long a) => _sum = Pv.Join(_sum, a);
}

public static unsafe class Lambda
{
    private static readonly Func<long, long> Function = a => Pv.Mix(a);

    public static long Run(long a) => Function(a);
}

public static unsafe class Closure
{
    public static long Run(long a)
    {
        Func<long, long> function = b => Pv.Join(a, b);
        return function(3) + function(4);
    }
}

public static unsafe class LocalFunction
{
    public static long Run(long a)
    {
        return Site(a) + Site(a + 1);

        static long Site(long b) => Pv.Mix(b);
    }
}

public static unsafe class CapturingLocalFunction
{
    public static long Run(long a)
    {
        long sum = a;
        Site(2);
        Site(3);
        return sum;

        void Site(long b) => sum = Pv.Join(sum, b);
    }
}
