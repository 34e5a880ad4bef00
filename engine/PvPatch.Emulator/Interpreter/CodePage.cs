using System.Runtime.InteropServices;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Translator;

namespace PvPatch.Emulator.Interpreter;

/// <summary>Which bytes a page of decoded instructions stands for: the same bytes at another address or width decode otherwise.</summary>
/// <param name="Physical">Physical address of the page.</param>
/// <param name="FirstRip">RIP of its first byte.</param>
/// <param name="CodeWidth">Width of the code.</param>
/// <param name="End">How many bytes of it the code segment's limit lets be fetched.</param>
internal sealed record CodePageKey(ulong Physical, ulong FirstRip, Marks CodeWidth, int End)
{
    // A class with these two: dictionaries of structs, and comparers of enumerations, are compiled anew by each process.
    public bool Equals(CodePageKey? other) =>
        other != null && Physical == other.Physical && FirstRip == other.FirstRip && CodeWidth == other.CodeWidth && End == other.End;

    public override int GetHashCode() => (int)(Physical >> 12) ^ ((int)(FirstRip >> 12) * 31) ^ (int)CodeWidth;
}

/// <summary>The decoded instructions of one 4 KB page, by the offset of their first byte.</summary>
internal sealed unsafe class CodePage : IDisposable
{
    private nint[] _blocks = new nint[8];
    private int _count;
    private readonly DecodedInstruction** _starts;
    private readonly ulong* _fetchedIn;
    private PageRegions? _regions;

    public CodePage(CodePageKey key, uint version)
    {
        Key = key;
        Version = version;
        // SAFETY: zeroed pointers are null, and no epoch is 0; Dispose releases the table and the epoch behind it.
        _starts = (DecodedInstruction**)NativeMemory.AllocZeroed(PageCode.Size + 1, sizeof(ulong));
        _fetchedIn = (ulong*)(_starts + PageCode.Size);
    }

    /// <summary>Which bytes it stands for.</summary>
    public CodePageKey Key { get; }

    /// <summary>The version of the page's bytes that was decoded.</summary>
    public uint Version { get; private set; }

    /// <summary>Grows when all instructions are forgotten.</summary>
    public int Age { get; private set; }

    /// <summary>The instruction that starts at an offset, null if none was decoded.</summary>
    public DecodedInstruction* this[int offset]
    {
        // SAFETY: callers cut offsets to 12 bits, the table has 4096 entries.
        get => _starts[offset];
        set => _starts[offset] = value;
    }

    /// <summary>In which <see cref="CpuState.FetchEpoch"/> a fetch led to this page at this address the last time.</summary>
    public ulong* FetchedIn => _fetchedIn;

    /// <summary>What is translated of it, from the first time on that somebody thinks of it.</summary>
    public PageRegions Regions => _regions ??= new PageRegions(this);

    /// <summary>Lets the decoded instruction at an offset enter the region that starts there, if one does.</summary>
    public void Enter(int offset) => _regions?.Enter(offset);

    /// <summary>Room for instructions that follow each other; they live until the page is reset.</summary>
    public DecodedInstruction* Allocate(int count)
    {
        // SAFETY: released by Reset.
        var block = (DecodedInstruction*)NativeMemory.AlignedAlloc((nuint)(count * sizeof(DecodedInstruction)), 64);
        if (_count == _blocks.Length)
        {
            nint[] longer = new nint[2 * _count];
            Array.Copy(_blocks, longer, _count);
            _blocks = longer;
        }

        _blocks[_count++] = (nint)block;
        return block;
    }

    /// <summary>Forgets all instructions. Nothing may point to them any more.</summary>
    public void Reset(uint version)
    {
        Version = version;
        _regions?.Drop();
        _regions = null;
        NativeMemory.Clear(_starts, PageCode.Size * sizeof(ulong));
        *_fetchedIn = 0;
        while (_count > 0)
        {
            // SAFETY: Allocate made the block.
            NativeMemory.AlignedFree((void*)_blocks[--_count]);
        }

        Age++;
    }

    public void Dispose()
    {
        Reset(0);
        NativeMemory.Free(_starts);
    }
}
