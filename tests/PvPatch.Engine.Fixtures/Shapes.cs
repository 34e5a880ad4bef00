using System.Runtime.CompilerServices;

namespace PvPatch.Engine.Fixtures;

/// <summary>Ways to reach a slot within one method. The name's end is the verdict.</summary>
public static unsafe class Shapes
{
    private static long _effects;

    public static long OneArgument_Direct(long a) => Pv.Math.Negate(a);

    public static long StaticFieldSlot_Direct(long a) => (long)Pv.Mean(a, 2);

    public static long NestedStruct_Direct(long a) => Pv.Deep.Inner.Get((int)a);

    public static long Interleaved_Direct(long a) => Pv.Math.Add(Pv.Math.Negate(a), Pv.Math.Add(Pv.Math.Negate(2), Pv.Math.Negate(a + 1)));

    public static long SameOpTwice_Direct(long a) => Pv.Math.Negate(Pv.Math.Negate(a));

    public static long BranchInArgument_Direct(long a) => Pv.Math.Add(a > 3 ? a : -a, a % 2 == 0 ? Pv.Math.Negate(a) : 5);

    public static long SwitchInArgument_Direct(long a) => Pv.Math.Add(a % 4 switch { 0 => 7, 1 => 11, 2 => 13, _ => 17 }, a);

    public static long ThrowInArgument_Direct(long a) => Pv.Math.Negate(a < 0 ? throw new ArgumentOutOfRangeException(nameof(a)) : a);

    public static long ThroughRefLocal_Direct(long a)
    {
        ref MathOps math = ref Pv.Math;
        return math.Add(math.Negate(a), 4) + math.Negate(1);
    }

    public static long ThroughRefToNested_Direct(long a)
    {
        ref InnerOps inner = ref Pv.Deep.Inner;
        return inner.Get((int)a) + inner.Get(1);
    }

    public static long ThroughRefToSlot_Direct(long a)
    {
        ref delegate* unmanaged<long, long> slot = ref Pv.Math.Negate;
        return slot(a);
    }

    public static long ThroughFixedPointer_Direct(long a)
    {
        fixed (MathOps* math = &Pv.Math)
            return math->Add(math->Negate(a), 1);
    }

    public static long ThroughCopyOfTable_Direct(long a)
    {
        MathOps math = Pv.Math;
        return math.Negate(a);
    }

    public static long ThroughLocal_Direct(long a)
    {
        delegate* unmanaged<long, long> negate = Pv.Math.Negate;
        return negate(a);
    }

    public static long ThroughLocalTwice_Direct(long a)
    {
        delegate* unmanaged<long, long> negate = Pv.Math.Negate;
        long b = negate(a);
        return negate(b + 1) * 3;
    }

    public static long ThroughLocalInLoop_Direct(long a)
    {
        delegate* unmanaged<long, long, long> add = Pv.Math.Add;
        long sum = 0;
        for (int i = 0; i < 10; i++)
            sum = add(sum, a + i);
        return sum;
    }

    public static long InLoop_Direct(long a)
    {
        long sum = 0;
        for (int i = 0; i < 10; i++)
            sum = Pv.Math.Add(sum, a + i);
        return sum;
    }

    public static long SameOpMerges_Direct(long a)
    {
        delegate* unmanaged<long, long> negate;
        if (a > 3)
        {
            _effects++;
            negate = Pv.Math.Negate;
        }
        else
        {
            negate = Pv.Math.Negate;
        }

        return negate(a);
    }

    public static long SameOpChosen_Direct(long a) => (a > 3 ? Pv.Math.Negate : Pv.Math.Negate)(a);

    public static long VoidOp_Direct(long a)
    {
        long counter = a;
        Pv.Math.Bump(&counter);
        Pv.Math.Bump(&counter);
        return counter;
    }

    public static long SmallReturn_Direct(long a) => Pv.Math.Narrow((int)(a * 1000));

    public static long StructByValue_Direct(long a)
    {
        Pair pair = Pv.Turn(new Pair { First = a, Second = 2, Third = 3 });
        return (pair.First * 100) + (pair.Second * 10) + pair.Third;
    }

    public static long ReferredMethod_Direct(long a) => (long)Pv.Root(a * a);

    public static long Constant_Inline(long a) => Pv.Small.Seven(a) + a;

    public static long ConstantOfEffects_Inline(long a) => Pv.Small.Seven(Effect(a)) + _effects;

    public static long WideConstant_Inline(long a) => unchecked((long)Pv.Small.MinusOne()) + a;

    public static long HugeConstant_Inline(long a) => Pv.Small.Huge(a) + a;

    public static long HugeConstantOfEffects_Metadata(long a) => Pv.Small.Huge(Effect(a)) + _effects;

    public static long Nop_Gone(long a)
    {
        long x = a;
        Pv.Small.Nothing(&x, a);
        return x;
    }

    public static long NopOfEffects_Gone(long a)
    {
        long x = a;
        Pv.Small.Nothing(&x, Effect(a));
        return x + _effects;
    }

    public static long NopOfBranches_Gone(long a)
    {
        long x = a;
        Pv.Small.Nothing(&x, a > 3 ? 1 : Effect(a));
        return x + _effects;
    }

    public static long NopOfTen_Gone(long a)
    {
        Pv.Small.Ten(a, 1, 2, 3, 4, a, 6, 7, 8, 9);
        return a;
    }

    public static long NopOfTenEffects_Metadata(long a)
    {
        Pv.Small.Ten(Effect(a), Effect(1), Effect(2), Effect(3), Effect(4), Effect(5), Effect(6), Effect(7), Effect(8), Effect(9));
        return _effects;
    }

    public static long Identity_Gone(long a) => Pv.Small.Same(a) + Pv.Small.Same(Effect(a));

    public static long NarrowIdentity_Gone(long a) => Pv.Small.SameByte(unchecked((byte)(a * 77)));

    public static long IdentityOfCall_Mixed(long a) => Pv.Small.Same(Pv.Math.Negate(a));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Effect(long a) => _effects += a;
}
