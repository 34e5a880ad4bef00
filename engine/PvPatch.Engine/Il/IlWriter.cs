using System.Reflection.Emit;

namespace PvPatch.Engine.Il;

/// <summary>
/// Same-size edits of a copy of a method's IL: what is written replaces whole instructions and is padded with NOPs, so
/// that every offset, protected region and debugging record stays true.
/// </summary>
/// <param name="il">The method's IL, of which a copy is edited.</param>
internal readonly struct IlWriter(ReadOnlySpan<byte> il)
{
    private readonly byte[] _bytes = il.ToArray();

    /// <summary>The edited IL.</summary>
    public byte[] Bytes => _bytes;

    /// <summary>Replaces an instruction by NOPs.</summary>
    public void Erase(in Instruction instruction) => Erase(instruction.Offset, instruction.End);

    /// <summary>Writes code at the end of a window and NOPs before it.</summary>
    /// <param name="start">First byte of the window.</param>
    /// <param name="end">The byte behind it.</param>
    /// <param name="code">No longer than the window.</param>
    public void Fill(int start, int end, ReadOnlySpan<byte> code)
    {
        Erase(start, end - code.Length);
        code.CopyTo(_bytes.AsSpan(end - code.Length));
    }

    private void Erase(int start, int end)
    {
        for (int i = start; i < end; i++)
            _bytes[i] = (byte)OpCodes.Nop.Value;
    }
}
