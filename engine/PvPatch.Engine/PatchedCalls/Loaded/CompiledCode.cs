using System.Buffers.Binary;
using System.Reflection.Emit;
using PvPatch.Engine.IndirectCalls;

namespace PvPatch.Engine.PatchedCalls.Loaded;

/// <summary>A place in compiled code that names an address.</summary>
/// <param name="Method">The runtime's number of the method whose code it is; 0 where that cannot be told.</param>
/// <param name="IsEmitted">Whether it is an emitted method, which may be gone: then the number is of use only for those that are known to be alive.</param>
internal sealed record AddressMention(nint Method, bool IsEmitted);

/// <summary>
/// All machine code that the JIT has made in this process until now, whatever for: every tier, every instantiation, emitted
/// methods too. It is a copy, searched byte by byte for addresses and not decoded, so nothing that is there is missed.
/// It is made when a program starts to be patched, so it keeps to collections that the framework has compiled ahead.
/// </summary>
internal sealed class CompiledCode
{
    private const int Word = 8, LongestCode = 1 << 20, LongestHeader = 5, MostUnwinds = 1000, UnwindSize = 12, PageSize = 4096;

    private static readonly AddressMention Unknown = new(0, IsEmitted: false);

    private readonly MemoryMap _map;
    private readonly List<CodeRegion> _regions = [];
    private readonly Dictionary<nint, List<AddressMention>> _mentions = [];
    private readonly Dictionary<nint, AddressMention> _methods = [];
    private readonly int _methodWord;

    /// <summary>Finds the places that name addresses, and the methods that there is code of.</summary>
    /// <param name="addresses">The addresses.</param>
    /// <param name="known">A method that was emitted and compiled. By it the form of the code's headers is learnt.</param>
    public CompiledCode(IReadOnlyList<nint> addresses, DynamicMethod known)
    {
        _map = MemoryMap.Read();
        using var memory = new ProcessMemory();
        foreach (MemoryRegion region in _map.Regions)
        {
            if (region is not { CanExecute: true, CanRead: true, IsOfFile: false })
                continue;
            byte[] bytes = new byte[region.End - region.Start];
            if (memory.TryRead(region.Start, bytes))
                _regions.Add(new CodeRegion(region.Start, bytes));
            else
                IsWhole = false;
        }

        for (int i = 0; i < addresses.Count; i++)
            _mentions[addresses[i]] = [];
        RuntimeMethodHandle handle = EmittedMethods.HandleOf(known);
        _methodWord = WordOf(handle.Value, handle.GetFunctionPointer(), memory);
        IsWhole &= _methodWord > 0;
        foreach (CodeRegion region in _regions)
        {
            EnterMethods(region, memory);
            EnterMentions(region, addresses, memory);
        }

        _regions.Clear(); // what was found is kept, and not where
    }

    /// <summary>Whether all of it could be read and understood.</summary>
    public bool IsWhole { get; } = true;

    /// <summary>Whether there is a place of which it cannot be told whose code it is.</summary>
    public bool HasUnknown { get; private set; }

    /// <summary>The places that name one of the addresses.</summary>
    public List<AddressMention> MentionsOf(nint address) => _mentions[address];

    /// <summary>Whether there is code of a method, by the runtime's number of it. An emitted one that is gone may be among them.</summary>
    public bool Has(nint method) => _methods.ContainsKey(method);

    private void EnterMethods(CodeRegion region, ProcessMemory memory)
    {
        for (nint code = region.Start + Word; _methodWord > 0 && code < region.End; code += Word)
        {
            nint place = region.WordAt(code - Word);
            if (place != 0 && place % Word == 0 && _map.At(place) is { CanRead: true } header && MethodOf(place, _methodWord, code, code, header.CanExecute, memory) is var method && method != 0)
                _methods[method] = new AddressMention(method, header.CanExecute);
        }
    }

    /// <summary>
    /// Enters where code names one of the addresses: as a number of eight bytes, or by its distance from the instruction's end,
    /// behind which up to four bytes of an operand may stand. What stands before such a number is known (<see cref="IsDistance"/>,
    /// <see cref="IsNumber"/>). By chance other bytes can look so all the same, which makes answers more careful.
    /// </summary>
    private void EnterMentions(CodeRegion region, IReadOnlyList<nint> addresses, ProcessMemory memory)
    {
        nint low = nint.MaxValue, high = nint.MinValue, nearLow = nint.MaxValue, nearHigh = nint.MinValue;
        for (int i = 0; i < addresses.Count; i++)
        {
            nint address = addresses[i];
            low = Math.Min(low, address);
            high = Math.Max(high, address);
            if (Math.Abs(address - region.Start) > int.MaxValue)
                continue;
            nearLow = Math.Min(nearLow, address - sizeof(int));
            nearHigh = Math.Max(nearHigh, address);
        }

        for (nint at = region.Start; at + sizeof(int) <= region.End; at++)
        {
            nint end = at + sizeof(int) + region.HalfAt(at);
            if (end >= nearLow && end <= nearHigh && IsDistance(region, at))
            {
                for (nint address = end; address <= end + sizeof(int); address++)
                    EnterMention(at, address, memory);
            }

            if (at + Word <= region.End && region.WordAt(at) is var number && number >= low && number <= high && IsNumber(region, at))
                EnterMention(at, number, memory);
        }
    }

    /// <summary>Whether the byte before is a ModRM byte of an operand relative to RIP, which has no other bytes between (Intel SDM, volume 2, 2.2.1.6).</summary>
    private static bool IsDistance(CodeRegion region, nint at) => at > region.Start && (region.ByteAt(at - 1) & 0xC7) == 0x05;

    /// <summary>Whether the byte before is the opcode of the move of an eight-byte number, or of one from or to an eight-byte address; no other instruction has such an operand (Intel SDM, volume 2, MOV).</summary>
    private static bool IsNumber(CodeRegion region, nint at) => at > region.Start && region.ByteAt(at - 1) is (>= 0xB8 and <= 0xBF) or (>= 0xA0 and <= 0xA3);

    private void EnterMention(nint at, nint address, ProcessMemory memory)
    {
        if (!_mentions.TryGetValue(address, out List<AddressMention>? mentions))
            return;
        AddressMention mention = _methodWord > 0 ? MentionAt(at, _methodWord, memory) : Unknown;
        mentions.Add(mention);
        HasUnknown |= mention.Method == 0;
    }

    /// <summary>Which word of a code header numbers the method, if it is the given one; else 0.</summary>
    private int WordOf(nint method, nint at, ProcessMemory memory)
    {
        for (int word = 1; word < LongestHeader; word++)
        {
            if (MentionAt(at, word, memory).Method == method)
                return word;
        }

        return 0;
    }

    /// <summary>
    /// The method that the header of the code around an address numbers. Before a method's code stands the address of its
    /// header, which holds that number, how many pieces the code has, and of each where it begins, ends and is described, counted
    /// from the first page of the memory for code. Of an emitted method the header lies behind the code, and the memory begins
    /// anywhere (dotnet/runtime, src/coreclr/vm/codeman.h, <c>RealCodeHeader</c>).
    /// </summary>
    private AddressMention MentionAt(nint at, int word, ProcessMemory memory)
    {
        if (_regions.Find(r => at >= r.Start && at < r.End) is not { } region)
            return Unknown;
        for (nint code = at & -Word; code - Word >= region.Start && at - code < LongestCode; code -= Word)
        {
            nint place = region.WordAt(code - Word);
            if (place != 0 && place % Word == 0 && _map.At(place) is { CanRead: true } header && MethodOf(place, word, code, at, header.CanExecute, memory) is var method && method != 0)
                return new AddressMention(method, header.CanExecute);
        }

        return Unknown;
    }

    /// <summary>The number that a header holds, if it is one and belongs to the code from one address to beyond another; else 0.</summary>
    private nint MethodOf(nint place, int word, nint code, nint at, bool isEmitted, ProcessMemory memory)
    {
        Span<byte> header = stackalloc byte[2 * Word], first = stackalloc byte[UnwindSize], last = stackalloc byte[UnwindSize];
        if (!memory.TryRead(place + (word * Word), header))
            return 0;
        nint method = (nint)BinaryPrimitives.ReadInt64LittleEndian(header);
        int count = BinaryPrimitives.ReadInt32LittleEndian(header[Word..]);
        nint pieces = place + ((word + 1) * Word) + sizeof(int);
        if (count is not (> 0 and < MostUnwinds) || !memory.TryRead(pieces, first) || !memory.TryRead(pieces + ((count - 1) * UnwindSize), last))
            return 0;

        int begin = BinaryPrimitives.ReadInt32LittleEndian(first);
        nint memoryStart = code - begin;
        int end = BinaryPrimitives.ReadInt32LittleEndian(last[4..]) - begin, described = BinaryPrimitives.ReadInt32LittleEndian(first[8..]) - begin;
        bool isExtent = begin > 0 && BinaryPrimitives.ReadInt32LittleEndian(first[4..]) > begin && end > at - code && described >= end && described < LongestCode;
        bool isPlace = isEmitted ? place - code >= described && place - code < LongestCode : memoryStart % PageSize == 0;
        return isExtent && isPlace && _map.At(memoryStart) is { CanExecute: true, IsOfFile: false } && method % Word == 0 && _map.At(method) is { CanWrite: true, CanExecute: false }
            ? method
            : 0;
    }
}

/// <summary>A copy of memory that held code.</summary>
/// <param name="start">The first address.</param>
/// <param name="bytes">What was there.</param>
internal sealed class CodeRegion(nint start, byte[] bytes)
{
    /// <summary>The first address.</summary>
    public nint Start => start;

    /// <summary>The address behind the last one.</summary>
    public nint End => start + bytes.Length;

    /// <summary>The byte at an address.</summary>
    public byte ByteAt(nint address) => bytes[(int)(address - start)];

    /// <summary>The four bytes at an address.</summary>
    public int HalfAt(nint address) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan((int)(address - start)));

    /// <summary>The eight bytes at an address.</summary>
    public nint WordAt(nint address) => (nint)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan((int)(address - start)));
}
