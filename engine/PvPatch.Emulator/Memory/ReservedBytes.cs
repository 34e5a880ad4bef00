using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Memory;

/// <summary>
/// Bytes of linear memory that an instruction may access without a further fault: all their pages are translated and
/// allow it. They lie in one page or in two; pages without RAM read as ones and swallow writes.
/// </summary>
public readonly unsafe struct ReservedBytes
{
    private readonly byte* _first;
    private readonly byte* _second;
    private readonly int _firstSize;
    private readonly int _size;

    private ReservedBytes(byte* first, int firstSize, byte* second, int size)
    {
        _first = first;
        _firstSize = firstSize;
        _second = second;
        _size = size;
    }

    /// <summary>Host address if the bytes are RAM in one page, so that they can be accessed atomically; else null.</summary>
    public byte* Contiguous => _firstSize == _size ? _first : null;

    /// <summary>Translates the pages of up to 4096 bytes, the page of the first byte first.</summary>
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

        if (!Tlb.TryFill(cpu, linear, kind, mode, out byte* first, out fault))
            return false;

        int inFirst = 0x1000 - (int)(linear & 0xfff);
        if (inFirst >= size)
        {
            Breakpoints.NoteAccess(cpu, linear, size, kind);
            bytes = new ReservedBytes(first, size, null, size);
            return true;
        }

        if (!Tlb.TryFill(cpu, last & Tlb.PageMask, kind, mode, out byte* second, out fault))
            return false;
        Breakpoints.NoteAccess(cpu, linear, size, kind);
        bytes = new ReservedBytes(first, inFirst, second, size);
        return true;
    }

    /// <summary>Reads the bytes.</summary>
    public void CopyTo(void* target)
    {
        Read(_first, (byte*)target, _firstSize);
        Read(_second, (byte*)target + _firstSize, _size - _firstSize);
    }

    /// <summary>Writes the bytes and reports it where code was decoded from their page.</summary>
    public void CopyFrom(CpuState* cpu, void* source)
    {
        Write(cpu, _first, (byte*)source, _firstSize);
        Write(cpu, _second, (byte*)source + _firstSize, _size - _firstSize);
    }

    private static void Read(byte* page, byte* target, int count)
    {
        // SAFETY: TryReserve found count bytes of RAM at page, or none at all; target has room for them.
        if (page != null)
            Unsafe.CopyBlockUnaligned(target, page, (uint)count);
        else
            new Span<byte>(target, count).Fill(0xff);
    }

    private static void Write(CpuState* cpu, byte* page, byte* source, int count)
    {
        if (page == null)
            return;
        // SAFETY: TryReserve found count bytes of writable RAM at page.
        Unsafe.CopyBlockUnaligned(page, source, (uint)count);
        CodePages.Written(cpu, (ulong)(page - cpu->Ram), (ulong)count);
    }
}
