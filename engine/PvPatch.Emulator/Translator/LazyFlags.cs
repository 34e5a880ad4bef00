using System.Numerics;
using System.Reflection;
using System.Runtime.CompilerServices;
using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Translator;

/// <summary>Operations whose status flags follow from two values, so that they need not be computed until somebody asks.</summary>
internal enum LazyOperation
{
    /// <summary>Nothing waits: RFLAGS is as it should be.</summary>
    None,

    /// <summary>ADD.</summary>
    Add,

    /// <summary>SUB, CMP, NEG.</summary>
    Subtract,

    /// <summary>ADC; its carry in is CF of RFLAGS.</summary>
    AddWithCarry,

    /// <summary>SBB; its borrow in is CF of RFLAGS.</summary>
    SubtractWithBorrow,

    /// <summary>AND, OR, XOR, TEST: the first value is the result.</summary>
    Logic,

    /// <summary>INC: the second value is not used, CF stays.</summary>
    Increment,

    /// <summary>DEC: as INC.</summary>
    Decrement,

    /// <summary>SHL by a count that is not 0.</summary>
    ShiftLeft,

    /// <summary>SHR by a count that is not 0.</summary>
    ShiftRight,

    /// <summary>SAR by a count that is not 0.</summary>
    ShiftArithmeticRight,

    /// <summary>MUL, of its two factors.</summary>
    UnsignedProduct,

    /// <summary>IMUL, of its two factors.</summary>
    SignedProduct,

    /// <summary>UCOMIS and COMIS: the first value is 1 if the first number is greater than or equal to the second, else 0; the second is 1 if it is less or equal.</summary>
    FloatOrder,
}

/// <summary>An operation whose flags were not computed yet: with its two values it says all that RFLAGS will be.</summary>
/// <param name="Operation">The operation.</param>
/// <param name="Size">Size of its operands in bytes.</param>
internal readonly record struct LazyFlags(LazyOperation Operation, int Size)
{
    private static readonly MethodInfo?[] Methods = new MethodInfo?[((int)LazyOperation.FloatOrder + 1) << 2];

    /// <summary>Whether it is the same operation: what the compiler would write costs the first region five methods of the framework.</summary>
    public bool Equals(LazyFlags other) => Operation == other.Operation && Size == other.Size;

    /// <inheritdoc/>
    public override int GetHashCode() => Number;

    /// <summary>Nothing waits.</summary>
    public static LazyFlags None => default;

    /// <summary>The number that stands for it in translated code; 0 is none.</summary>
    public int Number => Operation == LazyOperation.None ? 0 : ((int)Operation << 2) | BitOperations.Log2((uint)Size);

    /// <summary>What computes RFLAGS from both values and RFLAGS as it was: it is inlined into translated code.</summary>
    public MethodInfo Method => Methods[Number] ??=
        typeof(LazyFlags).GetMethod(Operation.ToString(), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(IntegerTypes.OfSize(Size));

    /// <summary>Computes RFLAGS.</summary>
    /// <param name="number">The waiting operation.</param>
    /// <param name="a">Its first value.</param>
    /// <param name="b">Its second value.</param>
    /// <param name="flags">RFLAGS before it.</param>
    public static ulong Compute(int number, ulong a, ulong b, ulong flags) => (number & 3) switch
    {
        0 => Compute((LazyOperation)(number >> 2), (byte)a, (byte)b, flags),
        1 => Compute((LazyOperation)(number >> 2), (ushort)a, (ushort)b, flags),
        2 => Compute((LazyOperation)(number >> 2), (uint)a, (uint)b, flags),
        _ => Compute((LazyOperation)(number >> 2), a, b, flags),
    };

    private static ulong Compute<T>(LazyOperation operation, T a, T b, ulong flags) =>
        operation switch
        {
            LazyOperation.Add => Add(a, b, flags),
            LazyOperation.Subtract => Subtract(a, b, flags),
            LazyOperation.AddWithCarry => AddWithCarry(a, b, flags),
            LazyOperation.SubtractWithBorrow => SubtractWithBorrow(a, b, flags),
            LazyOperation.Logic => Logic(a, b, flags),
            LazyOperation.Increment => Increment(a, b, flags),
            LazyOperation.Decrement => Decrement(a, b, flags),
            LazyOperation.ShiftLeft => ShiftLeft(a, b, flags),
            LazyOperation.ShiftRight => ShiftRight(a, b, flags),
            LazyOperation.ShiftArithmeticRight => ShiftArithmeticRight(a, b, flags),
            LazyOperation.UnsignedProduct => UnsignedProduct(a, b, flags),
            LazyOperation.SignedProduct => SignedProduct(a, b, flags),
            LazyOperation.FloatOrder => FloatOrder(a, b, flags),
            _ => flags,
        };

    // The meanings themselves are those that the interpreter's handlers call.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Add<T>(T a, T b, ulong flags)
    {
        Arithmetic.Add(a, b, ref flags);
        return flags;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Subtract<T>(T a, T b, ulong flags)
    {
        Arithmetic.Subtract(a, b, ref flags);
        return flags;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong AddWithCarry<T>(T a, T b, ulong flags)
    {
        Arithmetic.AddWithCarry(a, b, ref flags);
        return flags;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong SubtractWithBorrow<T>(T a, T b, ulong flags)
    {
        Arithmetic.SubtractWithBorrow(a, b, ref flags);
        return flags;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Logic<T>(T a, T b, ulong flags)
    {
        Instructions.Logic.And(a, a, ref flags);
        return flags;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Increment<T>(T a, T b, ulong flags)
    {
        Arithmetic.Increment(a, ref flags);
        return flags;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Decrement<T>(T a, T b, ulong flags)
    {
        Arithmetic.Decrement(a, ref flags);
        return flags;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong ShiftLeft<T>(T a, T b, ulong flags)
    {
        Shifts.Left(a, b, ref flags);
        return flags;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong ShiftRight<T>(T a, T b, ulong flags)
    {
        Shifts.Right(a, b, ref flags);
        return flags;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong ShiftArithmeticRight<T>(T a, T b, ulong flags)
    {
        Shifts.ArithmeticRight(a, b, ref flags);
        return flags;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong UnsignedProduct<T>(T a, T b, ulong flags)
    {
        Multiplication.Unsigned(a, b, out T _, ref flags);
        return flags;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong FloatOrder<T>(T notLess, T notGreater, ulong flags)
    {
        ulong first = Integer.ZeroExtend(notLess);
        ulong second = Integer.ZeroExtend(notGreater);
        StatusFlags.Set(ref flags, (1 - first) | ((1 - (first | second)) * State.RFlags.Parity) | ((1 - (first ^ second)) * State.RFlags.Zero));
        return flags;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong SignedProduct<T>(T a, T b, ulong flags)
    {
        Multiplication.Signed(a, b, out T _, ref flags);
        return flags;
    }
}

/// <summary>Unsigned types by size.</summary>
internal static class IntegerTypes
{
    /// <summary>The unsigned type of a size in bytes.</summary>
    public static Type OfSize(int size) => size switch
    {
        1 => typeof(byte),
        2 => typeof(ushort),
        4 => typeof(uint),
        _ => typeof(ulong),
    };
}
