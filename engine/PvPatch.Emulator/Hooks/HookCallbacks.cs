using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Hooks;

/// <summary>Called before an instruction at RIP is executed; its registers may be changed, RIP too.</summary>
/// <param name="cpu">The vCPU.</param>
public unsafe delegate void InstructionHook(CpuState* cpu);

/// <summary>Called before a write and after a read of memory.</summary>
/// <param name="cpu">The vCPU. RIP is at the instruction, the registers are those before it.</param>
/// <param name="address">Linear address of the first byte.</param>
/// <param name="bytes">The bytes that are read or are about to be written, all of the access even if only some are in the hook's range.</param>
/// <param name="isWrite">A write.</param>
public unsafe delegate void MemoryHook(CpuState* cpu, ulong address, ReadOnlySpan<byte> bytes, bool isWrite);

/// <summary>Called before an OUT and after an IN.</summary>
/// <param name="cpu">The vCPU. RIP is at the instruction.</param>
/// <param name="port">The lowest port.</param>
/// <param name="size">Bytes: 1, 2 or 4.</param>
/// <param name="value">What is read or written.</param>
/// <param name="isWrite">An OUT.</param>
public unsafe delegate void PortHook(CpuState* cpu, ushort port, uint size, uint value, bool isWrite);

/// <summary>Called before a WRMSR and after a RDMSR that did not fault, also for SYSCALL's and SYSRET's reads.</summary>
/// <param name="cpu">The vCPU. RIP is at the instruction.</param>
/// <param name="msr">The MSR.</param>
/// <param name="value">What is read or written.</param>
/// <param name="isWrite">A WRMSR.</param>
public unsafe delegate void MsrHook(CpuState* cpu, uint msr, ulong value, bool isWrite);

/// <summary>Called before an exception or interrupt is delivered.</summary>
/// <param name="cpu">The vCPU. RIP is at the instruction that faulted, or behind the one that trapped or was interrupted.</param>
/// <param name="delivery">What is delivered.</param>
public unsafe delegate void EventHook(CpuState* cpu, EventDelivered delivery);

/// <summary>An exception or interrupt that is delivered.</summary>
/// <param name="Vector">The vector.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="ErrorCode">The error code, 0 for vectors without one.</param>
/// <param name="Address">The linear address of a page fault, else 0.</param>
public readonly record struct EventDelivered(byte Vector, EventSource Source, uint ErrorCode, ulong Address);

/// <summary>Where an exception or interrupt comes from, which also decides error codes and privilege checks.</summary>
public enum EventSource
{
    /// <summary>A fault or trap of the CPU.</summary>
    Exception,

    /// <summary>INT n, INT3 or INTO: the gate's privilege counts.</summary>
    Software,

    /// <summary>INT1: a software interrupt that any level may make (Intel SDM vol. 2, INT n).</summary>
    PrivilegedSoftware,

    /// <summary>An interrupt from outside.</summary>
    External,
}
