using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PvPatch.Emulator.Instructions;

/// <summary>What FMA's instructions make of x * y and z, said in two ways: signs for the arithmetic on integers, and the host's own instruction.</summary>
internal interface IFusedOperation
{
    /// <summary>Whether the product's sign changes.</summary>
    static abstract bool NegatesProduct { get; }

    /// <summary>Whether the addend's sign changes, in an element of this number.</summary>
    static abstract bool NegatesAddend(int element);

    /// <summary>All elements, by the host; those above a scalar are x's. Which of several NaNs it gives is the runtime's compiler's choice.</summary>
    static abstract Vector128<byte> OnHost<TLanes>(Vector128<byte> x, Vector128<byte> y, Vector128<byte> z)
        where TLanes : IFloatLanes;
}

/// <summary>The digits in FMA's mnemonics: which operands are multiplied, and which is added (Intel SDM vol. 1, 14.5.1).</summary>
internal interface IFusedOrder
{
    /// <summary>The digits.</summary>
    static abstract int Digits { get; }
}

/// <summary>first * third + second.</summary>
internal struct Fused132 : IFusedOrder
{
    public static int Digits => 132;
}

/// <summary>second * first + third.</summary>
internal struct Fused213 : IFusedOrder
{
    public static int Digits => 213;
}

/// <summary>second * third + first.</summary>
internal struct Fused231 : IFusedOrder
{
    public static int Digits => 231;
}

/// <summary>FMA's instructions with their operands in the instruction's order.</summary>
internal static class FusedOperation
{
    /// <summary>Whether <see cref="OnHost"/> can be used.</summary>
    public static bool IsOnHost => Fma.IsSupported;

    /// <summary>One element, with its exceptions.</summary>
    public static ulong Exactly<TOperation, TOrder, TFormat>(ulong first, ulong second, ulong third, int element, ref FloatContext context)
        where TOperation : IFusedOperation
        where TOrder : IFusedOrder
        where TFormat : IFloatFormat
    {
        (ulong x, ulong y, ulong z) = TOrder.Digits switch
        {
            132 => (first, third, second),
            213 => (second, first, third),
            _ => (second, third, first),
        };
        return FloatMultiplyAdd.MultiplyAdd<TFormat>(x, y, z, TOperation.NegatesProduct, TOperation.NegatesAddend(element), ref context);
    }

    /// <summary>
    /// All elements, by the host, as its MXCSR says; those above a scalar are the first operand's. A result with a NaN may have another
    /// than the guest's and must be computed by <see cref="Exactly"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> OnHost<TOperation, TOrder, TLanes>(Vector128<byte> first, Vector128<byte> second, Vector128<byte> third)
        where TOperation : IFusedOperation
        where TOrder : IFusedOrder
        where TLanes : IFloatLanes
    {
        // A scalar keeps the elements above of what the host multiplies first: where that can be the first operand, nothing is to be merged.
        if (TOrder.Digits == 132)
            return TOperation.OnHost<TLanes>(first, third, second);
        if (TOrder.Digits == 213)
            return TOperation.OnHost<TLanes>(first, second, third);
        return HostFloat.Merged<TLanes>(first, TOperation.OnHost<TLanes>(second, third, first), isScalar: false);
    }
}

/// <summary>VFMADD: x * y + z.</summary>
internal struct FusedAdd : IFusedOperation
{
    public static bool NegatesProduct => false;

    public static bool NegatesAddend(int element) => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> OnHost<TLanes>(Vector128<byte> x, Vector128<byte> y, Vector128<byte> z)
        where TLanes : IFloatLanes
    {
        if (TLanes.Size == 4)
            return TLanes.Count == 1 ? Fma.MultiplyAddScalar(x.AsSingle(), y.AsSingle(), z.AsSingle()).AsByte() : Fma.MultiplyAdd(x.AsSingle(), y.AsSingle(), z.AsSingle()).AsByte();
        return TLanes.Count == 1 ? Fma.MultiplyAddScalar(x.AsDouble(), y.AsDouble(), z.AsDouble()).AsByte() : Fma.MultiplyAdd(x.AsDouble(), y.AsDouble(), z.AsDouble()).AsByte();
    }
}

/// <summary>VFMSUB: x * y - z.</summary>
internal struct FusedSubtract : IFusedOperation
{
    public static bool NegatesProduct => false;

    public static bool NegatesAddend(int element) => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> OnHost<TLanes>(Vector128<byte> x, Vector128<byte> y, Vector128<byte> z)
        where TLanes : IFloatLanes
    {
        if (TLanes.Size == 4)
            return TLanes.Count == 1 ? Fma.MultiplySubtractScalar(x.AsSingle(), y.AsSingle(), z.AsSingle()).AsByte() : Fma.MultiplySubtract(x.AsSingle(), y.AsSingle(), z.AsSingle()).AsByte();
        return TLanes.Count == 1 ? Fma.MultiplySubtractScalar(x.AsDouble(), y.AsDouble(), z.AsDouble()).AsByte() : Fma.MultiplySubtract(x.AsDouble(), y.AsDouble(), z.AsDouble()).AsByte();
    }
}

/// <summary>VFNMADD: -(x * y) + z.</summary>
internal struct NegatedFusedAdd : IFusedOperation
{
    public static bool NegatesProduct => true;

    public static bool NegatesAddend(int element) => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> OnHost<TLanes>(Vector128<byte> x, Vector128<byte> y, Vector128<byte> z)
        where TLanes : IFloatLanes
    {
        if (TLanes.Size == 4)
            return TLanes.Count == 1 ? Fma.MultiplyAddNegatedScalar(x.AsSingle(), y.AsSingle(), z.AsSingle()).AsByte() : Fma.MultiplyAddNegated(x.AsSingle(), y.AsSingle(), z.AsSingle()).AsByte();
        return TLanes.Count == 1 ? Fma.MultiplyAddNegatedScalar(x.AsDouble(), y.AsDouble(), z.AsDouble()).AsByte() : Fma.MultiplyAddNegated(x.AsDouble(), y.AsDouble(), z.AsDouble()).AsByte();
    }
}

/// <summary>VFNMSUB: -(x * y) - z.</summary>
internal struct NegatedFusedSubtract : IFusedOperation
{
    public static bool NegatesProduct => true;

    public static bool NegatesAddend(int element) => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> OnHost<TLanes>(Vector128<byte> x, Vector128<byte> y, Vector128<byte> z)
        where TLanes : IFloatLanes
    {
        if (TLanes.Size == 4)
            return TLanes.Count == 1 ? Fma.MultiplySubtractNegatedScalar(x.AsSingle(), y.AsSingle(), z.AsSingle()).AsByte() : Fma.MultiplySubtractNegated(x.AsSingle(), y.AsSingle(), z.AsSingle()).AsByte();
        return TLanes.Count == 1 ? Fma.MultiplySubtractNegatedScalar(x.AsDouble(), y.AsDouble(), z.AsDouble()).AsByte() : Fma.MultiplySubtractNegated(x.AsDouble(), y.AsDouble(), z.AsDouble()).AsByte();
    }
}

/// <summary>VFMADDSUB: x * y + z in odd elements, x * y - z in even ones. There is none of scalars.</summary>
internal struct FusedAddSubtract : IFusedOperation
{
    public static bool NegatesProduct => false;

    public static bool NegatesAddend(int element) => (element & 1) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> OnHost<TLanes>(Vector128<byte> x, Vector128<byte> y, Vector128<byte> z)
        where TLanes : IFloatLanes =>
        TLanes.Size == 4 ? Fma.MultiplyAddSubtract(x.AsSingle(), y.AsSingle(), z.AsSingle()).AsByte() : Fma.MultiplyAddSubtract(x.AsDouble(), y.AsDouble(), z.AsDouble()).AsByte();
}

/// <summary>VFMSUBADD: x * y - z in odd elements, x * y + z in even ones. There is none of scalars.</summary>
internal struct FusedSubtractAdd : IFusedOperation
{
    public static bool NegatesProduct => false;

    public static bool NegatesAddend(int element) => (element & 1) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> OnHost<TLanes>(Vector128<byte> x, Vector128<byte> y, Vector128<byte> z)
        where TLanes : IFloatLanes =>
        TLanes.Size == 4 ? Fma.MultiplySubtractAdd(x.AsSingle(), y.AsSingle(), z.AsSingle()).AsByte() : Fma.MultiplySubtractAdd(x.AsDouble(), y.AsDouble(), z.AsDouble()).AsByte();
}
