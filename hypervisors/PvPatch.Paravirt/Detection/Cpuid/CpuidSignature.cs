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

        Span<uint> registers = stackalloc uint[3];
        registers.Clear();
        for (int i = 0; i < text.Length; i++)
            registers[i / 4] |= (uint)(byte)text[i] << (i % 4 * 8);
        return new CpuidSignature(registers[0], registers[1], registers[2]);
    }

    /// <summary>The bytes as text for people: printable ASCII as it is, the rest as <c>\xNN</c>, zero bytes at the end left out.</summary>
    public override string ToString()
    {
        ReadOnlySpan<uint> registers = stackalloc uint[] { Ebx, Ecx, Edx };
        Span<byte> bytes = stackalloc byte[Size];
        int length = 0;
        for (int i = 0; i < Size; i++)
        {
            bytes[i] = (byte)(registers[i / 4] >> (i % 4 * 8));
            if (bytes[i] != 0)
                length = i + 1;
        }

        return EscapedText.From(bytes[..length]);
    }
}
