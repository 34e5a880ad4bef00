using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>What goes between XMM registers, general registers, memory and flags; translated code inlines it.</summary>
internal static unsafe class VectorElements
{
    /// <summary>A value from memory, zero above.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Load<T>(byte* host) =>
        // SAFETY: callers have sizeof(T) readable bytes there.
        sizeof(T) switch
        {
            1 => Vector128.CreateScalar(*host),
            2 => Vector128.CreateScalar(Unsafe.ReadUnaligned<ushort>(host)).AsByte(),
            4 => Vector128.CreateScalar(Unsafe.ReadUnaligned<uint>(host)).AsByte(),
            8 => Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(host)).AsByte(),
            _ => Vector128.Load(host),
        };

    /// <summary>The low bytes to memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(byte* host, Vector128<byte> value)
    {
        // SAFETY: callers have sizeof(T) writable bytes there.
        switch (sizeof(T))
        {
            case 4:
                Unsafe.WriteUnaligned(host, value.AsUInt32().ToScalar());
                break;
            case 8:
                Unsafe.WriteUnaligned(host, value.AsUInt64().ToScalar());
                break;
            default:
                value.Store(host);
                break;
        }
    }

    /// <summary>The high half to memory: MOVHPS, MOVHPD.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreHigh(byte* host, Vector128<byte> value) =>
        // SAFETY: callers have 8 writable bytes there.
        Unsafe.WriteUnaligned(host, value.AsUInt64().GetElement(1));

    /// <summary>MOVD and MOVQ from a general register: zero above.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> FromGeneral(ulong value) => Vector128.CreateScalar(value).AsByte();

    /// <summary>MOVD and MOVQ to a general register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ToGeneral<T>(Vector128<byte> value) =>
        sizeof(T) == 4 ? value.AsUInt32().ToScalar() : value.AsUInt64().ToScalar();

    /// <summary>PINSR: the immediate chooses the element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Insert<T>(Vector128<byte> vector, ulong value, byte immediate) =>
        sizeof(T) switch
        {
            1 => vector.WithElement(immediate & 15, (byte)value),
            2 => vector.AsUInt16().WithElement(immediate & 7, (ushort)value).AsByte(),
            4 => vector.AsUInt32().WithElement(immediate & 3, (uint)value).AsByte(),
            _ => vector.AsUInt64().WithElement(immediate & 1, value).AsByte(),
        };

    /// <summary>PEXTR and EXTRACTPS: the immediate chooses the element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Extract<T>(Vector128<byte> vector, byte immediate) =>
        sizeof(T) switch
        {
            1 => vector.GetElement(immediate & 15),
            2 => vector.AsUInt16().GetElement(immediate & 7),
            4 => vector.AsUInt32().GetElement(immediate & 3),
            _ => vector.AsUInt64().GetElement(immediate & 1),
        };

    /// <summary>PMOVMSKB, MOVMSKPS, MOVMSKPD: the sign of each element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SignMask<T>(Vector128<byte> vector) =>
        sizeof(T) switch
        {
            1 => Vector128.ExtractMostSignificantBits(vector),
            4 => Vector128.ExtractMostSignificantBits(vector.AsUInt32()),
            _ => Vector128.ExtractMostSignificantBits(vector.AsUInt64()),
        };

    /// <summary>Two lanes as one vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Join(Vector128<byte> low, Vector128<byte> high) => Vector256.Create(low, high);

    /// <summary>The low lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Lower(Vector256<byte> value) => value.GetLower();

    /// <summary>The high lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Upper(Vector256<byte> value) => value.GetUpper();

    /// <summary>PTEST (all bits), VTESTPS and VTESTPD (signs), of two lanes: ZF if no chosen bit is in both, CF if none of the second is missing in the first; the other status flags become clear.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Test<TElement>(Vector128<byte> a, Vector128<byte> aHigh, Vector128<byte> b, Vector128<byte> bHigh, ref ulong flags)
    {
        Vector128<byte> chosen = sizeof(TElement) switch
        {
            1 => Vector128<byte>.AllBitsSet,
            4 => Vector128.Create(1u << 31).AsByte(),
            _ => Vector128.Create(1ul << 63).AsByte(),
        };
        ulong zero = (((a & b) | (aHigh & bHigh)) & chosen) == Vector128<byte>.Zero ? RFlags.Zero : 0;
        ulong carry = ((Vector128.AndNot(b, a) | Vector128.AndNot(bHigh, aHigh)) & chosen) == Vector128<byte>.Zero ? RFlags.Carry : 0;
        StatusFlags.Set(ref flags, zero | carry);
    }
}
