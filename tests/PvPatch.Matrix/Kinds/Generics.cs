using System.Runtime.CompilerServices;

namespace PvPatch.Matrix.Kinds;

public static unsafe class GenericMethodOverValues
{
    public static long Run(long a) => Site<int>(a) + Site<Guid>(a);

    private static long Site<T>(long a) => Pv.Join(a, typeof(T).Name.Length);
}

public static unsafe class GenericMethodOverReferences
{
    public static long Run(long a) => Site<string>(a) + Site<object>(a);

    private static long Site<T>(long a) => Pv.Join(a, typeof(T).Name.Length);
}

public static unsafe class GenericClassOverValues
{
    public static long Run(long a) => new Box<int>(a).Site() + new Box<double>(a).Site();

    private sealed class Box<T>(long number)
    {
        public long Site() => Pv.Join(number, typeof(T).Name.Length);
    }
}

public static unsafe class GenericClassOverReferences
{
    public static long Run(long a) => new Box<string>(a).Site() + new Box<Version>(a).Site();

    private sealed class Box<T>(long number)
    {
        public long Site() => Pv.Join(number, typeof(T).Name.Length);
    }
}

public static unsafe class SharedGenericStatics
{
    public static long Run(long a) => Box<string>.Site(a) + Box<Version>.Site(a);

    private static class Box<T>
    {
        private static readonly long Length = typeof(T).Name.Length;

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static long Site(long a) => Pv.Join(a, Length);
    }
}

public static unsafe class GenericVirtual
{
    private static readonly Shape Only = new Square();

    public static long Run(long a) => Only.Site<string>(a) + Only.Site<int>(a);

    private abstract class Shape
    {
        public abstract long Site<T>(long a);
    }

    private sealed class Square : Shape
    {
        public override long Site<T>(long a) => Pv.Join(a, typeof(T).Name.Length);
    }
}

public static unsafe class GenericInterface
{
    private static readonly IShape<string> Only = new Square<string>();

    public static long Run(long a) => Only.Site("four", a);

    private interface IShape<in T>
    {
        long Site(T of, long a);
    }

    private sealed class Square<T> : IShape<T>
    {
        public long Site(T of, long a) => Pv.Join(of!.ToString()!.Length, a);
    }
}

public static unsafe class GenericStruct
{
    public static long Run(long a) => new Pair<long>(a, 3).Site() + new Pair<string>("one", "two").Site();

    private readonly struct Pair<T>(T first, T second)
    {
        private readonly T _first = first, _second = second;

        [MethodImpl(MethodImplOptions.NoInlining)]
        public long Site() => Pv.Join(_first!.ToString()!.Length, _second!.ToString()!.Length);
    }
}

public static unsafe class NestedInGeneric
{
    public static long Run(long a) => Outer<string>.Inner.Site(a) + Outer<byte>.Inner.Site(a);

    private static class Outer<T>
    {
        public static class Inner
        {
            public static long Site(long a) => Pv.Join(a, typeof(T).Name.Length);
        }
    }
}

public static unsafe class LambdaInGenericMethod
{
    public static long Run(long a) => Caller<string>(a) + Caller<int>(a);

    private static long Caller<T>(long a)
    {
        Func<long, long> function = b => Pv.Join(b, typeof(T).Name.Length);
        return function(a);
    }
}

public static unsafe class InferredFromDelegate
{
    public static long Run(long a) => Apply(a, static b => Pv.Mix(b));

    private static T Apply<T>(T value, Func<T, T> function) => function(value);
}
