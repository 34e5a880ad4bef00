using System.Buffers.Binary;
using PvPatch.Emulator.State;

namespace PvPatch.Oracle.Cases;

/// <summary>The x87's part of an FXSAVE image (Intel SDM vol. 1, table 10-2), as the host's signal frames have it.</summary>
internal static unsafe class X87Image
{
    public const int FirstRegister = 32;
    private const int RegisterStride = 16;

    public static ushort Control(ReadOnlySpan<byte> image) => BinaryPrimitives.ReadUInt16LittleEndian(image);

    public static ushort Status(ReadOnlySpan<byte> image) => BinaryPrimitives.ReadUInt16LittleEndian(image[2..]);

    public static byte Used(ReadOnlySpan<byte> image) => image[4];

    public static ulong Mantissa(ReadOnlySpan<byte> image, int place) =>
        BinaryPrimitives.ReadUInt64LittleEndian(image[(FirstRegister + (RegisterStride * place))..]);

    public static ushort High(ReadOnlySpan<byte> image, int place) =>
        BinaryPrimitives.ReadUInt16LittleEndian(image[(FirstRegister + (RegisterStride * place) + 8)..]);

    public static void Set(Span<byte> image, ushort control, ushort status, byte used)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(image, control);
        BinaryPrimitives.WriteUInt16LittleEndian(image[2..], status);
        image[4] = used;
    }

    public static void SetRegister(Span<byte> image, int place, ulong mantissa, ushort high)
    {
        Span<byte> register = image[(FirstRegister + (RegisterStride * place))..];
        BinaryPrimitives.WriteUInt64LittleEndian(register, mantissa);
        BinaryPrimitives.WriteUInt16LittleEndian(register[8..], high);
    }

    /// <summary>Puts an image into a CPU.</summary>
    public static void Load(CpuState* cpu, ReadOnlySpan<byte> image)
    {
        cpu->Fpu.Control = Control(image);
        cpu->Fpu.Status = Status(image);
        cpu->Fpu.Used = Used(image);
        for (int i = 0; i < 8; i++)
        {
            int number = ((Status(image) >> 11) + i) & 7;
            cpu->Fpu.Mantissa[number] = Mantissa(image, i);
            cpu->Fpu.Exponent[number] = High(image, i);
        }
    }

    /// <summary>Makes an image of a CPU.</summary>
    public static void Store(CpuState* cpu, Span<byte> image)
    {
        Set(image, cpu->Fpu.Control, cpu->Fpu.Status, cpu->Fpu.Used);
        for (int i = 0; i < 8; i++)
        {
            int number = ((cpu->Fpu.Status >> 11) + i) & 7;
            SetRegister(image, i, cpu->Fpu.Mantissa[number], cpu->Fpu.Exponent[number]);
        }
    }
}
