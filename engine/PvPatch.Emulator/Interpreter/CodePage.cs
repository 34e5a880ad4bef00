using System.Runtime.InteropServices;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.Translator;

namespace PvPatch.Emulator.Interpreter;

/// <summary>Which bytes a page of decoded instructions stands for: the same bytes at another address or width decode otherwise.</summary>
/// <param name="Physical">Physical address of the page.</param>
/// <param name="FirstRip">RIP of its first byte.</param>
/// <param name="CodeWidth">Width of the code.</param>
/// <param name="End">How many bytes of it the code segment's limit lets be fetched.</param>
internal readonly record struct CodePageKey(ulong Physical, ulong FirstRip, Marks CodeWidth, int End);

/// <summary>The decoded instructions of one 4 KB page, by the offset of their first byte.</summary>
internal sealed unsafe class CodePage : IDisposable
{
    private const int HeatShift = 8;
    private const int MostPatience = 12;

    private nint[] _blocks = new nint[8];
    private int _count;
    private readonly DecodedInstruction** _starts;
    private readonly List<TranslatedRegion> _regions = [];
    private readonly Dictionary<int, (TranslatedRegion Region, int Entry)> _entries = [];
    private readonly HashSet<ulong> _translated = [];
    private readonly HashSet<ulong> _refused = [];
    private readonly int[] _heat = new int[0x1000 >> HeatShift];

    public CodePage(uint version)
    {
        Version = version;
        // SAFETY: zeroed pointers are null; Dispose releases the table.
        _starts = (DecodedInstruction**)NativeMemory.AllocZeroed(0x1000, (nuint)sizeof(DecodedInstruction*));
    }

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

    /// <summary>
    /// An instruction was executed when somebody looked: how often that was so nearby. A page that changes again and again has to be
    /// looked at ever more often, since what is translated of it does not last.
    /// </summary>
    public int Heat(int offset) => ++_heat[offset >> HeatShift] >> Math.Min(Age, MostPatience);

    /// <summary>Whether an instruction is part of a translated region.</summary>
    public bool IsTranslated(ulong rip) => _translated.Contains(rip);

    /// <summary>Whether no region can start at an instruction.</summary>
    public bool IsRefused(ulong rip) => _refused.Contains(rip);

    /// <summary>No region can start at an instruction.</summary>
    public void Refuse(ulong rip) => _refused.Add(rip);

    /// <summary>From now on a region is entered at its entries, but for those where another one is.</summary>
    public void Install(TranslatedRegion region)
    {
        _regions.Add(region);
        _translated.UnionWith(region.Instructions);
        for (int entry = 0; entry < region.Entries.Count; entry++)
        {
            int offset = (int)(region.Entries[entry] & 0xfff);
            if (_entries.TryAdd(offset, (region, entry)) && this[offset] != null)
                Enter(offset);
        }
    }

    /// <summary>Lets the decoded instruction at an offset enter the region that starts there, if one does.</summary>
    public void Enter(int offset)
    {
        if (_entries.TryGetValue(offset, out (TranslatedRegion Region, int Entry) found))
            found.Region.EnterAt(this[offset], found.Entry);
    }

    /// <summary>Room for instructions that follow each other; they live until the page is reset.</summary>
    public DecodedInstruction* Allocate(int count)
    {
        // SAFETY: released by Reset.
        var block = (DecodedInstruction*)NativeMemory.AlignedAlloc((nuint)(count * sizeof(DecodedInstruction)), 64);
        if (_count == _blocks.Length)
            Array.Resize(ref _blocks, 2 * _count);
        _blocks[_count++] = (nint)block;
        return block;
    }

    /// <summary>Forgets all instructions. Nothing may point to them any more.</summary>
    public void Reset(uint version)
    {
        Version = version;
        NativeMemory.Clear(_starts, (nuint)(0x1000 * sizeof(DecodedInstruction*)));
        while (_count > 0)
        {
            // SAFETY: Allocate made the block.
            NativeMemory.AlignedFree((void*)_blocks[--_count]);
        }

        foreach (TranslatedRegion region in _regions)
            region.Dispose();
        _regions.Clear();
        Age++;
        _entries.Clear();
        _translated.Clear();
        _refused.Clear();
        Array.Clear(_heat);
    }

    public void Dispose()
    {
        Reset(0);
        NativeMemory.Free(_starts);
    }
}
