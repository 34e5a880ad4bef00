using System.Runtime.CompilerServices;

namespace PvPatch.Engine.Fixtures;

/// <summary>Calls that cannot be proven or must stay, and uses of slots that are no calls. The name's end is the verdict.</summary>
public static unsafe class Refusals
{
    private static delegate* unmanaged<long, long> _kept;

    public static long TwoSlotsMerge_Left(long a) => (a > 3 ? Pv.Math.Negate : Pv.Small.Same)(a);

    public static long SlotMergesWithOther_Left(long a)
    {
        delegate* unmanaged<long, long> op = _kept;
        if (op == null)
            op = Pv.Math.Negate;
        return op(a);
    }

    public static long TwoTablesMerge_Left(long a)
    {
        MathOps copy = Pv.Math;
        ref MathOps math = ref Unsafe.AsRef(in copy);
        if (a > 3)
            math = ref Pv.Math;
        return math.Negate(a);
    }

    public static long AddressTakenLocal_Left(long a)
    {
        delegate* unmanaged<long, long> op = Pv.Math.Negate;
        Change(&op, a);
        return op(a);

        static void Change(delegate* unmanaged<long, long>* op, long a)
        {
            if (a > 3)
                *op = null;
            if (*op == null)
                *op = _kept;
            if (*op == null)
                *op = (delegate* unmanaged<long, long>)Pv.Small.Same;
        }
    }

    public static long EscapesToField_Left(long a)
    {
        _kept = Pv.Math.Negate;
        long result = _kept(a);
        _kept = null;
        return result;
    }

    public static long Compared_Left(long a) => Pv.Math.Negate == null ? a : a + 1;

    public static long ComparedThenCalled_Mixed(long a) => Pv.Math.Negate != null ? Pv.Math.Negate(a) : a;

    public static long CalledAndKept_Mixed(long a)
    {
        delegate* unmanaged<long, long> negate = Pv.Math.Negate;
        long result = negate(a);
        _kept = negate;
        _kept = null;
        return result;
    }

    public static long Returned_Left(long a)
    {
        return (nint)Get() != 0 ? a : 0;

        static delegate* unmanaged<long, long> Get() => Pv.Math.Negate;
    }

    public static long OtherSignature_Left(long a) => (long)((delegate* unmanaged<long, nint>)Pv.Math.Negate)(a);

    public static long BoxedTable_Left(long a)
    {
        object boxed = Pv.Math;
        return ((MathOps)boxed).Negate(a);
    }

    public static long MadeNumber_Left(long a) => ((long)(nint)Pv.Math.Negate) != 0 ? a : 0;

    public static long Written_Left(long a)
    {
        if (a < 0)
            Pv.Math.Negate = null;
        return a;
    }

    public static long ClassOne_Left(long a) => Pv.Stubborn.SetUp(a);

    public static long ClassThree_Left(long a) => Pv.Stubborn.Entry(a);

    public static long Missing_Metadata(long a) => a < 0 ? Pv.Stubborn.Absent(a) : a;

    public static long PrivateTarget_Metadata(long a) => Pv.Stubborn.Private(a);

    public static long NoToken_Metadata(long a) => (long)Pv.Stubborn.Foreign(a * a * a);

    public static long WrittenByHand_Left(long a) => Pv.Stubborn.ByHand(a);
}
