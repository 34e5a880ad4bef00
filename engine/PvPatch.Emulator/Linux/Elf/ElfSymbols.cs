using System.Buffers.Binary;

namespace PvPatch.Emulator.Linux.Elf;

/// <summary>The symbol table of a program (System V ABI, generic part, chapter 4). A damaged table names nothing.</summary>
/// <param name="file">The program's bytes.</param>
internal sealed class ElfSymbols(byte[] file)
{
    private const int SectionHeaderSize = 64;
    private const int SymbolSize = 24;
    private const uint SymbolTable = 2;

    /// <summary>The value of the first symbol of a name that is defined; null if there is none.</summary>
    public ulong? Find(string name)
    {
        foreach ((int start, int end, int names, int namesEnd) in Tables())
        {
            for (int place = start; place + SymbolSize <= end; place += SymbolSize)
            {
                bool isDefined = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(place + 6)) != 0;
                uint offset = BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(place));
                if (isDefined && offset < namesEnd - names && IsNamed(names + (int)offset, namesEnd, name))
                    return BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(place + 8));
            }
        }

        return null;
    }

    private IEnumerable<(int Start, int End, int Names, int NamesEnd)> Tables()
    {
        ulong headers = BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(40));
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(60));
        if (BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(58)) != SectionHeaderSize || !IsInFile(headers, (ulong)(count * SectionHeaderSize)))
            yield break;
        for (int i = 0; i < count; i++)
        {
            int header = (int)headers + (i * SectionHeaderSize);
            uint link = BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(header + 40));
            if (BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(header + 4)) != SymbolTable || link >= count)
                continue;
            if (Range(header) is var (start, end) && Range((int)headers + ((int)link * SectionHeaderSize)) is var (names, namesEnd))
                yield return (start, end, names, namesEnd);
        }
    }

    private (int Start, int End)? Range(int header)
    {
        ulong start = BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(header + 24));
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(header + 32));
        return IsInFile(start, size) ? ((int)start, (int)(start + size)) : null;
    }

    private bool IsInFile(ulong start, ulong size) => start <= (ulong)file.Length && size <= (ulong)file.Length - start;

    private bool IsNamed(int place, int end, string name)
    {
        if (name.Length >= end - place || file[place + name.Length] != 0)
            return false;
        for (int i = 0; i < name.Length; i++)
        {
            if (file[place + i] != name[i])
                return false;
        }

        return true;
    }
}
