using System.Runtime.CompilerServices;

namespace PvPatch.Matrix.Kinds;

public static unsafe class TryCatch
{
    public static long Run(long a) => Site(a, 0) + Site(a, 1);

    private static long Site(long a, long b)
    {
        try
        {
            return Pv.Mix(a) / b;
        }
        catch (DivideByZeroException)
        {
            return Pv.Join(a, 3);
        }
    }
}

public static unsafe class TryFilter
{
    public static long Run(long a) => Site(a);

    private static long Site(long a)
    {
        try
        {
            throw new InvalidOperationException();
        }
        catch (InvalidOperationException) when (Pv.Mix(a) > long.MaxValue - 1)
        {
            return -1;
        }
        catch (InvalidOperationException) when (Pv.Mix(a) != 0)
        {
            return Pv.Join(a, 3);
        }
    }
}

public static unsafe class TryFinally
{
    public static long Run(long a)
    {
        long b = a;
        try
        {
            Site(ref b);
        }
        catch (InvalidOperationException)
        {
            b++;
        }

        return b;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Site(ref long a)
    {
        try
        {
            a = Pv.Mix(a);
            if ((a & 1) == 0)
                throw new InvalidOperationException();
        }
        finally
        {
            a = Pv.Join(a, 5);
        }
    }
}

public static class TryFault
{
    public static long Run(long a)
    {
        long sum = 0;
        foreach (long b in Numbers(a))
            sum += b;
        return sum;
    }

    /// <summary>The compiler gives the moving method of such an iterator a fault region.</summary>
    private static IEnumerable<long> Numbers(long a)
    {
        using var held = new MemoryStream();
        long b;
        unsafe
        {
            b = Pv.Mix(a + held.Length);
        }

        yield return b;
    }
}

public static unsafe class TryInArguments
{
    public static long Run(long a) => Pv.Join(Site(a), a > 3 ? Site(a - 1) : Pv.Mix(a));

    private static long Site(long a)
    {
        long result;
        try
        {
            result = Pv.Join(checked(a * a), Pv.Mix(a));
        }
        catch (OverflowException)
        {
            result = Pv.Mix(2);
        }

        return result;
    }
}

public static unsafe class NestedRegions
{
    public static long Run(long a) => Site(a);

    private static long Site(long a)
    {
        long b = 0;
        try
        {
            try
            {
                b = Pv.Mix(a);
                throw new FormatException();
            }
            finally
            {
                b = Pv.Join(b, 1);
            }
        }
        catch (FormatException) when (b != 0)
        {
            try
            {
                b = Pv.Join(b, 2);
                throw;
            }
            catch (FormatException)
            {
                return Pv.Mix(b);
            }
        }
    }
}

public static unsafe class Throws
{
    public static long Run(long a)
    {
        try
        {
            return Site(a);
        }
        catch (InvalidOperationException e)
        {
            return e.HResult + e.Message.Length;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Site(long a) => throw new InvalidOperationException(new string('x', (int)(Pv.Mix(a) & 15)));
}

public static unsafe class LockStatement
{
    private static readonly Lock Gate = new();
    private static readonly object Old = new();

    public static long Run(long a) => Site(a);

    private static long Site(long a)
    {
        lock (Gate)
            a = Pv.Mix(a);
        lock (Old)
            return Pv.Join(a, 2);
    }
}

public static unsafe class UsingStatement
{
    public static long Run(long a) => Site(a);

    private static long Site(long a)
    {
        using var scope = new Scope(a);
        return Pv.Join(scope.Number, a);
    }

    private sealed class Scope(long number) : IDisposable
    {
        public long Number { get; private set; } = Pv.Mix(number);

        public void Dispose() => Number = Pv.Mix(Number);
    }
}
