using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Memory;

/// <summary>
/// Bytes of linear memory that an instruction may access without a further fault: all their pages are translated and
/// allow it. They lie in one page or in two, in RAM or not.
/// </summary>
public readonly unsafe struct ReservedBytes
{
    private readonly ulong _linear;
    private readonly ulong _first;
    private readonly ulong _second;
    private readonly int _firstSize;
    private readonly int _size;
    private readonly bool _watched;

    private ReservedBytes(ulong linear, ulong first, int firstSize, ulong second, int size, bool watched)
    {
        _linear = linear;
        _first = first;
        _firstSize = firstSize;
        _second = second;
        _size = size;
        _watched = watched;
    }

    /// <summary>
    /// Translates the pages of up to 4096 bytes, the page of the first byte first. Bytes that are not memory, or that are
    /// watched, are only given to an instruction that runs alone: another one gets <see cref="MemoryFault.Alone"/>.
    /// </summary>
    public static bool TryReserve(
        CpuState* cpu, ulong linear, int size, AccessKind kind, AccessMode mode, out ReservedBytes bytes, out MemoryFault fault)
    {
        bytes = default;
        bool longMode = (cpu->Efer & EferBits.LongModeActive) != 0;
        ulong last = linear + (uint)(size - 1);
        if (!longMode)
        {
            linear = (uint)linear;
            last = (uint)last;
        }
        else if (!PageWalk.IsCanonical(linear) || !PageWalk.IsCanonical(last))
        {
            fault = new MemoryFault(MemoryFault.GeneralProtection, 0, linear);
            return false;
        }

        if (!Tlb.TryFill(cpu, linear, kind, mode, out ulong first, out byte* firstHost, out fault))
            return false;

        int inFirst = Math.Min(size, 0x1000 - (int)(linear & 0xfff));
        ulong second = 0;
        byte* secondHost = firstHost;
        if (inFirst < size && !Tlb.TryFill(cpu, last & Tlb.PageMask, kind, mode, out second, out secondHost, out fault))
            return false;

        bool watched = cpu->Watches != 0 && MemoryWatches.Of(cpu).Covers(linear, size, kind);
        if ((watched || firstHost == null || secondHost == null) && cpu->RunsMany != 0)
        {
            fault = MemoryFault.Alone;
            return false;
        }

        Breakpoints.NoteAccess(cpu, linear, size, kind);
        bytes = new ReservedBytes(linear, first, inFirst, second, size, watched);
        return true;
    }

    /// <summary>Reads the bytes as data.</summary>
    public void CopyTo(CpuState* cpu, void* target)
    {
        Ram.Read(cpu, _first, (byte*)target, _firstSize);
        if (_size != _firstSize)
            Ram.Read(cpu, _second, (byte*)target + _firstSize, _size - _firstSize);
        if (_watched)
            MemoryWatches.Of(cpu).Report(cpu, _linear, new ReadOnlySpan<byte>(target, _size), isWrite: false);
    }

    /// <summary>Reads the bytes as instructions: devices give ones.</summary>
    public void FetchTo(CpuState* cpu, byte* target)
    {
        Fetch(cpu, _first, target, _firstSize);
        if (_size != _firstSize)
            Fetch(cpu, _second, target + _firstSize, _size - _firstSize);
    }

    /// <summary>Writes the bytes and reports it where code was decoded from their page.</summary>
    public void CopyFrom(CpuState* cpu, void* source)
    {
        if (_watched)
            MemoryWatches.Of(cpu).Report(cpu, _linear, new ReadOnlySpan<byte>(source, _size), isWrite: true);
        Ram.Write(cpu, _first, (byte*)source, _firstSize);
        if (_size != _firstSize)
            Ram.Write(cpu, _second, (byte*)source + _firstSize, _size - _firstSize);
    }

    private static void Fetch(CpuState* cpu, ulong physical, byte* target, int count)
    {
        if (Ram.Readable(cpu, physical, (uint)count) != null)
            Ram.Read(cpu, physical, target, count);
        else
            new Span<byte>(target, count).Fill(0xff);
    }
}
