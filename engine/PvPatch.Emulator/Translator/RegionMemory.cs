using System.Runtime.InteropServices;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Translator;

/// <summary>The decoded instructions of a region that its code leads out to; they live as long as it does.</summary>
internal sealed unsafe class RegionMemory(CpuState* cpu, RegionCode code) : IDisposable
{
    private const int ChunkSize = 32;

    /// <summary>As many records as have room in a decoded instruction.</summary>
    private const int ExitsInInstruction = 4;

    private nint[] _chunks = new nint[4];
    private int _chunkCount;
    private nint[]?[]? _alone = new nint[RegionCode.MostPages][];
    private nint[] _ways = new nint[8];
    private int _wayCount;
    private int _used = ChunkSize;
    private DecodedInstruction* _self;
    private ExitRecord* _exits;
    private ExitRecord* _entryExits;
    private int _exit = ExitsInInstruction;

    /// <summary>The CPU.</summary>
    public CpuState* Cpu => cpu;

    /// <summary>Stands for the region itself: its handler is the region's code, once that is there.</summary>
    public DecodedInstruction* Self
    {
        get
        {
            if (_self == null)
            {
                _self = Allocate(1);
                *_self = default;
            }

            return _self;
        }
    }

    /// <summary>An instruction of the region as the interpreter executes it, and behind it what leads on.</summary>
    public DecodedInstruction* Alone(in Instruction instruction)
    {
        nint[]?[] alone = _alone ?? throw new InvalidOperationException("The region is complete.");
        nint[] ofPage = alone[code.PlaceOf(instruction.IP) / PageCode.Size] ??= new nint[PageCode.Size];
        ref nint known = ref ofPage[PageCode.OffsetOf(instruction.IP)];
        if (known != 0)
            return (DecodedInstruction*)known;
        DecodedInstruction* u = Allocate(2);
        fixed (byte* bytes = code.Bytes(instruction))
            OperandDecoder.Fill(cpu, instruction, bytes, Marks.Code64, u);
        LeadTo(u + 1, instruction.NextIP, PageCode.LastByte(instruction));
        known = (nint)u;
        return u;
    }

    /// <summary>Leads to an address outside of the region, or where it cannot go on in it.</summary>
    /// <param name="rip">The address.</param>
    /// <param name="from">An address in the page that control comes from.</param>
    public DecodedInstruction* Way(ulong rip, ulong from)
    {
        for (int i = 0; i < _wayCount; i++)
        {
            var way = (DecodedInstruction*)_ways[i];
            if (way->Rip == rip && way->Target != null == PageCode.AreTogether(rip, from))
                return way;
        }

        DecodedInstruction* u = Allocate(1);
        LeadTo(u, rip, from);
        if (_wayCount == _ways.Length)
            Array.Resize(ref _ways, 2 * _wayCount);
        _ways[_wayCount++] = (nint)u;
        return u;
    }

    /// <summary>Tells of a side exit.</summary>
    /// <param name="next">The instruction that is executed next.</param>
    /// <param name="notExecuted">Instructions that were counted and not executed.</param>
    /// <param name="flags">What is known of flags.</param>
    public ExitRecord* Exit(DecodedInstruction* next, int notExecuted, FlagState flags)
    {
        if (_exit == ExitsInInstruction)
        {
            _exits = (ExitRecord*)Allocate(1);
            _exit = 0;
        }

        // SAFETY: so many records are no larger than an instruction.
        ExitRecord* exit = _exits + _exit++;
        *exit = new ExitRecord { Next = next, NotExecuted = (uint)notExecuted, Waiting = flags.IsInLocal ? ExitRecord.InLocal : flags.Waiting.Number };
        return exit;
    }

    /// <summary>Tells of side exits where the region is entered: a list of their records.</summary>
    public ExitRecord* EntryExits(IReadOnlyList<RegionBlock> entries)
    {
        // SAFETY: released by Dispose.
        var records = (ExitRecord*)NativeMemory.Alloc((nuint)entries.Count, (nuint)sizeof(ExitRecord));
        _entryExits = records;
        for (int i = 0; i < entries.Count; i++)
            records[i] = new ExitRecord { Next = Alone(entries[i].Instructions[0]), NotExecuted = 0, Waiting = ExitRecord.InLocal };
        return records;
    }

    /// <summary>The region is written: nothing will be asked for any more.</summary>
    public void Complete() => _alone = null;

    public void Dispose()
    {
        while (_chunkCount > 0)
        {
            // SAFETY: Allocate made the block; whoever disposes a region knows that no code runs in it.
            NativeMemory.AlignedFree((void*)_chunks[--_chunkCount]);
        }

        // SAFETY: made by EntryExits; null is nothing to free.
        NativeMemory.Free(_entryExits);
        _entryExits = null;
    }

    /// <summary>An address of the page that control comes from is remembered once it is found, others are looked up each time: what lies there may change.</summary>
    private static void LeadTo(DecodedInstruction* u, ulong rip, ulong from)
    {
        *u = new DecodedInstruction { Rip = rip, Marks = Marks.Code64 | Marks.TakesWaitingFlags, Length = 1, Handler = &RegionExits.LookUp };
        if (!PageCode.AreTogether(rip, from))
            return;
        u->Handler = &RegionExits.Link;
        u->Target = u;
    }

    private DecodedInstruction* Allocate(int count)
    {
        if (_used + count > ChunkSize)
        {
            if (_chunkCount == _chunks.Length)
                Array.Resize(ref _chunks, 2 * _chunkCount);
            // SAFETY: released by Dispose.
            _chunks[_chunkCount++] = (nint)NativeMemory.AlignedAlloc((nuint)(ChunkSize * sizeof(DecodedInstruction)), 64);
            _used = 0;
        }

        _used += count;
        return (DecodedInstruction*)_chunks[_chunkCount - 1] + (_used - count);
    }
}
