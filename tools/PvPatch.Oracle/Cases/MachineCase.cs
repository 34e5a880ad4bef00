using System.Runtime.InteropServices;
using Iced.Intel;

namespace PvPatch.Oracle.Cases;

/// <summary>A case or what came of it: registers, x87 and SSE state as FXSAVE stores it, upper halves of YMM, memory, and how it ended.</summary>
internal sealed class MachineCase
{
    /// <summary>The vector of a case that did not end.</summary>
    public const uint Endless = uint.MaxValue;

    public ulong[] General { get; } = new ulong[16];

    public ulong Rip { get; set; }

    public ulong Flags { get; set; }

    public byte[] Fpu { get; } = new byte[512];

    /// <summary>Bits 128 to 255 of YMM0 to YMM15, two words each.</summary>
    public ulong[] YmmHigh { get; } = new ulong[32];

    public byte[][] Memory { get; } = [.. CaseLayout.Windows.Select(w => new byte[w.Size])];

    /// <summary>The code with INT3 behind it.</summary>
    public byte[] Code { get; } = new byte[CaseLayout.CodeSize];

    /// <summary>Bytes of the code.</summary>
    public int Length { get; private set; }

    /// <summary>The code, decoded.</summary>
    public IReadOnlyList<Instruction> Instructions { get; private set; } = [];

    /// <summary>The instruction of a case that has only one; else none, to which no rule of its own applies.</summary>
    public Instruction Single => Instructions is [var only] ? only : default;

    /// <summary>Vector of the exception that ended it; 3 for the INT3 behind the code; <see cref="Endless"/>.</summary>
    public uint Vector { get; set; }

    public uint ErrorCode { get; set; }

    public ulong Cr2 { get; set; }

    public Span<ulong> Xmm => MemoryMarshal.Cast<byte, ulong>(Fpu.AsSpan(160, 256));

    public ref uint Mxcsr => ref MemoryMarshal.Cast<byte, uint>(Fpu.AsSpan(24, 4))[0];

    /// <summary>
    /// Whether an outcome shows that the case may also run on the host: it ends, and neither its stack nor what it reached for is
    /// the helper's own.
    /// </summary>
    public bool IsSafeOnHost => Vector != Endless && !(Vector == 14 && CaseLayout.BelongsToHelper(Cr2)) && !CaseLayout.BelongsToHelper(General[4]);

    /// <summary>An element of a vector register, counted from its lowest bit.</summary>
    public Span<byte> Element(Register register, int index, int size)
    {
        int offset = index * size;
        Span<ulong> half = offset < 16 ? Xmm : YmmHigh;
        return MemoryMarshal.AsBytes(half).Slice((16 * register.GetNumber()) + (offset & 15), size);
    }

    /// <summary>Sets the code.</summary>
    public void SetCode(ReadOnlySpan<byte> code)
    {
        code.CopyTo(Code);
        Code.AsSpan(code.Length).Fill(0xcc);
        Length = code.Length;
        var instructions = new List<Instruction>();
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(Code, 0, Length), CaseLayout.CodeStart);
        while (decoder.IP < CaseLayout.CodeStart + (uint)Length)
            instructions.Add(decoder.Decode());
        Instructions = instructions;
    }

    public MachineCase Clone()
    {
        var copy = new MachineCase
        {
            Rip = Rip,
            Flags = Flags,
            Vector = Vector,
            ErrorCode = ErrorCode,
            Cr2 = Cr2,
            Length = Length,
            Instructions = Instructions,
        };
        General.CopyTo(copy.General, 0);
        Fpu.CopyTo(copy.Fpu, 0);
        YmmHigh.CopyTo(copy.YmmHigh, 0);
        Code.CopyTo(copy.Code, 0);
        for (int i = 0; i < Memory.Length; i++)
            Memory[i].CopyTo(copy.Memory[i], 0);
        return copy;
    }

    public void WriteTo(Span<byte> slot)
    {
        Span<ulong> registers = MemoryMarshal.Cast<byte, ulong>(slot[CaseLayout.Registers..]);
        for (int i = 0; i < 16; i++)
            registers[i] = General[CaseLayout.FrameOrder[i]];
        registers[CaseLayout.Rip] = Rip;
        registers[CaseLayout.Flags] = Flags;
        Code.CopyTo(slot[CaseLayout.Code..]);
        Fpu.CopyTo(slot[CaseLayout.Fpu..]);
        MemoryMarshal.AsBytes(YmmHigh.AsSpan()).CopyTo(slot[CaseLayout.YmmHigh..]);
        for (int i = 0; i < Memory.Length; i++)
            Memory[i].CopyTo(slot[CaseLayout.Windows[i].Offset..]);
    }

    public void ReadFrom(ReadOnlySpan<byte> slot)
    {
        ReadOnlySpan<ulong> registers = MemoryMarshal.Cast<byte, ulong>(slot[CaseLayout.Registers..]);
        for (int i = 0; i < 16; i++)
            General[CaseLayout.FrameOrder[i]] = registers[i];
        Rip = registers[CaseLayout.Rip];
        Flags = registers[CaseLayout.Flags];
        Vector = (uint)registers[CaseLayout.Vector];
        ErrorCode = (uint)registers[CaseLayout.ErrorCode];
        Cr2 = registers[CaseLayout.Cr2];
        slot.Slice(CaseLayout.Fpu, 512).CopyTo(Fpu);
        MemoryMarshal.Cast<byte, ulong>(slot.Slice(CaseLayout.YmmHigh, 256)).CopyTo(YmmHigh);
        for (int i = 0; i < Memory.Length; i++)
            slot.Slice(CaseLayout.Windows[i].Offset, CaseLayout.Windows[i].Size).CopyTo(Memory[i]);
    }
}
