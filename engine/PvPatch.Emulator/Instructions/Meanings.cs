using System.Runtime.CompilerServices;
using Iced.Intel;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>A meaning of two values: what ADD and its kind, shifts, bit scans and conditional moves are.</summary>
internal unsafe interface IBinary
{
    /// <summary>What is done with the first operand: CMP, TEST and BT only read it; MOV and bit scans only write it.</summary>
    static abstract OpAccess First { get; }

    static abstract T Do<T>(CpuState* cpu, T a, T b);
}

/// <summary>A meaning of one value.</summary>
internal unsafe interface IUnary
{
    static abstract T Do<T>(CpuState* cpu, T a);
}

// The adapters below bind a meaning to the CPU's flags, so that a shape can take it as a type argument.

internal unsafe struct Add : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Arithmetic.Add(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Adc : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Arithmetic.AddWithCarry(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Sub : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Arithmetic.Subtract(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Sbb : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Arithmetic.SubtractWithBorrow(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Cmp : IBinary
{
    public static OpAccess First => OpAccess.Read;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Arithmetic.Subtract(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct And : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Logic.And(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Or : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Logic.Or(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Xor : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Logic.Xor(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Test : IBinary
{
    public static OpAccess First => OpAccess.Read;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Logic.And(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Mov : IBinary
{
    public static OpAccess First => OpAccess.Write;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        b;
}

internal unsafe struct Movbe : IBinary
{
    public static OpAccess First => OpAccess.Write;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        BitScans.Reverse(b);
}

internal unsafe struct Shl : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Shifts.Left(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Shr : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Shifts.Right(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Sar : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Shifts.ArithmeticRight(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Rol : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Shifts.RotateLeft(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Ror : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Shifts.RotateRight(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Rcl : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Shifts.RotateCarryLeft(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Rcr : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Shifts.RotateCarryRight(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Tzcnt : IBinary
{
    public static OpAccess First => OpAccess.Write;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        BitScans.CountTrailing(b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Lzcnt : IBinary
{
    public static OpAccess First => OpAccess.Write;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        BitScans.CountLeading(b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Popcnt : IBinary
{
    public static OpAccess First => OpAccess.Write;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        BitScans.CountOnes(b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Bt : IBinary
{
    public static OpAccess First => OpAccess.Read;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        BitScans.Test(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Bts : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        BitScans.TestAndSet(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Btr : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        BitScans.TestAndReset(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Btc : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        BitScans.TestAndComplement(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Imul : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Multiplication.Truncated(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Adcx : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Arithmetic.AddCarryOnly(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Adox : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Arithmetic.AddOverflowOnly(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Andn : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Logic.AndNot(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Bextr : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Logic.Extract(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Bzhi : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Logic.ClearAbove(a, b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Pdep : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Logic.Deposit(a, b);
}

internal unsafe struct Pext : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Logic.Gather(a, b);
}

internal unsafe struct Shlx : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Shifts.LeftOnly(a, b);
}

internal unsafe struct Shrx : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Shifts.RightOnly(a, b);
}

internal unsafe struct Sarx : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Shifts.ArithmeticRightOnly(a, b);
}

internal unsafe struct Rorx : IBinary
{
    public static OpAccess First => OpAccess.ReadWrite;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Shifts.RotateRightOnly(a, b);
}

internal unsafe struct Blsi : IBinary
{
    public static OpAccess First => OpAccess.Write;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Logic.IsolateLowest(b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Blsr : IBinary
{
    public static OpAccess First => OpAccess.Write;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Logic.ClearLowest(b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Blsmsk : IBinary
{
    public static OpAccess First => OpAccess.Write;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a, T b) =>
        Logic.MaskToLowest(b, ref StatusFlags.Of(cpu));
}

internal unsafe struct Inc : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a) =>
        Arithmetic.Increment(a, ref StatusFlags.Of(cpu));
}

internal unsafe struct Dec : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a) =>
        Arithmetic.Decrement(a, ref StatusFlags.Of(cpu));
}

internal unsafe struct Neg : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a) =>
        Arithmetic.Negate(a, ref StatusFlags.Of(cpu));
}

internal unsafe struct Not : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a) =>
        ~a;
}

internal unsafe struct Bswap : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Do<T>(CpuState* cpu, T a) =>
        sizeof(T) == 2 ? Integer.Truncate<T>(BitScans.ReverseWord()) : BitScans.Reverse(a);
}
