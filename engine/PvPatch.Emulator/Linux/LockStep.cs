using System.Buffers.Binary;
using System.Text;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Linux;

/// <summary>
/// Executes a program's instructions twice, piece by piece: as the program's CPU does, and by the interpreter alone on a copy of
/// registers and memory. After each piece both must be the same. System calls are answered once, between pieces.
/// </summary>
internal sealed unsafe class LockStep : IDisposable
{
    /// <summary>Words of memory that are told.</summary>
    private const int MostWords = 8;

    /// <summary>Lengths of pieces: short ones cut blocks, long ones let loops run.</summary>
    private static readonly ulong[] Pieces = [1, 6, 41, 500, 8009];

    private readonly CpuState* _state;
    private readonly InterpretedCpu _executed;
    private readonly PhysicalMemory _memory;
    private readonly PhysicalMemory _copy;
    private readonly UserCpu _cpu;
    private readonly InterpretedCpu _reference;
    private int _piece;

    /// <summary>Prepares the copy.</summary>
    /// <param name="state">The program's CPU.</param>
    /// <param name="executed">What executes it.</param>
    /// <param name="memory">The program's memory.</param>
    public LockStep(CpuState* state, InterpretedCpu executed, PhysicalMemory memory)
    {
        _state = state;
        _executed = executed;
        _memory = memory;
        _copy = new PhysicalMemory(memory.Size);
        _cpu = new UserCpu(_copy, repeatable: true);
        _reference = new InterpretedCpu(_cpu.State, systemCallsLeave: true);
    }

    /// <summary>What differed, with both states; null while nothing did.</summary>
    public string? Difference { get; private set; }

    /// <summary>Executes up to a number of instructions, or until something differs.</summary>
    /// <param name="instructions">The most instructions.</param>
    /// <param name="used">The pages of memory that the program may use.</param>
    public StopReason Run(ulong instructions, IEnumerable<ulong> used)
    {
        CopyIn(used);
        StopReason stop = new StopReason.InstructionLimit();
        while (instructions > 0 && stop is StopReason.InstructionLimit && Difference == null)
        {
            ulong piece = Math.Min(instructions, Pieces[_piece++ % Pieces.Length]);
            ulong start = _state->Rip;
            ulong before = _executed.Instructions;
            ulong referenceBefore = _reference.Instructions;
            stop = _executed.Run(piece);
            StopReason expected = _reference.Run(piece);
            ulong done = _executed.Instructions - before;
            Compare(start, done, _reference.Instructions - referenceBefore, stop, expected, used);
            instructions -= done;
        }

        return stop;
    }

    public void Dispose()
    {
        _reference.Dispose();
        _cpu.Dispose();
        _copy.Dispose();
    }

    /// <summary>System calls and page faults changed registers and memory, and may have changed translations.</summary>
    private void CopyIn(IEnumerable<ulong> used)
    {
        CpuState* own = _cpu.State;
        CpuState mine = *own;
        *own = *_state;
        own->Ram = mine.Ram;
        own->Sensitive = mine.Sensitive;
        own->Tlb = mine.Tlb;
        own->TlbGeneration = mine.TlbGeneration;
        own->CodePages = mine.CodePages;
        own->NextOnMap = mine.NextOnMap;
        own->Memory = mine.Memory;
        own->DataTlb = mine.DataTlb;
        own->JumpCache = mine.JumpCache;
        own->FetchEpoch = mine.FetchEpoch;
        own->Execution = mine.Execution;
        foreach (ulong page in used)
        {
            Span<byte> from = _memory.Span(page, (int)PhysicalMemory.PageSize);
            Span<byte> to = _copy.Span(page, (int)PhysicalMemory.PageSize);
            if (from.SequenceEqual(to))
                continue;
            from.CopyTo(to);
            CodePages.Written(own, page, PhysicalMemory.PageSize);
        }

        Tlb.Flush(own);
    }

    private void Compare(ulong start, ulong done, ulong expectedDone, StopReason stop, StopReason expected, IEnumerable<ulong> used)
    {
        var text = new StringBuilder();
        if (done != expectedDone || stop != expected)
            text.AppendLine($"  stopped      {stop} after {done}, interpreted {expected} after {expectedDone}");
        StateComparison.Append(text, _state, _cpu.State);
        AppendMemory(text, used);
        if (text.Length > 0)
            Difference = $"Both tiers differ within {Math.Max(done, expectedDone)} instructions from RIP 0x{start:x} on; translated, then interpreted:{Environment.NewLine}{text.ToString().TrimEnd()}";
    }

    /// <summary>The first words of physical memory that differ, and how many more do.</summary>
    private void AppendMemory(StringBuilder text, IEnumerable<ulong> used)
    {
        int differing = 0;
        foreach (ulong page in used)
        {
            Span<byte> found = _memory.Span(page, (int)PhysicalMemory.PageSize);
            Span<byte> wanted = _copy.Span(page, (int)PhysicalMemory.PageSize);
            if (found.SequenceEqual(wanted))
                continue;
            for (int at = 0; at < found.Length; at += sizeof(ulong))
            {
                ulong foundWord = BinaryPrimitives.ReadUInt64LittleEndian(found[at..]);
                ulong wantedWord = BinaryPrimitives.ReadUInt64LittleEndian(wanted[at..]);
                if (foundWord != wantedWord && ++differing <= MostWords)
                    text.AppendLine($"  [{page + (ulong)at:x}]".PadRight(StateComparison.NameWidth) + $"{foundWord:x16} {wantedWord:x16} (physical memory)");
            }
        }

        if (differing > MostWords)
            text.AppendLine($"  and {differing - MostWords} more words of physical memory");
    }
}
