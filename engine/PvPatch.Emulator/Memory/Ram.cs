using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Memory;

/// <summary>Physical memory as a CPU reaches it. Where nothing is, reads give ones and writes vanish, as on an empty bus.</summary>
public static unsafe class Ram
{
    /// <summary>The host address of <paramref name="size"/> bytes of RAM in one page, null if they are not all RAM.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* At(CpuState* cpu, ulong physical, uint size) =>
        size <= cpu->RamSize && physical <= cpu->RamSize - size ? cpu->Ram + physical : Beyond(cpu, physical, size, forWrite: true);

    /// <summary>The host address of <paramref name="size"/> bytes of RAM or ROM in one page, null if they are not all memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Readable(CpuState* cpu, ulong physical, uint size) =>
        size <= cpu->RamSize && physical <= cpu->RamSize - size ? cpu->Ram + physical : Beyond(cpu, physical, size, forWrite: false);

    /// <summary>Reads an entry of a paging structure. Those that lie in no memory read as ones.</summary>
    public static T Read<T>(CpuState* cpu, ulong physical)
    {
        byte* host = Readable(cpu, physical, (uint)sizeof(T));
        if (host != null)
        {
            // SAFETY: Readable returned the address of sizeof(T) bytes of guest memory.
            return Unsafe.ReadUnaligned<T>(host);
        }

        Unsafe.SkipInit(out T ones);
        // SAFETY: the span covers exactly the local variable.
        new Span<byte>(&ones, sizeof(T)).Fill(0xff);
        return ones;
    }

    /// <summary>Reads bytes of one page, from whatever is there.</summary>
    public static void Read(CpuState* cpu, ulong physical, byte* target, int count)
    {
        byte* host = Readable(cpu, physical, (uint)count);
        // SAFETY: Readable found count bytes; target has room for them.
        if (host != null)
            Unsafe.CopyBlockUnaligned(target, host, (uint)count);
        else if (PhysicalMemory.Of(cpu) is { } memory)
            memory.ReadAnywhere(physical, new Span<byte>(target, count));
        else
            new Span<byte>(target, count).Fill(0xff);
    }

    /// <summary>Writes bytes of one page, to whatever is there, and reports it where code was decoded from the page.</summary>
    public static void Write(CpuState* cpu, ulong physical, byte* source, int count)
    {
        byte* host = At(cpu, physical, (uint)count);
        if (host == null)
        {
            PhysicalMemory.Of(cpu)?.WriteAnywhere(physical, new ReadOnlySpan<byte>(source, count));
            return;
        }

        // SAFETY: At found count bytes of RAM.
        Unsafe.CopyBlockUnaligned(host, source, (uint)count);
        CodePages.Written(cpu, physical, (ulong)count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte* Beyond(CpuState* cpu, ulong physical, uint size, bool forWrite)
    {
        PhysicalMemory? memory = PhysicalMemory.Of(cpu);
        return memory == null ? null : memory.HostOf(physical, size, forWrite);
    }
}
