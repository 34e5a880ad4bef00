namespace PvPatch.Engine.Il;

/// <summary>The instructions of one method after another, in the same memory.</summary>
internal sealed class DecodedIl
{
    private Instruction[] _instructions = [];

    /// <summary>How many instructions the method has.</summary>
    public int Length { get; private set; }

    /// <summary>An instruction by its number.</summary>
    public ref readonly Instruction this[int index] => ref _instructions[index];

    /// <summary>Decodes a method; the one before is gone.</summary>
    /// <param name="il">Its IL.</param>
    /// <exception cref="Reports.PatchException">As <see cref="IlReader.Decode(ReadOnlySpan{byte})"/>.</exception>
    public void Decode(ReadOnlySpan<byte> il)
    {
        const int BytesEach = 2; // on the average at least, so that the array of a long method seldom grows
        Room.For(ref _instructions, il.Length / BytesEach);
        Length = IlReader.Decode(il, ref _instructions);
    }

    /// <summary>Number of the first instruction at an offset or behind it.</summary>
    public int IndexAt(int offset) => IlReader.IndexAt(_instructions.AsSpan(0, Length), offset);
}
