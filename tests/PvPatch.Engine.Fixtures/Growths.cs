namespace PvPatch.Engine.Fixtures;

/// <summary>Sites whose methods must grow, in methods of all kinds: what a site needs is longer than its bytes,
/// as its argument has effects, stays, and is dropped.</summary>
public static class Growths
{
    private static long _effects;

    public static unsafe long ThrowsAfterGrowth_Metadata(long a)
    {
        long big = (Pv.Small.Huge(_effects = a / 3) + _effects);
        if (a == -7)
            throw new InvalidOperationException($"{big}");
        return big;
    }

    public static unsafe long InTryCatchFinally_Metadata(long a)
    {
        long result = 0;
        try
        {
            result += (Pv.Small.Huge(_effects = a) + _effects);
            if (a > 4)
                throw new InvalidOperationException("five");
        }
        catch (InvalidOperationException e) when ((Pv.Small.Huge(_effects = e.Message.Length) + _effects) > a)
        {
            result += (Pv.Small.Huge(_effects = a + 1) + _effects);
        }
        finally
        {
            result ^= (Pv.Small.Huge(_effects = result) + _effects);
        }

        return result;
    }

    public static unsafe long InSwitchAndLoop_Metadata(long a)
    {
        long result = 0;
        for (int i = 0; i < 12; i++)
        {
            switch (i % 6)
            {
                case 0:
                    result += (Pv.Small.Huge(_effects = a) + _effects);
                    break;
                case 1:
                    result -= (Pv.Small.Huge(_effects = result) + _effects);
                    continue;
                case 2 when a > 4:
                    result ^= (Pv.Small.Huge(_effects = i) + _effects) + (Pv.Small.Huge(_effects = a) + _effects) + (Pv.Small.Huge(_effects = result) + _effects);
                    break;
                case 3:
                    result += i < a ? (Pv.Small.Huge(_effects = i) + _effects) : (Pv.Small.Huge(_effects = a) + _effects) + (Pv.Small.Huge(_effects = -a) + _effects) + (Pv.Small.Huge(_effects = i) + _effects);
                    break;
                default:
                    result++;
                    break;
            }
        }

        return result;
    }

    public static long InAsync_Metadata(long a)
    {
        return Run(a).GetAwaiter().GetResult();

        static async Task<long> Run(long a)
        {
            long kept, later;
            unsafe
            {
                kept = Pv.Small.Huge(_effects = a) + _effects;
            }

            await Task.Yield();
            unsafe
            {
                later = Pv.Small.Huge(_effects = kept) + _effects;
            }

            try
            {
                await Task.CompletedTask;
                unsafe
                {
                    later += Pv.Small.Huge(_effects = a) + _effects;
                }
            }
            finally
            {
                await Task.Yield();
                unsafe
                {
                    later ^= Pv.Small.Huge(_effects = later) + _effects;
                }
            }

            return kept + later;
        }
    }

    public static long InIterator_Metadata(long a)
    {
        return Values(a).Sum();

        static IEnumerable<long> Values(long a)
        {
            for (int i = 0; i < 3; i++)
            {
                long value;
                unsafe
                {
                    value = Pv.Small.Huge(_effects = a + i) + _effects;
                }

                yield return value;
                unsafe
                {
                    value ^= Pv.Small.Huge(_effects = i) + _effects;
                }

                yield return value;
            }
        }
    }

    public static unsafe long InGenericAndLambda_Metadata(long a)
    {
        Func<long, long> add = x => (Pv.Small.Huge(_effects = x) + _effects) + a;
        return add(Keep<string>.Of(a)) + Keep<long>.Of(add(a));
    }

    private static class Keep<T>
    {
        public static unsafe long Of(long a) => (Pv.Small.Huge(_effects = a) + _effects) + typeof(T).Name.Length;
    }
}
