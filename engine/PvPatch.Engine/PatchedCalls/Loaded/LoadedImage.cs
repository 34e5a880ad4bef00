using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using PvPatch.Engine.Il;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Loaded;

/// <summary>The image of a loaded assembly, where the runtime reads its IL from.</summary>
internal sealed unsafe class LoadedImage : IDisposable
{
    private readonly MemoryMap _map;

    private LoadedImage(nint start, MemoryMap map, PEReader reader, string name)
    {
        Start = start;
        _map = map;
        Reader = reader;
        Module = ModuleImage.OpenLoaded(reader, name);
    }

    /// <summary>Address of its first byte.</summary>
    public nint Start { get; }

    /// <summary>Its headers and sections.</summary>
    public PEReader Reader { get; }

    /// <summary>What it holds.</summary>
    public ModuleImage Module { get; }

    /// <summary>What lies at a virtual address of the image, in whichever section.</summary>
    /// <exception cref="PatchException"><see cref="PatchError.BadImage"/>: not all of it is in readable memory.</exception>
    public ReadOnlySpan<byte> At(int address, int size)
    {
        int index = Reader.PEHeaders.GetContainingSectionIndex(address);
        if (index < 0 || size < 0)
            throw new PatchException(PatchError.BadImage, $"The image is damaged: no section holds the address 0x{address:X}.");
        SectionHeader section = Reader.PEHeaders.SectionHeaders[index];
        nint start = Reader.IsLoadedImage ? Start + address
            : BaseOfSections is var @base and not 0 ? @base + address
            : Start + section.PointerToRawData + (address - section.VirtualAddress);

        // SAFETY: the range is readable, and stays so while the assembly is referred to.
        (nint lowest, nint end) = _map.ReadableAround(start);
        return start >= lowest && start + size <= end
            ? new ReadOnlySpan<byte>((void*)start, size)
            : throw new PatchException(PatchError.BadImage, $"The image is not mapped at 0x{address:X}.");
    }

    /// <summary>
    /// Where the image would start if its sections lie at their virtual addresses; 0 if they lie as in the file. Of an image that
    /// the runtime maps by sections, the part of the file that holds the headers and the IL is one mapping, and looks like
    /// a file; the others are told by a second copy of the headers before it.
    /// </summary>
    private nint BaseOfSections
    {
        get
        {
            PEHeaders headers = Reader.PEHeaders;
            SectionHeader section = headers.SectionHeaders[headers.GetContainingSectionIndex(headers.CorHeader!.MetadataDirectory.RelativeVirtualAddress)];
            nint start = Start - section.VirtualAddress + section.PointerToRawData;
            int size = headers.PEHeader!.SizeOfHeaders;
            if (start == Start || _map.At(start) is not { CanRead: true } region || start + size > region.End)
                return 0;

            // SAFETY: both ranges are readable, the second as part of the image.
            return new ReadOnlySpan<byte>((void*)start, size).SequenceEqual(new ReadOnlySpan<byte>((void*)Start, size)) ? start : 0;
        }
    }

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
        var map = MemoryMap.Read();
        (nint lowest, nint end) = map.ReadableAround(metadata);

        // SAFETY: the search goes down from the metadata, which the runtime keeps mapped while the assembly lives, to the
        // image's first byte: everything between belongs to the image. The regions read are readable without a gap.
        for (nint start = metadata & ~(Alignment - 1); start >= lowest; start -= Alignment)
        {
            if (*(ushort*)start != 0x5A4D)
                continue;
            if (TryOpen(start, end, map, metadata, isMapped: false, name) is { } flat)
                return flat;
            if (TryOpen(start, end, map, metadata, isMapped: true, name) is { } mapped)
                return mapped;
        }

        throw new PatchException(PatchError.NoImage, $"{name} has metadata but no image around it.");
    }

    /// <inheritdoc/>
    public void Dispose() => Module.Dispose();

    /// <summary>Opens what looks like an image if its headers lead to the metadata.</summary>
    /// <param name="start">Where it looks so.</param>
    /// <param name="end">Where readable memory ends.</param>
    /// <param name="map">The process's memory.</param>
    /// <param name="metadata">Address of the assembly's metadata.</param>
    /// <param name="isMapped">Whether to take sections to lie at their virtual addresses, or as in the file.</param>
    /// <param name="name">The assembly's name, for messages.</param>
    private static LoadedImage? TryOpen(nint start, nint end, MemoryMap map, nint metadata, bool isMapped, string name)
    {
        int size = (int)Math.Min(end - start, int.MaxValue);
        try
        {
            // SAFETY: the range is readable, and the reader checks every access against its size.
            using var probe = new PEReader((byte*)start, size, isMapped);
            PEHeaders headers = probe.PEHeaders;
            if (headers.PEHeader is null || headers.MetadataStartOffset < 0 || start + headers.MetadataStartOffset != metadata)
                return null;
            int length = isMapped ? headers.PEHeader.SizeOfImage : 0;
            for (int i = 0; i < headers.SectionHeaders.Length && !isMapped; i++)
                length = Math.Max(length, headers.SectionHeaders[i].PointerToRawData + headers.SectionHeaders[i].SizeOfRawData);
            var reader = new PEReader((byte*)start, Math.Min(size, length), isMapped);
            return new LoadedImage(start, map, reader, name);
        }
        catch (BadImageFormatException)
        {
            return null; // two letters in the image's data that are no header
        }
    }
}
