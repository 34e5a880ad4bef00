using System.Runtime.CompilerServices;

namespace PvPatch.Matrix.Kinds;

public static class Async
{
    public static long Run(long a) => Site(a).GetAwaiter().GetResult();

    private static async Task<long> Site(long a)
    {
        long b = Wrapped(a);
        await Task.Yield();
        unsafe
        {
            b = Pv.Join(b, a);
        }

        return b;
    }

    private static unsafe long Wrapped(long a) => Pv.Mix(a);
}

public static class AsyncThatNeverWaits
{
    public static long Run(long a) => Site(a).GetAwaiter().GetResult();

    private static async ValueTask<long> Site(long a)
    {
        await Task.CompletedTask;
        unsafe
        {
            return Pv.Mix(a);
        }
    }
}

public static class AsyncWithRegions
{
    public static long Run(long a) => Site(a).GetAwaiter().GetResult();

    private static async Task<long> Site(long a)
    {
        long b = 0;
        try
        {
            await Task.Yield();
            unsafe
            {
                b = Pv.Mix(a);
            }

            throw new InvalidOperationException();
        }
        catch (InvalidOperationException)
        {
            await Task.Yield();
            unsafe
            {
                b = Pv.Join(b, a);
            }
        }
        finally
        {
            unsafe
            {
                b = Pv.Mix(b);
            }
        }

        return b;
    }
}

public static class AsyncLambda
{
    private static readonly Func<long, Task<long>> Function = async a =>
    {
        await Task.Yield();
        unsafe
        {
            return Pv.Mix(a);
        }
    };

    public static long Run(long a) => Function(a).GetAwaiter().GetResult();
}

public static class AsyncIterator
{
    public static long Run(long a) => Sum(a).GetAwaiter().GetResult();

    private static async Task<long> Sum(long a)
    {
        long sum = 0;
        await foreach (long b in Numbers(a))
            sum = (sum * 3) + b;
        return sum;
    }

    private static async IAsyncEnumerable<long> Numbers(long a)
    {
        for (int i = 0; i < 3; i++)
        {
            await Task.Yield();
            unsafe
            {
                a = Pv.Mix(a);
            }

            yield return a;
        }
    }
}

public static class Iterator
{
    public static long Run(long a)
    {
        long sum = 0;
        foreach (long b in Numbers(a))
            sum = (sum * 3) + b;
        return sum;
    }

    private static IEnumerable<long> Numbers(long a)
    {
        for (int i = 0; i < 3; i++)
        {
            unsafe
            {
                a = Pv.Mix(a);
            }

            yield return a;
        }
    }
}

public static class IteratorWithFinally
{
    public static long Run(long a)
    {
        long sum = 0;
        foreach (long b in Numbers(a, [1, 2]))
            sum = (sum * 3) + b;
        return sum;
    }

    private static IEnumerable<long> Numbers(long a, long[] last)
    {
        try
        {
            yield return last[0];
            unsafe
            {
                last[0] = Pv.Mix(a);
            }

            yield return last[0];
        }
        finally
        {
            unsafe
            {
                last[1] = Pv.Join(a, last[0]);
            }
        }
    }
}

public static class OtherThread
{
    public static long Run(long a)
    {
        long result = 0;
        Task.Run(() => result = Site(a)).Wait();
        return result;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static unsafe long Site(long a) => Pv.Mix(a);
}
