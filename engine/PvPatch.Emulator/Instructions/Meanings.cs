using System.Numerics;
using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>A meaning of two values: what ADD and its kind, shifts, bit scans and conditional moves are.</summary>
internal unsafe interface IBinary
{
    /// <summary>Whether the first operand is read at all.</summary>
    static virtual bool ReadsFirst => true;

    /// <summary>Whether the result is written; CMP, TEST and BT only set flags.</summary>
    static virtual bool Writes => true;

    static abstract T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T>;
}

/// <summary>A meaning of one value.</summary>
internal unsafe interface IUnary
{
    static abstract T Do<T>(CpuState* cpu, T a)
        where T : unmanaged, IBinaryInteger<T>;
}

// The adapters below bind a meaning to the CPU's flags, so that a shape can take it as a type argument.

internal unsafe struct Add : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Arithmetic.Add(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Adc : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Arithmetic.AddWithCarry(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Sub : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Arithmetic.Subtract(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Sbb : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Arithmetic.SubtractWithBorrow(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Cmp : IBinary
{
    public static bool Writes => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Arithmetic.Subtract(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct And : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Logic.And(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Or : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Logic.Or(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Xor : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Logic.Xor(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Test : IBinary
{
    public static bool Writes => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Logic.And(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Mov : IBinary
{
    public static bool ReadsFirst => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => b;
}

internal unsafe struct Movbe : IBinary
{
    public static bool ReadsFirst => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => BitScans.Reverse(b);
}

internal unsafe struct Shl : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Shifts.Left(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Shr : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Shifts.Right(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Sar : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Shifts.ArithmeticRight(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Rol : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Shifts.RotateLeft(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Ror : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Shifts.RotateRight(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Rcl : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Shifts.RotateCarryLeft(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Rcr : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Shifts.RotateCarryRight(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Tzcnt : IBinary
{
    public static bool ReadsFirst => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => BitScans.CountTrailing(b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Lzcnt : IBinary
{
    public static bool ReadsFirst => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => BitScans.CountLeading(b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Popcnt : IBinary
{
    public static bool ReadsFirst => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => BitScans.CountOnes(b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Bt : IBinary
{
    public static bool Writes => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => BitScans.Test(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Bts : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => BitScans.TestAndSet(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Btr : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => BitScans.TestAndReset(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Btc : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => BitScans.TestAndComplement(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Imul : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Multiplication.Truncated(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Adcx : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Arithmetic.AddCarryOnly(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Adox : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Arithmetic.AddOverflowOnly(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Andn : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Logic.AndNot(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Bextr : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Logic.Extract(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Bzhi : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Logic.ClearAbove(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Pdep : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Logic.Deposit(a, b);
}

internal unsafe struct Pext : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Logic.Gather(a, b);
}

internal unsafe struct Shlx : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Shifts.LeftOnly(a, b);
}

internal unsafe struct Shrx : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Shifts.RightOnly(a, b);
}

internal unsafe struct Sarx : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Shifts.ArithmeticRightOnly(a, b);
}

internal unsafe struct Rorx : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Shifts.RotateRightOnly(a, b);
}

internal unsafe struct Blsi : IBinary
{
    public static bool ReadsFirst => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Logic.IsolateLowest(b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Blsr : IBinary
{
    public static bool ReadsFirst => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Logic.ClearLowest(b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Blsmsk : IBinary
{
    public static bool ReadsFirst => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b)
        where T : unmanaged, IBinaryInteger<T> => Logic.MaskToLowest(b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Inc : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a)
        where T : unmanaged, IBinaryInteger<T> => Arithmetic.Increment(a, ref StatusFlags.Of(cpu));
}

internal unsafe struct Dec : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a)
        where T : unmanaged, IBinaryInteger<T> => Arithmetic.Decrement(a, ref StatusFlags.Of(cpu));
}

internal unsafe struct Neg : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a)
        where T : unmanaged, IBinaryInteger<T> => Arithmetic.Negate(a, ref StatusFlags.Of(cpu));
}

internal unsafe struct Not : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a)
        where T : unmanaged, IBinaryInteger<T> => ~a;
}

internal unsafe struct Bswap : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a)
        where T : unmanaged, IBinaryInteger<T> => sizeof(T) == 2 ? T.CreateTruncating(BitScans.ReverseWord()) : BitScans.Reverse(a);
}
