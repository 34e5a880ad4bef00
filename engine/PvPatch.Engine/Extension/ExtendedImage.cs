using System.Reflection.PortableExecutable;

namespace PvPatch.Engine.Extension;

/// <summary>An image that gets more metadata and longer method bodies. All that it has keeps its address and its token.</summary>
internal sealed class ExtendedImage
{
    private ExtendedImage(byte[] file, PEHeaders headers)
    {
        Metadata = MetadataRoot.Read(file.AsSpan(headers.MetadataStartOffset, headers.MetadataSize));
        Section = new AppendedSection(file, headers);
    }

    /// <summary>The metadata, to be added to.</summary>
    public MetadataRoot Metadata { get; }

    /// <summary>The place for what found no room where it was.</summary>
    public AppendedSection Section { get; }

    /// <summary>Opens an image.</summary>
    /// <param name="file">Content of its file; it is not changed.</param>
    /// <exception cref="InvalidDataException">It is in a form that cannot be added to.</exception>
    public static ExtendedImage Open(byte[] file) => new(file, new PEHeaders(new MemoryStream(file, writable: false)));

    /// <summary>Writes it.</summary>
    public byte[] ToBytes() => Section.ToImage(Metadata.ToBytes());
}
