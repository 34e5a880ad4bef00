using System.Runtime.CompilerServices;

namespace PvPatch.Engine.Fixtures;

/// <summary>Kinds of methods that are hot when they are patched. None is inlined, so each has one body. The name's end is the verdict.</summary>
public static unsafe class HotPlaces
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Leaf_Direct(long a) => Pv.Math.Negate(a);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Loop_Direct(long a)
    {
        long sum = 0;
        for (int i = 0; i < 50; i++)
            sum = Pv.Math.Add(sum, a + i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Regions_Direct(long a)
    {
        long b = 0;
        try
        {
            b = Pv.Math.Negate(a);
            return b / (a - a);
        }
        catch (DivideByZeroException e) when (e.Message.Length > 0 && Pv.Math.Negate(1) < 0)
        {
            return Pv.Math.Add(a, b + 1);
        }
        finally
        {
            Counted += Pv.Math.Add(1, 1);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Tokens_Direct(long a)
    {
        object boxed = Pv.Math.Add(a, 1);
        string text = $"{boxed} of {typeof(Pair).Name} and {default(Dictionary<string, Pair>)?.Count}";
        long[] numbers = [1, 2, 3, a];
        Func<long, long> function = Identity;
        return text.Length + numbers[3] + function((long)boxed);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Switch_Direct(long a) => (a % 5) switch
    {
        0 => Pv.Math.Negate(a),
        1 => Pv.Math.Add(a, 3),
        2 => 7,
        3 => Pv.Math.Add(a, Pv.Math.Negate(4)),
        _ => 0,
    };

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Recursion_Direct(long a) => a <= 0 ? 0 : Pv.Math.Add(Recursion_Direct((a / 2) - 1), 1);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long StackAlloc_Direct(long a)
    {
        Span<long> numbers = stackalloc long[4];
        numbers[1] = Pv.Math.Negate(a);
        long counter = a;
        Pv.Math.Bump(&counter);
        return numbers[1] + counter;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Constant_Inline(long a) => Pv.Small.Seven(a) + a;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long BesideAnIndirectCall_Mixed(long a) => Pv.Math.Negate(a) + Pv.Stubborn.SetUp(a);

    public static long InKinds_Direct(long a)
    {
        var kinds = new Kinds { Number = a };
        var counted = new CountedStruct { Number = a };
        long big = Kinds.Turned(a).First;
        return kinds.Instance(1, 2, 3, 4, 5, 6, 7) + counted.InStruct() + big + Kinds.ByReference(ref kinds.Number);
    }

    public static long InRefusedKinds_Direct(long a)
    {
        var kinds = new Kinds { Number = a };
        return kinds.Virtual() + kinds.Synchronized() + kinds.GivesStruct().Second + Kinds.Optimised(a) + Kinds.Generic<int>(a) + Kinds.Inlined(a);
    }

    private static long Counted { get; set; }

    private static long Identity(long a) => a;

    private struct CountedStruct
    {
        public long Number;

        [MethodImpl(MethodImplOptions.NoInlining)]
        public long InStruct() => Number = Pv.Math.Add(Number, 3);
    }

    private abstract class Base
    {
        public abstract long Virtual();
    }

    private sealed class Kinds : Base
    {
        public long Number;

        [MethodImpl(MethodImplOptions.NoInlining)]
        public long Instance(long a, long b, long c, double d, int e, byte f, long g) =>
            Pv.Math.Add(Number, a + b + c + (long)d + e + f + g);

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static Pair Turned(long a) => Pv.Turn(new Pair { First = a, Third = Pv.Math.Negate(a) });

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static ref long ByReference(ref long a)
        {
            a = Pv.Math.Negate(a);
            return ref a;
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public override long Virtual() => Pv.Math.Negate(Number);

        [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.Synchronized)]
        public long Synchronized() => Pv.Math.Negate(Number);

        [MethodImpl(MethodImplOptions.NoInlining)]
        public Pair GivesStruct() => new() { Second = Pv.Math.Add(Number, 9) };

        [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
        public static long Optimised(long a) => Pv.Math.Negate(a);

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static long Generic<T>(long a) => Pv.Math.Add(a, sizeof(int) + typeof(T).Name.Length);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static long Inlined(long a) => Pv.Math.Negate(a);
    }
}
