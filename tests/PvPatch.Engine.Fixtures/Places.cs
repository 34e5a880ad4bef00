using System.Runtime.CompilerServices;

namespace PvPatch.Engine.Fixtures;

/// <summary>Places in a program where a site can stand. The name's end is the verdict.</summary>
public static unsafe class Places
{
    private static readonly long InStaticConstructor = Pv.Math.Negate(5);

    public static long InTryBlock_Direct(long a)
    {
        try
        {
            a = Pv.Math.Negate(a);
            return a / (a - a);
        }
        catch (DivideByZeroException)
        {
            return Pv.Math.Add(a, 1);
        }
        finally
        {
            a = Pv.Math.Negate(a);
        }
    }

    public static long InFilter_Direct(long a)
    {
        try
        {
            throw new InvalidOperationException();
        }
        catch (InvalidOperationException) when (Pv.Math.Negate(a) < 0)
        {
            return Pv.Math.Add(a, 2);
        }
        catch (InvalidOperationException)
        {
            return -1;
        }
    }

    public static long InFinally_Direct(long a)
    {
        long b = 0;
        try
        {
            b = a;
        }
        finally
        {
            b = Pv.Math.Add(b, a);
        }

        return b;
    }

    public static long TableInCatchVariable_Direct(long a)
    {
        ref MathOps math = ref Pv.Math;
        try
        {
            if (a >= 0)
                throw new InvalidOperationException();
            return 0;
        }
        catch (InvalidOperationException)
        {
            return math.Negate(a);
        }
    }

    public static long SlotChangesInTry_Left(long a)
    {
        delegate* unmanaged<long, long> op = Pv.Math.Negate;
        try
        {
            op = Pv.Small.Same;
            if (a > 3)
                throw new InvalidOperationException();
        }
        catch (InvalidOperationException)
        {
            return op(a);
        }

        return a;
    }

    public static long SlotChangesInFinally_Left(long a)
    {
        delegate* unmanaged<long, long> op = Pv.Math.Negate;
        try
        {
            a++;
        }
        finally
        {
            if (a > 3)
                op = Pv.Small.Same;
        }

        return op(a);
    }

    public static long InLambda_Direct(long a)
    {
        Func<long, long> f = x => Pv.Math.Add(x, a);
        return f(3);
    }

    public static long InLocalFunction_Direct(long a)
    {
        return Twice(a) + Twice(1);

        static long Twice(long x) => Pv.Math.Add(x, x);
    }

    public static long InIterator_Direct(long a)
    {
        long sum = 0;
        foreach (long x in Numbers(a))
            sum = (sum * 3) + x;
        return sum;

        static IEnumerable<long> Numbers(long n)
        {
            for (int i = 0; i < 4; i++)
            {
                unsafe
                {
                    n = Pv.Math.Negate(n + i);
                }

                yield return n;
            }
        }
    }

    public static long InGenericMethod_Direct(long a)
    {
        return Sum<int>(a) + Sum<string>(a);

        static long Sum<T>(long x) => Pv.Math.Add(x, typeof(T).Name.Length);
    }

    public static long InGenericClass_Direct(long a) => new InGenericClass_Direct<string>(a).Value + new InGenericClass_Direct<int>(a).Value;

    public static long InInstanceMethod_Direct(long a) => new Instance { Number = a }.InInstanceMethod_Direct();

    public static long InVirtualMethod_Direct(long a) => ((IPlace)new Instance { Number = a }).InVirtualMethod_Direct();

    public static long InStaticConstructor_Direct(long a) => InStaticConstructor + Pv.Math.Negate(a);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static long AggressivelyOptimised_Direct(long a) => Pv.Math.Add(a, 1);

    public static long InSwitch_Direct(long a)
    {
        switch (a % 3)
        {
            case 0:
                return Pv.Math.Negate(a);
            case 1:
                return Pv.Math.Add(a, 5);
            default:
                return 0;
        }
    }

    public static long WithStackAlloc_Direct(long a)
    {
        long* numbers = stackalloc long[2];
        numbers[1] = a;
        Pv.Math.Bump(numbers + 1);
        return Pv.Math.Add(numbers[0], numbers[1]);
    }

    public static long WithManyLocals_Direct(long a)
    {
        long b = a + 1, c = b * 2, d = c - a, e = d + c, f = e ^ b, g = f + 1, h = g * 3;
        long i = Pv.Math.Add(h, g), j = Pv.Math.Add(i, f), k = Pv.Math.Add(j, e);
        return a + b + c + d + e + f + g + h + i + j + k;
    }

    private interface IPlace
    {
        long InVirtualMethod_Direct();
    }

    private sealed class Instance : IPlace
    {
        public long Number { get; init; }

        public long InInstanceMethod_Direct() => Pv.Math.Negate(Number);

        long IPlace.InVirtualMethod_Direct() => Pv.Math.Negate(Number);
    }
}

public sealed unsafe class InGenericClass_Direct<T>(long number)
{
    public long Value => Pv.Math.Add(number, typeof(T).Name.Length);
}

/// <summary>A method cannot await in an unsafe class.</summary>
public static class AsyncPlaces
{
    public static long InAsync_Direct(long a)
    {
        return Run(a).GetAwaiter().GetResult();

        static async Task<long> Run(long x)
        {
            long y, z;
            unsafe
            {
                y = Pv.Math.Negate(x);
            }

            await Task.Yield();
            unsafe
            {
                z = Pv.Math.Add(y, x * 3);
            }

            return y + z;
        }
    }
}
