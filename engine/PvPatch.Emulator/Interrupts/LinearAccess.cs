using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Interrupts;

/// <summary>
/// Guest memory by linear address, for what the processor itself reads and pushes when it delivers an event. The one place
/// that knows how linear addresses become physical ones: the same number without paging, Linux's direct map with it.
/// </summary>
internal static unsafe class LinearAccess
{
    private const ulong Paging = 1ul << 31;
    private const ulong DirectMap = 0xffff_8880_0000_0000;
    private const uint WriteAccess = 2;

    public static bool TryRead<T>(CpuState* cpu, ulong linear, out T value, out DeliveryFault fault)
        where T : unmanaged
    {
        byte* host = Translate(cpu, linear, (ulong)sizeof(T), 0, out fault);
        value = host == null ? default : Unsafe.ReadUnaligned<T>(host);
        return host != null;
    }

    /// <summary>Host address of bytes that may be written, null with the page fault if they are not there.</summary>
    public static byte* TryWritable(CpuState* cpu, ulong linear, ulong length, out DeliveryFault fault)
        => Translate(cpu, linear, length, WriteAccess, out fault);

    private static byte* Translate(CpuState* cpu, ulong linear, ulong length, uint errorCode, out DeliveryFault fault)
    {
        ulong physical = (cpu->Cr0 & Paging) != 0 ? linear - DirectMap : linear;
        if (physical >= cpu->RamSize || length > cpu->RamSize - physical)
        {
            fault = DeliveryFault.Page(linear, errorCode);
            return null;
        }

        fault = default;

        // SAFETY: physical + length lies inside RAM, as just checked.
        return cpu->Ram + physical;
    }
}
