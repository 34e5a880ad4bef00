using System.Buffers.Binary;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace PvPatch.Engine.Tests.PatchedCalls.Damage;

/// <summary>
/// Damages an image: cuts it, or changes some bits, bytes or numbers of one of its parts. Each header, table, heap and method
/// body is a part, and has its turn as often as the others. A mutation is known by its number alone.
/// </summary>
internal sealed class Mutation
{
    private static readonly uint[] Extremes = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x00FF_FFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF];

    private readonly byte[] _sound;
    private readonly List<(int Start, int End, int Method)> _parts = [];

    /// <param name="sound">An image without fault.</param>
    public Mutation(byte[] sound)
    {
        _sound = sound;
        using var pe = new PEReader(new MemoryStream(sound));
        PEHeaders headers = pe.PEHeaders;
        MetadataReader metadata = pe.GetMetadataReader();
        Add(0, headers.PEHeaderStartOffset + 512); // the headers of the file and of its sections
        Add(headers.CorHeaderStartOffset, 72);
        Add(headers.MetadataStartOffset, 256); // its root, with the list of heaps
        Add(headers.MetadataStartOffset + metadata.GetTableMetadataOffset(TableIndex.Module) - 64, 96); // how large the tables are
        foreach (TableIndex table in Enum.GetValues<TableIndex>().Where(t => (int)t <= MetadataTokens.TableCount && metadata.GetTableRowCount(t) > 0))
            Add(headers.MetadataStartOffset + metadata.GetTableMetadataOffset(table), metadata.GetTableRowCount(table) * metadata.GetTableRowSize(table));
        foreach (HeapIndex heap in Enum.GetValues<HeapIndex>())
            Add(headers.MetadataStartOffset + metadata.GetHeapMetadataOffset(heap), metadata.GetHeapSize(heap));
        foreach (MethodDefinitionHandle handle in metadata.MethodDefinitions)
        {
            int address = metadata.GetMethodDefinition(handle).RelativeVirtualAddress;
            if (address == 0 || headers.GetContainingSectionIndex(address) is var section && section < 0)
                continue;
            int offset = headers.SectionHeaders[section].PointerToRawData + address - headers.SectionHeaders[section].VirtualAddress;
            Add(offset, pe.GetMethodBody(address).Size, metadata.GetRowNumber(handle));
        }

        Add(0, sound.Length);
    }

    /// <summary>The image with the damage of that number, and the row of the method that is worth a look.</summary>
    public (byte[] Image, int Method) Of(int seed, int number)
    {
        var random = new Random(HashCode(seed, number));
        (int start, int end, int method) = _parts[random.Next(_parts.Count)];
        if (random.Next(12) == 0)
            return (_sound[..random.Next(_sound.Length)], method);

        byte[] damaged = [.. _sound];
        for (int changes = random.Next(1, 5); changes > 0; changes--)
        {
            int place = random.Next(start, end);
            switch (random.Next(3))
            {
                case 0:
                    damaged[place] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    damaged[place] = (byte)random.Next(256);
                    break;
                default:
                    uint number32 = Extremes[random.Next(Extremes.Length)];
                    if (place + sizeof(uint) <= damaged.Length)
                        BinaryPrimitives.WriteUInt32LittleEndian(damaged.AsSpan(place), number32);
                    break;
            }
        }

        return (damaged, method);
    }

    private static int HashCode(int seed, int number) => unchecked((seed * 486187739) + (number * 16777619));

    private void Add(int start, int length, int method = 1)
    {
        int end = Math.Min(start + length, _sound.Length);
        if (start >= 0 && start < end)
            _parts.Add((start, end, method));
    }
}
