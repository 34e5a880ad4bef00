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
    private const int Word = 8, LongestCode = 1 << 20, LongestHeader = 5, MostUnwinds = 1000, UnwindSize = 12, PageSize = 4096;

    private readonly MemoryMap _map;
    private readonly List<(nint Start, byte[] Bytes)> _regions = [];
    private readonly List<AddressMention> _mentions = [];
    private readonly HashSet<nint> _methods = [];
    private readonly int? _methodWord;

    /// <summary>Finds the places that name addresses, and the methods that there is code of.</summary>
    /// <param name="addresses">The addresses.</param>
    /// <param name="known">A method that was emitted and compiled. By it the form of the code's headers is learnt.</param>
    public CompiledCode(IReadOnlyCollection<nint> addresses, DynamicMethod known)
    {
        _map = MemoryMap.Read();
        using var memory = new ProcessMemory();
        foreach (MemoryRegion region in _map.Regions.Where(r => r is { CanExecute: true, CanRead: true, IsOfFile: false }))
        {
            byte[] bytes = new byte[region.End - region.Start];
            if (memory.TryRead(region.Start, bytes))
                _regions.Add((region.Start, bytes));
            else
                IsWhole = false;
        }

        RuntimeMethodHandle handle = EmittedMethods.HandleOf(known);
        _methodWord = WordOf(handle.Value, handle.GetFunctionPointer(), memory);
        IsWhole &= _methodWord is not null;
        foreach ((nint start, byte[] bytes) in _regions)
        {
            EnterMethods(start, bytes, memory);
            foreach ((nint at, nint address) in PlacesIn(start, bytes, addresses))
            {
                (nint method, bool isEmitted) = _methodWord is { } word ? HeaderOf(at, word, memory) : default;
                _mentions.Add(new AddressMention(address, method, isEmitted));
            }
        }
    }

    /// <summary>Whether all of it could be read and understood.</summary>
    public bool IsWhole { get; } = true;

    /// <summary>The places.</summary>
    public IReadOnlyList<AddressMention> Mentions => _mentions;

    /// <summary>Whether there is code of a method, by the runtime's number of it. An emitted one that is gone may be among them.</summary>
    public bool Has(nint method) => _methods.Contains(method);

    private void EnterMethods(nint start, byte[] bytes, ProcessMemory memory)
    {
        for (nint code = start + Word; _methodWord is { } word && code < start + bytes.Length; code += Word)
        {
            nint place = MemoryMarshal.Read<nint>(bytes.AsSpan((int)(code - Word - start)));
            if (place != 0 && place % Word == 0 && _map.At(place) is { CanRead: true } region && MethodOf(place, word, code, code, region.CanExecute, memory) is var method && method != 0)
                _methods.Add(method);
        }
    }

    /// <summary>
    /// Where code names one of the addresses: as a number of eight bytes, or by its distance from the instruction's end, behind
    /// which up to four bytes of an operand may stand. By chance other bytes can look so, which makes answers more careful.
    /// </summary>
    private static List<(nint At, nint Address)> PlacesIn(nint start, byte[] code, IReadOnlyCollection<nint> addresses)
    {
        var found = new List<(nint At, nint Address)>();
        if (addresses.Count == 0)
            return found;
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
    /// header, which holds that number, how many pieces the code has, and of each where it begins, ends and is described, counted
    /// from the first page of the memory for code. Of an emitted method the header lies behind the code, and the memory begins
    /// anywhere (dotnet/runtime, src/coreclr/vm/codeman.h, <c>RealCodeHeader</c>).
    /// </summary>
    private (nint Method, bool IsEmitted) HeaderOf(nint at, int word, ProcessMemory memory)
    {
        (nint start, byte[] bytes) = _regions.Find(r => at >= r.Start && at < r.Start + r.Bytes.Length);
        for (nint code = at & -Word; code - Word >= start && at - code < LongestCode; code -= Word)
        {
            nint place = MemoryMarshal.Read<nint>(bytes.AsSpan((int)(code - Word - start)));
            if (place != 0 && place % Word == 0 && _map.At(place) is { CanRead: true } region && MethodOf(place, word, code, at, region.CanExecute, memory) is var method && method != 0)
                return (method, region.CanExecute);
        }

        return default;
    }

    /// <summary>The number that a header holds, if it is one and belongs to the code from one address to beyond another; else 0.</summary>
    private nint MethodOf(nint place, int word, nint code, nint at, bool isEmitted, ProcessMemory memory)
    {
        Span<nint> header = stackalloc nint[2];
        Span<int> first = stackalloc int[3], last = stackalloc int[3];
        nint pieces = place + ((word + 1) * Word) + sizeof(int);
        if (!memory.TryRead(place + (word * Word), MemoryMarshal.AsBytes(header)) || (int)header[1] is not (> 0 and < MostUnwinds) || !memory.TryRead(pieces, MemoryMarshal.AsBytes(first))
            || !memory.TryRead(pieces + (((int)header[1] - 1) * UnwindSize), MemoryMarshal.AsBytes(last)))
        {
            return 0;
        }

        nint memoryStart = code - first[0];
        int end = last[1] - first[0], described = first[2] - first[0];
        bool isExtent = first[0] > 0 && first[1] > first[0] && end > at - code && described >= end && described < LongestCode;
        bool isPlace = isEmitted ? place - code >= described && place - code < LongestCode : memoryStart % PageSize == 0;
        return isExtent && isPlace && _map.At(memoryStart) is { CanExecute: true, IsOfFile: false } && header[0] % Word == 0 && _map.At(header[0]) is { CanWrite: true, CanExecute: false }
            ? header[0]
            : 0;
    }
}
