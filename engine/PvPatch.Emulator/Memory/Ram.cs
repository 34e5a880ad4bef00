using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Memory;

/// <summary>Guest RAM by physical address. Beyond it nothing answers: reads give ones, writes vanish, as on an empty bus.</summary>
public static unsafe class Ram
{
    /// <summary>The host address of <paramref name="size"/> bytes of RAM, null if they are not all RAM.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* At(CpuState* cpu, ulong physical, uint size) =>
        size <= cpu->RamSize && physical <= cpu->RamSize - size ? cpu->Ram + physical : null;

    /// <summary>Reads an entry of a paging structure or a descriptor table.</summary>
    public static T Read<T>(CpuState* cpu, ulong physical)
        where T : unmanaged
    {
        byte* host = At(cpu, physical, (uint)sizeof(T));
        if (host != null)
        {
            // SAFETY: At returned the address of sizeof(T) bytes inside guest RAM.
            return Unsafe.ReadUnaligned<T>(host);
        }

        T ones = default;
        // SAFETY: the span covers exactly the local variable.
        new Span<byte>(&ones, sizeof(T)).Fill(0xff);
        return ones;
    }
}
