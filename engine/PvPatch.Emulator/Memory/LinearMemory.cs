using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Memory;

/// <summary>
/// Memory by linear address: the TLB's hit path, and behind it the walk, page crossing and faults. A value may have any
/// unmanaged type up to a page; bytes are in x86 order.
/// </summary>
public static unsafe class LinearMemory
{
    /// <summary>Reads a value, or says which exception the read raises.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryLoad<T>(CpuState* cpu, ulong linear, AccessMode mode, out T value, out MemoryFault fault)
        where T : unmanaged
    {
        byte* host = Tlb.ForRead(Tlb.Table(cpu, mode), linear, sizeof(T));
        if (host != null)
        {
            // SAFETY: the TLB vouches for sizeof(T) bytes of RAM at host.
            value = Unsafe.ReadUnaligned<T>(host);
            fault = default;
            return true;
        }

        return TryLoadSlowly(cpu, linear, mode, out value, out fault);
    }

    /// <summary>Writes a value, or says which exception the write raises; then nothing was written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryStore<T>(CpuState* cpu, ulong linear, AccessMode mode, T value, out MemoryFault fault)
        where T : unmanaged
    {
        byte* host = Tlb.ForWrite(Tlb.Table(cpu, mode), linear, sizeof(T));
        if (host != null)
        {
            // SAFETY: the TLB vouches for sizeof(T) bytes of writable RAM at host.
            Unsafe.WriteUnaligned(host, value);
            fault = default;
            return true;
        }

        return TryStoreSlowly(cpu, linear, mode, value, out fault);
    }

    /// <summary>Reads bytes, or says which exception the read raises.</summary>
    internal static bool TryLoad(CpuState* cpu, ulong linear, AccessMode mode, void* target, int size, out MemoryFault fault)
    {
        bool done = ReservedBytes.TryReserve(cpu, linear, size, AccessKind.Read, mode, out ReservedBytes bytes, out fault);
        if (done)
            bytes.CopyTo(cpu, target);
        return done;
    }

    /// <summary>Reads a value as the CPU's current code does; a fault is raised in the guest and the read tried again after it.</summary>
    public static T Load<T>(CpuState* cpu, ulong linear)
        where T : unmanaged
    {
        T value;
        while (!TryLoad(cpu, linear, AccessModes.Of(cpu), out value, out MemoryFault fault))
            Raise(cpu, fault);
        return value;
    }

    /// <summary>Writes a value as the CPU's current code does; a fault is raised in the guest and the write tried again after it.</summary>
    public static void Store<T>(CpuState* cpu, ulong linear, T value)
        where T : unmanaged
    {
        while (!TryStore(cpu, linear, AccessModes.Of(cpu), value, out MemoryFault fault))
            Raise(cpu, fault);
    }

    private static void Raise(CpuState* cpu, MemoryFault fault)
    {
        if (fault.Vector == MemoryFault.PageFault)
            cpu->Cr2 = fault.Address;
        cpu->Sensitive->RaiseException(cpu, fault.Vector, fault.ErrorCode);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool TryLoadSlowly<T>(CpuState* cpu, ulong linear, AccessMode mode, out T value, out MemoryFault fault)
        where T : unmanaged
    {
        T found = default;
        bool done = TryLoad(cpu, linear, mode, &found, sizeof(T), out fault);
        value = found;
        return done;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool TryStoreSlowly<T>(CpuState* cpu, ulong linear, AccessMode mode, T value, out MemoryFault fault)
        where T : unmanaged
    {
        bool done = ReservedBytes.TryReserve(cpu, linear, sizeof(T), AccessKind.Write, mode, out ReservedBytes bytes, out fault);
        if (done)
            bytes.CopyFrom(cpu, &value);
        return done;
    }
}
