using System.IO.Compression;
using System.Reflection.PortableExecutable;
using PvPatch.Engine.Extension;
using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls.Image;

/// <summary>What a debugger and stack traces know of an image: its PDB, beside the file or within it.</summary>
/// <param name="Pdb">The PDB's content; <see langword="null"/> where there is none, or none that can be used.</param>
/// <param name="Note">Why a PDB is not used, in one sentence; <see langword="null"/> where there is nothing to say.</param>
internal sealed record ImageSymbols(byte[]? Pdb, string? Note)
{
    private static ReadOnlySpan<byte> WindowsFormat => "Microsoft C/C++ MSF 7.00"u8;

    /// <summary>Reads the PDB of an image.</summary>
    /// <param name="image">The image as its file holds it.</param>
    /// <param name="content">The file's content.</param>
    /// <param name="moves">By row of the method, for methods whose code has moved: the new offset for an old one.</param>
    public static ImageSymbols Of(ModuleImage image, byte[] content, IReadOnlyDictionary<int, Func<int, int>> moves)
    {
        string beside = Path.ChangeExtension(image.File, ".pdb"), name = Path.GetFileName(beside);
        try
        {
            using var pe = new PEReader(new MemoryStream(content, writable: false));
            DebugDirectoryEntry[] entries = [.. pe.ReadDebugDirectory()];
            byte[]? pdb = File.Exists(beside) ? File.ReadAllBytes(beside) : Embedded(content, entries);
            if (pdb is null)
                return new ImageSymbols(null, null);
            if (pdb.AsSpan().StartsWith(WindowsFormat))
                return moves.Count == 0 ? new ImageSymbols(pdb, null) : Unused($"{name} has the Windows format, whose lines cannot follow code that moves");
            MetadataRoot root = MetadataRoot.Read(pdb);
            if (Array.Find(entries, e => e.Type == DebugDirectoryEntryType.CodeView) is { DataSize: > 0 } own && !IsOf(root, pe.ReadCodeViewDebugDirectoryData(own).Guid, own.Stamp))
                return Unused($"{name} belongs to another build of {Path.GetFileName(image.File)}");
            if (moves.Count == 0)
                return new ImageSymbols(pdb, null);
            MovedSymbols.Move(root, moves);
            return new ImageSymbols(root.ToBytes(), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException || Damage.IsShownBy(e))
        {
            return Unused($"{name} cannot be read: {e.Message.TrimEnd('.')}");
        }
    }

    private static ImageSymbols Unused(string why) => new(null, $"{why}; stack traces show no lines of it.");

    private static bool IsOf(MetadataRoot pdb, Guid guid, uint stamp) =>
        pdb.PdbId.Length == 0 || (new Guid(pdb.PdbId[..16]) == guid && BitConverter.ToUInt32(pdb.PdbId[16..]) == stamp);

    /// <summary>The PDB within the image (Portable PDB format, "Embedded Portable PDB Debug Directory Entry").</summary>
    private static byte[]? Embedded(byte[] content, DebugDirectoryEntry[] entries)
    {
        const int SizeAt = 4, DataAt = 8;
        if (Array.Find(entries, e => e.Type == DebugDirectoryEntryType.EmbeddedPortablePdb) is not { DataSize: > DataAt } entry)
            return null;
        var pdb = new byte[BitConverter.ToInt32(content, entry.DataPointer + SizeAt)];
        using var packed = new DeflateStream(new MemoryStream(content, entry.DataPointer + DataAt, entry.DataSize - DataAt), CompressionMode.Decompress);
        packed.ReadExactly(pdb);
        return pdb;
    }
}
