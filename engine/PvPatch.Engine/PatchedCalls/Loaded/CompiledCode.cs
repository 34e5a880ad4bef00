using System.Reflection.Emit;
using System.Runtime.InteropServices;
using PvPatch.Engine.IndirectCalls;

namespace PvPatch.Engine.PatchedCalls.Loaded;

/// <summary>A place in compiled code that names an address.</summary>
/// <param name="Address">The address that is named.</param>
/// <param name="Method">The runtime's number of the method whose code it is; 0 where that cannot be told.</param>
/// <param name="IsEmitted">Whether it is an emitted method, which may be gone: then the number is of use only for those that are known to be alive.</param>
internal readonly record struct AddressMention(nint Address, nint Method, bool IsEmitted);

/// <summary>
/// All machine code that the JIT has made in this process until now, whatever for: every tier, every instantiation, emitted
/// methods too. It is a copy, searched byte by byte for addresses and not decoded, so nothing that is there is missed.
/// </summary>
internal sealed class CompiledCode
{
    private const int Word = 8, LongestCode = 1 << 20, LongestHeader = 5, MostUnwinds = 1000, UnwindSize = 12;

    private readonly MemoryMap _map;
    private readonly List<(nint Start, byte[] Bytes)> _regions = [];
    private readonly List<AddressMention> _mentions = [];
    private readonly int? _methodWord;

    /// <summary>Finds the places that name addresses.</summary>
    /// <param name="addresses">The addresses.</param>
    /// <param name="known">A compiled method whose code names the first one. By it the form of the code's headers is learnt.</param>
    public CompiledCode(IReadOnlyCollection<nint> addresses, DynamicMethod known)
    {
        _map = MemoryMap.Read();
        using var memory = new ProcessMemory();
        foreach (MemoryRegion region in _map.Regions.Where(r => r is { CanExecute: true, CanRead: true, IsOfFile: false }))
        {
            byte[] bytes = new byte[region.End - region.Start];
            if (memory.TryRead(region.Start, bytes))
                _regions.Add((region.Start, bytes));
        }

        (nint At, nint Address)[] places = [.. _regions.SelectMany(r => PlacesIn(r.Start, r.Bytes, addresses))];
        nint number = EmittedMethods.HandleOf(known).Value;
        _methodWord = places.Where(p => p.Address == addresses.First()).Select(p => WordOf(number, p.At, memory)).FirstOrDefault(w => w is not null);
        foreach ((nint at, nint address) in places)
        {
            (nint method, bool isEmitted) = _methodWord is { } word ? HeaderOf(at, word, memory) : default;
            _mentions.Add(new AddressMention(address, method, isEmitted));
        }
    }

    /// <summary>The places.</summary>
    public IReadOnlyList<AddressMention> Mentions => _mentions;

    /// <summary>
    /// Where code names one of the addresses: as a number of eight bytes, or by its distance from the instruction's end, behind
    /// which up to four bytes of an operand may stand. By chance other bytes can look so, which makes answers more careful.
    /// </summary>
    private static List<(nint At, nint Address)> PlacesIn(nint start, byte[] code, IReadOnlyCollection<nint> addresses)
    {
        var found = new List<(nint At, nint Address)>();
        HashSet<nint> wanted = [.. addresses];
        nint[] near = [.. addresses.Where(a => Math.Abs(a - start) <= int.MaxValue).Order()];
        nint low = addresses.Min(), high = addresses.Max();
        nint nearLow = near.Length == 0 ? nint.MaxValue : near[0] - sizeof(int), nearHigh = near.Length == 0 ? 0 : near[^1];
        for (int i = 0; i + sizeof(int) <= code.Length; i++)
        {
            nint end = start + i + sizeof(int) + MemoryMarshal.Read<int>(code.AsSpan(i));
            for (nint address = end; end >= nearLow && end <= nearHigh && address <= end + sizeof(int); address++)
            {
                if (wanted.Contains(address))
                    found.Add((start + i, address));
            }

            if (i + Word <= code.Length && MemoryMarshal.Read<nint>(code.AsSpan(i)) is var number && number >= low && number <= high && wanted.Contains(number))
                found.Add((start + i, number));
        }

        return found;
    }

    /// <summary>Which word of a code header numbers the method, if it is the given one.</summary>
    private int? WordOf(nint method, nint at, ProcessMemory memory)
    {
        for (int word = 1; word < LongestHeader; word++)
        {
            if (HeaderOf(at, word, memory).Method == method)
                return word;
        }

        return null;
    }

    /// <summary>
    /// The method that the header of the code around an address numbers. Before a method's code stands the address of its
    /// header, which holds that number, how many pieces the code has, and for each where it begins and ends, counted from the
    /// start of the memory for code; of an emitted method the header lies behind the code (dotnet/runtime, src/coreclr/vm/codeman.h, <c>RealCodeHeader</c>).
    /// </summary>
    private (nint Method, bool IsEmitted) HeaderOf(nint at, int word, ProcessMemory memory)
    {
        (nint start, byte[] bytes) = _regions.Find(r => at >= r.Start && at < r.Start + r.Bytes.Length);
        Span<int> unwind = stackalloc int[3];
        Span<nint> header = stackalloc nint[2];
        for (nint code = at & -Word; code - Word >= start && at - code < LongestCode; code -= Word)
        {
            nint place = MemoryMarshal.Read<nint>(bytes.AsSpan((int)(code - Word - start)));
            if (place % Word != 0 || _map.At(place) is not { CanRead: true } region)
                continue;
            nint pieces = place + ((word + 1) * Word) + sizeof(int);
            if (!memory.TryRead(place + (word * Word), MemoryMarshal.AsBytes(header)) || (int)header[1] is not (> 0 and < MostUnwinds) || !memory.TryRead(pieces, MemoryMarshal.AsBytes(unwind)))
                continue;
            int begin = unwind[0];
            bool isWhole = _map.At(code - begin) is { CanExecute: true, IsOfFile: false } && memory.TryRead(pieces + (((int)header[1] - 1) * UnwindSize), MemoryMarshal.AsBytes(unwind));
            if (isWhole && unwind[1] - begin > at - code && header[0] % Word == 0 && _map.At(header[0]) is { CanWrite: true, CanExecute: false })
                return (header[0], region.CanExecute);
        }

        return default;
    }
}
