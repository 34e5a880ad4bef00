using System.Runtime.InteropServices;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Translator;

/// <summary>The decoded instructions of a region that its code leads out to; they live as long as it does.</summary>
internal sealed unsafe class RegionMemory(CpuState* cpu, PageCode code) : IDisposable
{
    private const int ChunkSize = 32;

    /// <summary>The CPU.</summary>
    public CpuState* Cpu => cpu;

    private readonly List<nint> _chunks = [];
    private readonly Dictionary<ulong, nint> _alone = [];
    private readonly Dictionary<ulong, nint> _ways = [];
    private int _used = ChunkSize;

    /// <summary>An instruction of the region as the interpreter executes it, and behind it what leads on.</summary>
    public DecodedInstruction* Alone(in Instruction instruction)
    {
        if (_alone.TryGetValue(instruction.IP, out nint known))
            return (DecodedInstruction*)known;
        DecodedInstruction* u = Allocate(2);
        fixed (byte* bytes = code.Bytes(instruction))
            OperandDecoder.Fill(cpu, instruction, bytes, Marks.Code64, u);
        LeadTo(u + 1, instruction.NextIP);
        _alone.Add(instruction.IP, (nint)u);
        return u;
    }

    /// <summary>Leads to an address outside of the region.</summary>
    public DecodedInstruction* Way(ulong rip)
    {
        if (!_ways.TryGetValue(rip, out nint way))
        {
            DecodedInstruction* u = Allocate(1);
            LeadTo(u, rip);
            way = (nint)u;
            _ways.Add(rip, way);
        }

        return (DecodedInstruction*)way;
    }

    public void Dispose()
    {
        foreach (nint chunk in _chunks)
        {
            // SAFETY: Allocate made the block; whoever disposes a region knows that no code runs in it.
            NativeMemory.AlignedFree((void*)chunk);
        }

        _chunks.Clear();
    }

    /// <summary>An address of the same page is remembered once it is found, others are looked up each time: what lies there may change.</summary>
    private void LeadTo(DecodedInstruction* u, ulong rip)
    {
        *u = new DecodedInstruction { Rip = rip, Marks = Marks.Code64, Length = 1, Handler = &ControlFlow.Continue };
        if (!code.Has(rip))
            return;
        u->Handler = &RegionExits.Link;
        u->Target = u;
    }

    private DecodedInstruction* Allocate(int count)
    {
        if (_used + count > ChunkSize)
        {
            // SAFETY: released by Dispose.
            _chunks.Add((nint)NativeMemory.AlignedAlloc((nuint)(ChunkSize * sizeof(DecodedInstruction)), 64));
            _used = 0;
        }

        _used += count;
        return (DecodedInstruction*)_chunks[^1] + (_used - count);
    }
}
