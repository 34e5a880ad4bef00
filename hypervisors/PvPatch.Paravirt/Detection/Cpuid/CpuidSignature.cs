using System.Buffers.Binary;
using System.Text;
using PvPatch.Emulator.State;

namespace PvPatch.Paravirt.Detection.Cpuid;

/// <summary>The 12 bytes by which a hypervisor names itself: EBX, ECX, EDX of its base leaf, in this order.</summary>
/// <param name="Ebx">The first four bytes, the first one lowest.</param>
/// <param name="Ecx">The next four.</param>
/// <param name="Edx">The last four.</param>
public readonly record struct CpuidSignature(uint Ebx, uint Ecx, uint Edx)
{
    /// <summary>The number of bytes in a signature.</summary>
    public const int Size = 12;

    /// <summary>The signature in the answer to a base leaf.</summary>
    /// <param name="registers">What CPUID returned.</param>
    public static CpuidSignature Of(in CpuidRegisters registers) => new(registers.Ebx, registers.Ecx, registers.Edx);

    /// <summary>The signature that reads so.</summary>
    /// <param name="text">At most 12 characters below 256; the rest is zero bytes.</param>
    /// <exception cref="ArgumentException">The text is longer than 12 characters.</exception>
    public static CpuidSignature From(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > Size)
            throw new ArgumentException($"A CPUID signature has {Size} bytes, \"{text}\" has {text.Length}.", nameof(text));

        Span<byte> bytes = stackalloc byte[Size];
        bytes.Clear();
        Encoding.Latin1.GetBytes(text, bytes);
        return new CpuidSignature(
            BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]));
    }

    /// <summary>The bytes as text for people: printable ASCII as it is, the rest as <c>\xNN</c>, zero bytes at the end left out.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Ebx);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], Ecx);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], Edx);
        return EscapedText.From(bytes.TrimEnd((byte)0));
    }
}
