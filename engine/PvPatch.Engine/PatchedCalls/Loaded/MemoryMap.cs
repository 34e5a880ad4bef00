using System.Globalization;

namespace PvPatch.Engine.PatchedCalls.Loaded;

/// <summary>A range of the process's addresses with one protection.</summary>
/// <param name="Start">First address.</param>
/// <param name="End">The address behind the last one.</param>
/// <param name="Rights">As the system writes them: <c>r--s</c>.</param>
/// <param name="IsOfFile">Whether it is a part of a file that has a name in a file system.</param>
internal sealed record MemoryRegion(nint Start, nint End, string Rights, bool IsOfFile)
{
    /// <summary>Whether it can be read.</summary>
    public bool CanRead => Rights[0] == 'r';

    /// <summary>Whether it can be written.</summary>
    public bool CanWrite => Rights[1] == 'w';

    /// <summary>Whether it can be executed.</summary>
    public bool CanExecute => Rights[2] == 'x';

    /// <summary>Whether an address lies in it.</summary>
    public bool Contains(nint address) => address >= Start && address < End;
}

/// <summary>The process's memory as Linux tells it (proc(5), <c>/proc/pid/maps</c>).</summary>
internal sealed class MemoryMap
{
    private readonly List<MemoryRegion> _regions = [];

    private MemoryMap()
    {
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            int dash = line.IndexOf('-'), space = line.IndexOf(' ');
            bool isOfFile = line.IndexOf(" /", StringComparison.Ordinal) is > 0 and var name && string.CompareOrdinal(line, name + 1, "/memfd:", 0, 7) != 0;
            _regions.Add(new MemoryRegion(Address(line.AsSpan(0, dash)), Address(line.AsSpan((dash + 1)..space)), line[(space + 1)..(space + 5)], isOfFile));
        }
    }

    /// <summary>The memory as it is now.</summary>
    public static MemoryMap Read() => new();

    /// <summary>All regions, ascending.</summary>
    public IReadOnlyList<MemoryRegion> Regions => _regions;

    /// <summary>The region that an address lies in; <see langword="null"/> where nothing is mapped.</summary>
    public MemoryRegion? At(nint address)
    {
        int index = IndexOf(address);
        return index < 0 ? null : _regions[index];
    }

    /// <summary>The addresses around one that can be read without a gap.</summary>
    public (nint Start, nint End) ReadableAround(nint address)
    {
        int first = IndexOf(address), last = first;
        if (first < 0)
            return (address, address);
        while (first > 0 && _regions[first - 1].CanRead && _regions[first - 1].End == _regions[first].Start)
            first--;
        while (last + 1 < _regions.Count && _regions[last + 1].CanRead && _regions[last + 1].Start == _regions[last].End)
            last++;
        return (_regions[first].Start, _regions[last].End);
    }

    private int IndexOf(nint address)
    {
        int low = 0, high = _regions.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (_regions[middle].Contains(address))
                return middle;
            if (address < _regions[middle].Start)
                high = middle - 1;
            else
                low = middle + 1;
        }

        return -1;
    }

    private static nint Address(ReadOnlySpan<char> text) => nint.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
