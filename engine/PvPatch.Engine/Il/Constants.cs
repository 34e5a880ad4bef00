using System.Buffers.Binary;
using System.Reflection.Emit;

namespace PvPatch.Engine.Il;

/// <summary>The shortest code that pushes a constant as the evaluation stack holds its type (ECMA-335, partition III, 1.1.1).</summary>
internal static class Constants
{
    /// <summary>Pushes a number, or <see langword="null"/>.</summary>
    /// <param name="value">The number, already in the type's range.</param>
    /// <param name="type">A number's type, an enumeration or a pointer; of any other it is null.</param>
    public static byte[] Push(long value, Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.Int64 or TypeCode.UInt64 => PushWide(value, OpCodes.Conv_I8, OpCodes.Conv_U8, isNative: false),
        TypeCode.Single or TypeCode.Double => Push((double)value, type),
        >= TypeCode.Boolean and <= TypeCode.UInt32 => PushInt32(unchecked((int)value)),
        _ when type == typeof(nint) || type == typeof(nuint) || type.IsPointer || type.IsFunctionPointer =>
            PushWide(value, OpCodes.Conv_I, OpCodes.Conv_U, isNative: true),
        _ => [(byte)OpCodes.Ldnull.Value],
    };

    /// <summary>Pushes a real number.</summary>
    /// <param name="value">The number.</param>
    /// <param name="type"><see langword="float"/> or <see langword="double"/>.</param>
    public static byte[] Push(double value, Type type)
    {
        if (type == typeof(float))
        {
            byte[] single = [(byte)OpCodes.Ldc_R4.Value, 0, 0, 0, 0];
            BinaryPrimitives.WriteSingleLittleEndian(single.AsSpan(1), (float)value);
            return single;
        }

        byte[] code = [(byte)OpCodes.Ldc_R8.Value, 0, 0, 0, 0, 0, 0, 0, 0];
        BinaryPrimitives.WriteDoubleLittleEndian(code.AsSpan(1), value);
        return code;
    }

    private static byte[] PushWide(long value, OpCode signed, OpCode unsigned, bool isNative)
    {
        if (value is >= int.MinValue and <= int.MaxValue)
            return [.. PushInt32((int)value), (byte)signed.Value];
        if (value is > 0 and <= uint.MaxValue)
            return [.. PushInt32(unchecked((int)value)), (byte)unsigned.Value];
        byte[] wide = [(byte)OpCodes.Ldc_I8.Value, 0, 0, 0, 0, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(1), value);
        return isNative ? [.. wide, (byte)signed.Value] : wide;
    }

    private static byte[] PushInt32(int value)
    {
        if (value is >= -1 and <= 8)
            return [(byte)(OpCodes.Ldc_I4_0.Value + value)];
        if (value is >= sbyte.MinValue and <= sbyte.MaxValue)
            return [(byte)OpCodes.Ldc_I4_S.Value, unchecked((byte)value)];
        byte[] code = [(byte)OpCodes.Ldc_I4.Value, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32LittleEndian(code.AsSpan(1), value);
        return code;
    }
}
