using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>The sixteen conditions of Jcc, SETcc and CMOVcc (Intel SDM vol. 1, appendix B).</summary>
public static class Conditions
{
    /// <summary>OF = 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Overflow(ulong flags) => (flags & RFlags.Overflow) != 0;

    /// <summary>CF = 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Below(ulong flags) => (flags & RFlags.Carry) != 0;

    /// <summary>ZF = 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Equal(ulong flags) => (flags & RFlags.Zero) != 0;

    /// <summary>CF or ZF = 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool BelowOrEqual(ulong flags) => (flags & (RFlags.Carry | RFlags.Zero)) != 0;

    /// <summary>SF = 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Sign(ulong flags) => (flags & RFlags.Sign) != 0;

    /// <summary>PF = 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Parity(ulong flags) => (flags & RFlags.Parity) != 0;

    /// <summary>SF is not OF.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Less(ulong flags) => (((flags >> 4) ^ flags) & RFlags.Sign) != 0;

    /// <summary>ZF = 1 or SF is not OF.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool LessOrEqual(ulong flags) => ((((flags >> 4) ^ flags) & RFlags.Sign) | (flags & RFlags.Zero)) != 0;
}

/// <summary>A condition as a type argument of a shape.</summary>
internal interface ICondition
{
    static abstract bool Holds(ulong flags);
}

internal struct IfO : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(ulong flags) => Conditions.Overflow(flags);
}

internal struct IfNo : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(ulong flags) => !Conditions.Overflow(flags);
}

internal struct IfB : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(ulong flags) => Conditions.Below(flags);
}

internal struct IfAe : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(ulong flags) => !Conditions.Below(flags);
}

internal struct IfE : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(ulong flags) => Conditions.Equal(flags);
}

internal struct IfNe : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(ulong flags) => !Conditions.Equal(flags);
}

internal struct IfBe : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(ulong flags) => Conditions.BelowOrEqual(flags);
}

internal struct IfA : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(ulong flags) => !Conditions.BelowOrEqual(flags);
}

internal struct IfS : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(ulong flags) => Conditions.Sign(flags);
}

internal struct IfNs : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(ulong flags) => !Conditions.Sign(flags);
}

internal struct IfP : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(ulong flags) => Conditions.Parity(flags);
}

internal struct IfNp : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(ulong flags) => !Conditions.Parity(flags);
}

internal struct IfL : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(ulong flags) => Conditions.Less(flags);
}

internal struct IfGe : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(ulong flags) => !Conditions.Less(flags);
}

internal struct IfLe : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(ulong flags) => Conditions.LessOrEqual(flags);
}

internal struct IfG : ICondition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(ulong flags) => !Conditions.LessOrEqual(flags);
}
