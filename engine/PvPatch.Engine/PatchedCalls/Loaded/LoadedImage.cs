using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using PvPatch.Engine.Il;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Loaded;

/// <summary>The image of a loaded assembly, where the runtime reads its IL from.</summary>
internal sealed unsafe class LoadedImage : IDisposable
{
    private LoadedImage(nint start, PEReader reader, string name)
    {
        Start = start;
        Reader = reader;
        Module = ModuleImage.OpenLoaded(reader, name);
    }

    /// <summary>Address of its first byte.</summary>
    public nint Start { get; }

    /// <summary>Its headers and sections.</summary>
    public PEReader Reader { get; }

    /// <summary>What it holds.</summary>
    public ModuleImage Module { get; }

    /// <summary>Address of an assembly's metadata, the same for all assemblies that share an image; 0 for one without an image.</summary>
    public static nint MetadataOf(Assembly assembly) =>
        !assembly.IsDynamic && assembly.TryGetRawMetadata(out byte* blob, out _) ? (nint)blob : 0;

    /// <summary>Finds an assembly's image. It stays there as long as the assembly is referred to.</summary>
    /// <exception cref="PatchException"><see cref="PatchError.NoImage"/>, or as <see cref="ModuleImage.OpenLoaded"/>.</exception>
    public static LoadedImage Of(Assembly assembly)
    {
        string name = assembly.GetName().Name ?? "an assembly without a name";
        nint metadata = MetadataOf(assembly);
        if (metadata == 0)
            throw new PatchException(PatchError.NoImage, $"{name} has no image: it was made in this process.");

        const int Alignment = 8; // images inside a bundle start anywhere that is a multiple of it
        (nint lowest, nint end) = MemoryMap.Read().ReadableAround(metadata);

        // SAFETY: the search goes down from the metadata, which the runtime keeps mapped while the assembly lives, to the
        // image's first byte: everything between belongs to the image. The regions read are readable without a gap.
        for (nint start = metadata & ~(Alignment - 1); start >= lowest; start -= Alignment)
        {
            if (*(ushort*)start != 0x5A4D)
                continue;
            if (TryOpen(start, end, metadata, isMapped: false, name) is { } flat)
                return flat;
            if (TryOpen(start, end, metadata, isMapped: true, name) is { } mapped)
                return mapped;
        }

        throw new PatchException(PatchError.NoImage, $"{name} has metadata but no image around it.");
    }

    /// <inheritdoc/>
    public void Dispose() => Module.Dispose();

    /// <summary>Opens what looks like an image if its headers lead to the metadata.</summary>
    /// <param name="start">Where it looks so.</param>
    /// <param name="end">Where readable memory ends.</param>
    /// <param name="metadata">Address of the assembly's metadata.</param>
    /// <param name="isMapped">Whether to take sections to lie at their virtual addresses, or as in the file.</param>
    /// <param name="name">The assembly's name, for messages.</param>
    private static LoadedImage? TryOpen(nint start, nint end, nint metadata, bool isMapped, string name)
    {
        int size = (int)Math.Min(end - start, int.MaxValue);
        try
        {
            // SAFETY: the range is readable, and the reader checks every access against its size.
            using var probe = new PEReader((byte*)start, size, isMapped);
            PEHeaders headers = probe.PEHeaders;
            if (headers.PEHeader is null || headers.MetadataStartOffset < 0 || start + headers.MetadataStartOffset != metadata)
                return null;
            int length = isMapped ? headers.PEHeader.SizeOfImage : headers.SectionHeaders.Max(s => s.PointerToRawData + s.SizeOfRawData);
            var reader = new PEReader((byte*)start, Math.Min(size, length), isMapped);
            return new LoadedImage(start, reader, name);
        }
        catch (BadImageFormatException)
        {
            return null; // two letters in the image's data that are no header
        }
    }
}
