using System.Runtime.Intrinsics;

namespace PvPatch.Emulator.Instructions;

/// <summary>What a floating-point instruction makes of a lane of its operands, with the exceptions that it raises.</summary>
internal interface ILaneOperation
{
    /// <summary>How the second operand is spread over lanes.</summary>
    static virtual VexSpread Spread => VexSpread.LaneByLane;

    /// <summary>One lane by the host's own arithmetic, where that gives the result and leaves MXCSR as it is; false where it does not, or may not.</summary>
    static virtual bool TryOnHost(Vector128<byte> a, Vector128<byte> b, uint mxcsr, out Vector128<byte> result)
    {
        result = default;
        return false;
    }

    /// <summary>One lane.</summary>
    /// <param name="given">What the destination holds.</param>
    /// <param name="a">The first operand.</param>
    /// <param name="b">The second operand.</param>
    /// <param name="immediate">The immediate.</param>
    /// <param name="context">How it is done and what it raised.</param>
    static abstract Vector128<byte> Do(Vector128<byte> given, Vector128<byte> a, Vector128<byte> b, byte immediate, ref FloatContext context);
}

/// <summary>Arithmetic of each element with its like.</summary>
internal unsafe struct Elementwise<TLanes, TOperation> : ILaneOperation
    where TLanes : IFloatLanes
    where TOperation : IFloatOperation
{
    public static bool TryOnHost(Vector128<byte> a, Vector128<byte> b, uint mxcsr, out Vector128<byte> result)
    {
        result = TOperation.OnHost<TLanes>(a, b);
        return HostFloat.Holds<TOperation, TLanes>(a, b, result, mxcsr);
    }

    public static Vector128<byte> Do(Vector128<byte> given, Vector128<byte> a, Vector128<byte> b, byte immediate, ref FloatContext context)
    {
        for (int i = 0; i < TLanes.Count; i++)
        {
            ulong x = FloatShapes.Element(&a, TLanes.Size, i);
            ulong y = FloatShapes.Element(&b, TLanes.Size, i);
            FloatShapes.SetElement(&a, TLanes.Size, i, TLanes.Size == 4 ? TOperation.Exactly<Single32>(x, y, ref context) : TOperation.Exactly<Double64>(x, y, ref context));
        }

        return a;
    }
}

/// <summary>RCP and RSQRT.</summary>
internal unsafe struct Approximated<TLanes, TFunction> : ILaneOperation
    where TLanes : IFloatLanes
    where TFunction : IApproximated
{
    public static Vector128<byte> Do(Vector128<byte> given, Vector128<byte> a, Vector128<byte> b, byte immediate, ref FloatContext context)
    {
        for (int i = 0; i < TLanes.Count; i++)
            FloatShapes.SetElement(&a, TLanes.Size, i, Approximations.Of<TFunction>(FloatShapes.Element(&b, TLanes.Size, i)));
        return a;
    }
}

/// <summary>HADD, HSUB: neighbours within the first operand, then within the second.</summary>
internal unsafe struct OfNeighbours<TLanes, TOperation> : ILaneOperation
    where TLanes : IFloatLanes
    where TOperation : IFloatOperation
{
    public static Vector128<byte> Do(Vector128<byte> given, Vector128<byte> a, Vector128<byte> b, byte immediate, ref FloatContext context)
    {
        Vector128<byte> result = default;
        int half = TLanes.Count / 2;
        for (int i = 0; i < TLanes.Count; i++)
        {
            Vector128<byte>* source = i < half ? &a : &b;
            int first = 2 * (i % half);
            ulong x = FloatShapes.Element(source, TLanes.Size, first);
            ulong y = FloatShapes.Element(source, TLanes.Size, first + 1);
            FloatShapes.SetElement(&result, TLanes.Size, i, TLanes.Size == 4 ? TOperation.Exactly<Single32>(x, y, ref context) : TOperation.Exactly<Double64>(x, y, ref context));
        }

        return result;
    }
}

/// <summary>ADDSUB: even elements subtracted, odd ones added.</summary>
internal unsafe struct Alternating<TLanes, TFormat> : ILaneOperation
    where TLanes : IFloatLanes
    where TFormat : IFloatFormat
{
    public static Vector128<byte> Do(Vector128<byte> given, Vector128<byte> a, Vector128<byte> b, byte immediate, ref FloatContext context)
    {
        for (int i = 0; i < TLanes.Count; i++)
        {
            ulong x = FloatShapes.Element(&a, TLanes.Size, i);
            ulong y = FloatShapes.Element(&b, TLanes.Size, i);
            bool odd = (i & 1) != 0;
            FloatShapes.SetElement(&a, TLanes.Size, i, odd ? FloatArithmetic.Add<TFormat>(x, y, ref context) : FloatArithmetic.Subtract<TFormat>(x, y, ref context));
        }

        return a;
    }
}

/// <summary>CMPPS and its kind, with all 32 predicates (Intel SDM vol. 2, table 3-1).</summary>
internal unsafe struct Comparison<TLanes, TFormat> : ILaneOperation
    where TLanes : IFloatLanes
    where TFormat : IFloatFormat
{
    private const int Less = 1;
    private const int Equal = 2;
    private const int Greater = 4;
    private const int Unordered = 8;

    /// <summary>When the first sixteen predicates hold; those above differ from them in what they raise.</summary>
    private static ReadOnlySpan<byte> Holds =>
    [
        Equal, Less, Less | Equal, Unordered, Less | Greater | Unordered, Equal | Greater | Unordered, Greater | Unordered, Less | Equal | Greater,
        Equal | Unordered, Less | Unordered, Less | Equal | Unordered, 0, Less | Greater, Equal | Greater, Greater, Less | Equal | Greater | Unordered,
    ];

    public static Vector128<byte> Do(Vector128<byte> given, Vector128<byte> a, Vector128<byte> b, byte immediate, ref FloatContext context)
    {
        // Order relations raise an invalid operation for quiet NaNs too; the upper sixteen predicates turn that round.
        bool signals = (immediate & 3) is 1 or 2 != ((immediate & 16) != 0);
        int wanted = Holds[immediate & 15];
        for (int i = 0; i < TLanes.Count; i++)
        {
            int found = FloatArithmetic.Compare<TFormat>(FloatShapes.Element(&a, TLanes.Size, i), FloatShapes.Element(&b, TLanes.Size, i), signals, ref context) switch
            {
                null => Unordered,
                0 => Equal,
                < 0 => Less,
                _ => Greater,
            };
            FloatShapes.SetElement(&a, TLanes.Size, i, (wanted & found) != 0 ? ulong.MaxValue : 0);
        }

        return a;
    }
}

/// <summary>A conversion of elements; those above are zero.</summary>
internal unsafe struct Converted<TConversion> : ILaneOperation
    where TConversion : IPackedConversion
{
    public static VexSpread Spread =>
        TConversion.SizeFrom < TConversion.SizeTo ? VexSpread.Widening : TConversion.SizeFrom > TConversion.SizeTo ? VexSpread.Narrowing : VexSpread.LaneByLane;

    public static Vector128<byte> Do(Vector128<byte> given, Vector128<byte> a, Vector128<byte> b, byte immediate, ref FloatContext context)
    {
        Vector128<byte> result = default;
        for (int i = 0; i < TConversion.Count; i++)
            FloatShapes.SetElement(&result, TConversion.SizeTo, i, TConversion.Do(FloatShapes.Element(&b, TConversion.SizeFrom, i), ref context));
        return result;
    }
}

/// <summary>CVTSS2SD, CVTSD2SS: one element, the others are the first operand's.</summary>
internal unsafe struct ConvertedScalar<TFrom, TTo> : ILaneOperation
    where TFrom : IFloatFormat
    where TTo : IFloatFormat
{
    private static int SizeFrom => TFrom.FractionBits > TTo.FractionBits ? 8 : 4;

    public static Vector128<byte> Do(Vector128<byte> given, Vector128<byte> a, Vector128<byte> b, byte immediate, ref FloatContext context)
    {
        FloatShapes.SetElement(&a, 12 - SizeFrom, 0, FloatConversions.Convert<TFrom, TTo>(FloatShapes.Element(&b, SizeFrom, 0), ref context));
        return a;
    }
}

/// <summary>ROUND to integral values.</summary>
internal unsafe struct Rounded<TLanes, TFormat> : ILaneOperation
    where TLanes : IFloatLanes
    where TFormat : IFloatFormat
{
    public static Vector128<byte> Do(Vector128<byte> given, Vector128<byte> a, Vector128<byte> b, byte immediate, ref FloatContext context)
    {
        Rounding rounding = (immediate & 4) != 0 ? context.Rounding : (Rounding)(immediate & 3);
        for (int i = 0; i < TLanes.Count; i++)
        {
            ulong bits = FloatShapes.Element(&b, TLanes.Size, i);
            FloatShapes.SetElement(&a, TLanes.Size, i, FloatConversions.ToIntegral<TFormat>(bits, rounding, (immediate & 8) != 0, ref context));
        }

        return a;
    }
}

/// <summary>VCVTPH2PS.</summary>
internal struct HalvesToSingles : ILaneOperation
{
    public static VexSpread Spread => VexSpread.Widening;

    public static Vector128<byte> Do(Vector128<byte> given, Vector128<byte> a, Vector128<byte> b, byte immediate, ref FloatContext context)
    {
        Vector128<uint> result = default;
        for (int i = 0; i < Vector128<uint>.Count; i++)
            result = result.WithElement(i, (uint)HalfPrecision.ToSingle(b.AsUInt16()[i], ref context));
        return result.AsByte();
    }
}

/// <summary>FMA: the destination is the first of three operands.</summary>
internal unsafe struct Fused<TLanes, TOperation, TOrder> : ILaneOperation
    where TLanes : IFloatLanes
    where TOperation : IFusedOperation
    where TOrder : IFusedOrder
{
    public static Vector128<byte> Do(Vector128<byte> given, Vector128<byte> a, Vector128<byte> b, byte immediate, ref FloatContext context)
    {
        for (int i = 0; i < TLanes.Count; i++)
        {
            ulong first = FloatShapes.Element(&given, TLanes.Size, i);
            ulong second = FloatShapes.Element(&a, TLanes.Size, i);
            ulong third = FloatShapes.Element(&b, TLanes.Size, i);
            ulong result = TLanes.Size == 4
                ? FusedOperation.Exactly<TOperation, TOrder, Single32>(first, second, third, i, ref context)
                : FusedOperation.Exactly<TOperation, TOrder, Double64>(first, second, third, i, ref context);
            FloatShapes.SetElement(&given, TLanes.Size, i, result);
        }

        return given;
    }
}
