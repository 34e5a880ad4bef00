using System.Runtime.CompilerServices;

namespace PvPatch.Engine.Fixtures;

/// <summary>Tables and slots that methods get as parameters. The name's end is the verdict.</summary>
public static unsafe class Parameters
{
    public static long ByRef_Direct(long a)
    {
        return Call(ref Pv.Math, a) + Call(ref Pv.Math, 3);

        static long Call(ref MathOps math, long x) => math.Negate(x);
    }

    public static long ByReadOnlyRef_Direct(long a)
    {
        return Call(in Pv.Math, a);

        static long Call(in MathOps math, long x) => math.Negate(math.Negate(x) + 1);
    }

    public static long ByRefToNested_Direct(long a)
    {
        ref DeepOps deep = ref Pv.Deep;
        return Call(ref deep.Inner, (int)a);

        static long Call(ref InnerOps inner, int x) => inner.Get(x);
    }

    public static long ByPointer_Direct(long a)
    {
        fixed (MathOps* math = &Pv.Math)
            return Call(a, math);

        static long Call(long x, MathOps* math) => math->Add(math->Negate(x), 1);
    }

    public static long SlotByValue_Direct(long a)
    {
        return Call(Pv.Math.Negate, a) + Call(Pv.Math.Negate, 2);

        static long Call(delegate* unmanaged<long, long> op, long x) => op(x) + op(1);
    }

    public static long SlotByRef_Direct(long a)
    {
        return Call(ref Pv.Math.Negate, a);

        static long Call(ref delegate* unmanaged<long, long> op, long x) => op(x);
    }

    public static long Object_Direct(long a)
    {
        return Call(PvSlots.Object, a);

        static long Call(ObjectOps ops, long x) => ops.Negate(x) + ops.Nested.Add(x);
    }

    public static long Array_Direct(long a)
    {
        return Call(PvSlots.Array, a);

        static long Call(delegate* unmanaged<long, long>[] slots, long x) => slots[0](x);
    }

    public static long Recursive_Direct(long a)
    {
        return Call(ref Pv.Math, 5, a);

        static long Call(ref MathOps math, int depth, long x) => depth == 0 ? math.Negate(x) : Call(ref math, depth - 1, math.Add(x, 1));
    }

    public static long InLoop_Direct(long a)
    {
        long sum = 0;
        for (int i = 0; i < 4; i++)
            sum += Call(a + i, ref Pv.Math);
        return sum;

        static long Call(long x, ref MathOps math) => math.Negate(x);
    }

    public static long OtherTable_Left(long a)
    {
        MathOps copy = Pv.Math;
        copy.Negate = Pv.Small.Same;
        return Call(ref Pv.Math, a) + Call(ref copy, a);

        static long Call(ref MathOps math, long x) => math.Negate(x);
    }

    public static long OtherSlot_Left(long a)
    {
        return Call(Pv.Math.Negate, a) + Call(Pv.Small.Same, a);

        static long Call(delegate* unmanaged<long, long> op, long x) => op(x);
    }

    public static long PassedOn_Left(long a)
    {
        MathOps copy = Pv.Math;
        copy.Negate = Pv.Small.Same;
        return First(ref Pv.Math, a) + First(ref copy, a);

        static long First(ref MathOps math, long x) => math.Add(x, Second(ref math, x));

        static long Second(ref MathOps math, long x) => math.Negate(x);
    }

    public static long Reassigned_Left(long a)
    {
        MathOps copy = Pv.Math;
        copy.Negate = Pv.Small.Same;
        return Call(ref Pv.Math, ref copy, a);

        static long Call(ref MathOps math, ref MathOps other, long x)
        {
            if (x > 3)
                math = ref other;
            return math.Negate(x);
        }
    }

    public static long AddressTaken_Left(long a)
    {
        delegate*<ref MathOps, long, long> call = &CalledByAddress_Left;
        MathOps copy = Pv.Math;
        copy.Negate = Pv.Small.Same;
        return CalledByAddress_Left(ref Pv.Math, a) + call(ref copy, a);
    }

    public static long Public_Left(long a) => CalledByAnyone_Left(ref Pv.Math, a);

    public static long Generic_Left(long a)
    {
        return Call<int>(ref Pv.Math, a) + Call<string>(ref Pv.Math, a);

        static long Call<T>(ref MathOps math, long x) => math.Add(x, typeof(T).Name.Length);
    }

    public static long Virtual_Left(long a) => (a < 3 ? new Called() : new CalledToo()).CalledVirtually_Left(ref Pv.Math, a);

    public static long CalledByAnyone_Left(ref MathOps math, long x) => math.Negate(x);

    private static long CalledByAddress_Left(ref MathOps math, long x) => math.Negate(x);

    public static long Target_Left(long a)
    {
        MathOps copy = Pv.Math;
        copy.Negate = Pv.Small.Same;
        return PvSlots.OfTable(&copy, a) + CallFixed(a);

        static long CallFixed(long x)
        {
            fixed (MathOps* math = &Pv.Math)
                return ParameterTargets.OfTable_Left(math, x);
        }
    }

    private sealed class CalledToo : Called
    {
        public override long CalledVirtually_Left(ref MathOps math, long x) => x;
    }

    private class Called
    {
        [MethodImpl(MethodImplOptions.NoInlining)]
        public virtual long CalledVirtually_Left(ref MathOps math, long x) => math.Negate(x);
    }
}

/// <summary>A method that only this module can name, called directly with one table and by its op's sites with others.</summary>
internal static unsafe class ParameterTargets
{
    internal static long OfTable_Left(MathOps* math, long a) => math->Negate(a);
}
