using System.Buffers.Binary;
using System.Reflection.Emit;

namespace PvPatch.Engine.Il;

/// <summary>
/// Same-size edits of a copy of a method's IL: what is written replaces whole instructions and is padded with NOPs, so
/// that every offset, protected region and debugging record stays true.
/// </summary>
/// <param name="il">The method's IL, which is not changed.</param>
internal sealed class IlWriter(ReadOnlySpan<byte> il)
{
    private readonly byte[] _bytes = il.ToArray();

    /// <summary>The edited IL.</summary>
    public byte[] ToArray() => [.. _bytes];

    /// <summary>Replaces an instruction by NOPs.</summary>
    public void Erase(Instruction instruction) => _bytes.AsSpan(instruction.Offset, instruction.Size).Fill((byte)OpCodes.Nop.Value);

    /// <summary>Writes code at the end of a window and NOPs before it.</summary>
    /// <param name="start">First byte of the window.</param>
    /// <param name="end">The byte behind it.</param>
    /// <param name="code">No longer than the window.</param>
    public void Fill(int start, int end, ReadOnlySpan<byte> code)
    {
        Span<byte> window = _bytes.AsSpan(start..end);
        window[..^code.Length].Fill((byte)OpCodes.Nop.Value);
        code.CopyTo(window[^code.Length..]);
    }

    /// <summary>The shortest code that pushes a number as the evaluation stack holds this type (ECMA-335, partition III, 1.1.1).</summary>
    /// <param name="value">The number, already in the type's range.</param>
    /// <param name="type">An integral type, or the underlying one of an enumeration.</param>
    public static byte[] Push(long value, TypeCode type)
    {
        bool isWide = type is TypeCode.Int64 or TypeCode.UInt64;
        bool isNative = type is not (TypeCode.SByte or TypeCode.Byte or TypeCode.Int16 or TypeCode.UInt16 or TypeCode.Int32 or TypeCode.UInt32 or TypeCode.Int64 or TypeCode.UInt64);
        if (!isWide && !isNative)
            return PushInt32(unchecked((int)value));

        byte widen = (byte)(isNative ? OpCodes.Conv_I : OpCodes.Conv_I8).Value;
        if (value is >= int.MinValue and <= int.MaxValue)
            return [.. PushInt32((int)value), widen];
        if (value is > 0 and <= uint.MaxValue)
            return [.. PushInt32(unchecked((int)value)), (byte)(isNative ? OpCodes.Conv_U : OpCodes.Conv_U8).Value];

        var wide = new byte[9];
        wide[0] = (byte)OpCodes.Ldc_I8.Value;
        BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(1), value);
        return isNative ? [.. wide, widen] : wide;
    }

    private static byte[] PushInt32(int value)
    {
        if (value is >= -1 and <= 8)
            return [(byte)(OpCodes.Ldc_I4_0.Value + value)];
        if (value is >= sbyte.MinValue and <= sbyte.MaxValue)
            return [(byte)OpCodes.Ldc_I4_S.Value, unchecked((byte)value)];
        var code = new byte[5];
        code[0] = (byte)OpCodes.Ldc_I4.Value;
        BinaryPrimitives.WriteInt32LittleEndian(code.AsSpan(1), value);
        return code;
    }
}
