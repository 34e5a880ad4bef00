using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Addition and subtraction (Intel SDM vol. 2: ADD, ADC, SUB, SBB, CMP, INC, DEC, NEG, ADCX, ADOX).</summary>
public static class Arithmetic
{
    /// <summary>ADD.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Add<T>(T a, T b, ref ulong flags)
    {
        T result = a + b;
        StatusFlags.Set(ref flags, (result < a ? RFlags.Carry : 0) | OfSum(a, b, result));
        return result;
    }

    /// <summary>ADC.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T AddWithCarry<T>(T a, T b, ref ulong flags)
    {
        bool carryIn = (flags & RFlags.Carry) != 0;
        T result = a + b + (carryIn ? Integer.One<T>() : Integer.Zero<T>());
        bool carry = carryIn ? result <= a : result < a;
        StatusFlags.Set(ref flags, (carry ? RFlags.Carry : 0) | OfSum(a, b, result));
        return result;
    }

    /// <summary>SUB and CMP.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Subtract<T>(T a, T b, ref ulong flags)
    {
        T result = a - b;
        StatusFlags.Set(ref flags, (a < b ? RFlags.Carry : 0) | OfDifference(a, b, result));
        return result;
    }

    /// <summary>SBB.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SubtractWithBorrow<T>(T a, T b, ref ulong flags)
    {
        bool borrowIn = (flags & RFlags.Carry) != 0;
        T result = a - b - (borrowIn ? Integer.One<T>() : Integer.Zero<T>());
        bool borrow = borrowIn ? a <= b : a < b;
        StatusFlags.Set(ref flags, (borrow ? RFlags.Carry : 0) | OfDifference(a, b, result));
        return result;
    }

    /// <summary>INC: leaves CF.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Increment<T>(T a, ref ulong flags)
    {
        T result = a + Integer.One<T>();
        StatusFlags.Set(ref flags, (flags & RFlags.Carry) | OfSum(a, Integer.One<T>(), result));
        return result;
    }

    /// <summary>DEC: leaves CF.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Decrement<T>(T a, ref ulong flags)
    {
        T result = a - Integer.One<T>();
        StatusFlags.Set(ref flags, (flags & RFlags.Carry) | OfDifference(a, Integer.One<T>(), result));
        return result;
    }

    /// <summary>NEG.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Negate<T>(T a, ref ulong flags) =>
        Subtract(Integer.Zero<T>(), a, ref flags);

    /// <summary>ADCX: adds with CF and changes only CF.</summary>
    public static T AddCarryOnly<T>(T a, T b, ref ulong flags) =>
        AddThrough(a, b, RFlags.Carry, ref flags);

    /// <summary>ADOX: adds with OF and changes only OF.</summary>
    public static T AddOverflowOnly<T>(T a, T b, ref ulong flags) =>
        AddThrough(a, b, RFlags.Overflow, ref flags);

    private static T AddThrough<T>(T a, T b, ulong flag, ref ulong flags)
    {
        bool carryIn = (flags & flag) != 0;
        T result = a + b + (carryIn ? Integer.One<T>() : Integer.Zero<T>());
        bool carry = carryIn ? result <= a : result < a;
        flags = (flags & ~flag) | (carry ? flag : 0);
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong OfSum<T>(T a, T b, T result) =>
        StatusFlags.OfResult(result) | (Integer.ZeroExtend(a ^ b ^ result) & RFlags.Adjust) | StatusFlags.OverflowFromTop((a ^ result) & (b ^ result));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong OfDifference<T>(T a, T b, T result) =>
        StatusFlags.OfResult(result) | (Integer.ZeroExtend(a ^ b ^ result) & RFlags.Adjust) | StatusFlags.OverflowFromTop((a ^ b) & (a ^ result));
}
