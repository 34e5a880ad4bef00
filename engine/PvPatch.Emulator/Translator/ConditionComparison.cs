using System.Reflection.Emit;
using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>What two sides a condition compares.</summary>
internal enum ConditionSides
{
    /// <summary>The operation's two values.</summary>
    Values,

    /// <summary>Its result and 0.</summary>
    ResultAndZero,

    /// <summary>Its result and its first value.</summary>
    ResultAndFirst,
}

/// <summary>A condition as a comparison of what an operation left, so that no flag need be computed.</summary>
/// <param name="Sides">What is compared.</param>
/// <param name="IsSigned">As signed numbers.</param>
/// <param name="Branch">The branch if it holds.</param>
/// <param name="Set">What gives 1 if it holds, or if it does not.</param>
/// <param name="Inverted"><paramref name="Set"/> gives 1 if it does not hold.</param>
internal readonly record struct ConditionComparison(ConditionSides Sides, bool IsSigned, OpCode Branch, OpCode Set, bool Inverted)
{
    /// <summary>Whether it is the sign of the result, or that inverted.</summary>
    public bool IsSign => Sides == ConditionSides.ResultAndZero && Set == OpCodes.Clt;

    /// <summary>Whether it is that the result is 0, or that inverted.</summary>
    public bool IsZero => Sides == ConditionSides.ResultAndZero && Set == OpCodes.Ceq;

    /// <summary>The comparison for a condition after an operation, null if there is none.</summary>
    public static ConditionComparison? Of(LazyOperation operation, ConditionCode condition) => (operation, condition) switch
    {
        (LazyOperation.None, _) => null,
        (LazyOperation.AddWithCarry or LazyOperation.SubtractWithBorrow or LazyOperation.UnsignedProduct or LazyOperation.SignedProduct, _) => null,
        (LazyOperation.FloatOrder, ConditionCode.e) => Equal(ConditionSides.Values),
        (LazyOperation.FloatOrder, ConditionCode.ne) => NotEqual(ConditionSides.Values),
        (LazyOperation.FloatOrder, ConditionCode.b) => Equal(ConditionSides.ResultAndZero),
        (LazyOperation.FloatOrder, ConditionCode.ae) => NotEqual(ConditionSides.ResultAndZero),
        (LazyOperation.FloatOrder, ConditionCode.be) => BelowOrEqual(ConditionSides.Values),
        (LazyOperation.FloatOrder, ConditionCode.a) => Above(ConditionSides.Values),
        (LazyOperation.FloatOrder, _) => null,
        (LazyOperation.Subtract, ConditionCode.e) => Equal(ConditionSides.Values),
        (LazyOperation.Subtract, ConditionCode.ne) => NotEqual(ConditionSides.Values),
        (LazyOperation.Subtract, ConditionCode.b) => Below(ConditionSides.Values),
        (LazyOperation.Subtract, ConditionCode.ae) => AboveOrEqual(ConditionSides.Values),
        (LazyOperation.Subtract, ConditionCode.be) => BelowOrEqual(ConditionSides.Values),
        (LazyOperation.Subtract, ConditionCode.a) => Above(ConditionSides.Values),
        (LazyOperation.Subtract, ConditionCode.l) => Less(ConditionSides.Values),
        (LazyOperation.Subtract, ConditionCode.ge) => GreaterOrEqual(ConditionSides.Values),
        (LazyOperation.Subtract, ConditionCode.le) => LessOrEqual(ConditionSides.Values),
        (LazyOperation.Subtract, ConditionCode.g) => Greater(ConditionSides.Values),
        (LazyOperation.Add, ConditionCode.b) => Below(ConditionSides.ResultAndFirst),
        (LazyOperation.Add, ConditionCode.ae) => AboveOrEqual(ConditionSides.ResultAndFirst),
        (LazyOperation.Logic, ConditionCode.l) => Less(ConditionSides.ResultAndZero),
        (LazyOperation.Logic, ConditionCode.ge) => GreaterOrEqual(ConditionSides.ResultAndZero),
        (LazyOperation.Logic, ConditionCode.le) => LessOrEqual(ConditionSides.ResultAndZero),
        (LazyOperation.Logic, ConditionCode.g) => Greater(ConditionSides.ResultAndZero),
        (LazyOperation.Logic, ConditionCode.be) => Equal(ConditionSides.ResultAndZero),
        (LazyOperation.Logic, ConditionCode.a) => NotEqual(ConditionSides.ResultAndZero),
        (_, ConditionCode.e) => Equal(ConditionSides.ResultAndZero),
        (_, ConditionCode.ne) => NotEqual(ConditionSides.ResultAndZero),
        (_, ConditionCode.s) => Less(ConditionSides.ResultAndZero),
        (_, ConditionCode.ns) => GreaterOrEqual(ConditionSides.ResultAndZero),
        _ => null,
    };

    private static ConditionComparison Equal(ConditionSides sides) => new(sides, false, OpCodes.Beq, OpCodes.Ceq, false);

    private static ConditionComparison NotEqual(ConditionSides sides) => new(sides, false, OpCodes.Bne_Un, OpCodes.Ceq, true);

    private static ConditionComparison Below(ConditionSides sides) => new(sides, false, OpCodes.Blt_Un, OpCodes.Clt_Un, false);

    private static ConditionComparison AboveOrEqual(ConditionSides sides) => new(sides, false, OpCodes.Bge_Un, OpCodes.Clt_Un, true);

    private static ConditionComparison BelowOrEqual(ConditionSides sides) => new(sides, false, OpCodes.Ble_Un, OpCodes.Cgt_Un, true);

    private static ConditionComparison Above(ConditionSides sides) => new(sides, false, OpCodes.Bgt_Un, OpCodes.Cgt_Un, false);

    private static ConditionComparison Less(ConditionSides sides) => new(sides, true, OpCodes.Blt, OpCodes.Clt, false);

    private static ConditionComparison GreaterOrEqual(ConditionSides sides) => new(sides, true, OpCodes.Bge, OpCodes.Clt, true);

    private static ConditionComparison LessOrEqual(ConditionSides sides) => new(sides, true, OpCodes.Ble, OpCodes.Cgt, true);

    private static ConditionComparison Greater(ConditionSides sides) => new(sides, true, OpCodes.Bgt, OpCodes.Cgt, false);
}
