using System.Reflection.Emit;

namespace PvPatch.Engine.Il;

/// <summary>The conversions that a call does without saying so (ECMA-335, partition III, 1.6, "Implicit argument coercion").</summary>
internal static class Conversions
{
    /// <summary>
    /// The instruction that makes of what the evaluation stack holds what a parameter or a result of this type is: numbers
    /// narrower than the stack's are cut, 32-bit ones widen to native size. <see langword="null"/> for types that the stack
    /// holds as they are.
    /// </summary>
    public static OpCode? To(Type type)
    {
        if (type.IsPointer || type.IsFunctionPointer || type == typeof(nuint))
            return OpCodes.Conv_U;
        if (type == typeof(nint))
            return OpCodes.Conv_I;
        return Type.GetTypeCode(type) switch // that of an enumeration is its number's
        {
            TypeCode.SByte => OpCodes.Conv_I1,
            TypeCode.Byte or TypeCode.Boolean => OpCodes.Conv_U1,
            TypeCode.Int16 => OpCodes.Conv_I2,
            TypeCode.UInt16 or TypeCode.Char => OpCodes.Conv_U2,
            TypeCode.Single => OpCodes.Conv_R4,
            TypeCode.Double => OpCodes.Conv_R8,
            _ => null,
        };
    }
}
