namespace PvPatch.Engine.Extension;

/// <summary>A stream of metadata: what is there keeps its offset, more can be added behind it.</summary>
/// <param name="original">What is there.</param>
internal sealed class HeapBytes(byte[] original)
{
    private readonly List<byte> _added = [];

    /// <summary>What was there.</summary>
    public byte[] Original { get; } = original;

    /// <summary>How long it is now, in bytes.</summary>
    public int Length => Original.Length + _added.Count;

    /// <summary>Adds bytes.</summary>
    /// <returns>Their offset.</returns>
    public int Add(ReadOnlySpan<byte> bytes)
    {
        int offset = Length;
        _added.AddRange(bytes);
        return offset;
    }

    /// <summary>All of it, filled up to a multiple of four, as streams are.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[(Length + 3) & ~3];
        Original.CopyTo(bytes, 0);
        _added.CopyTo(bytes, Original.Length);
        return bytes;
    }
}
