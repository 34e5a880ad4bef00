using PvPatch.Emulator.Hooks;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Processors;

/// <summary>
/// Calls of the owner from the middle of a run, with the vCPU's state exact: only what is hooked costs. A hook may read and
/// change registers and memory, add and take away hooks, and stop the run (<c>Machine.Stop</c>): before the instruction if
/// it is an instruction's hook, else behind it. Hooks are added between runs or by hooks; disposing what is returned takes
/// one away. They are no part of a saved state.
/// </summary>
public sealed unsafe class MachineHooks
{
    private readonly HookRanges<PortHook> _ports;
    private readonly HookRanges<MsrHook> _msrs;
    private readonly HookRanges<EventHook> _events = new();
    private readonly MemoryWatches _watches;

    internal MachineHooks(MemoryWatches watches, Action changed)
    {
        _watches = watches;
        _ports = new HookRanges<PortHook>(changed);
        _msrs = new HookRanges<MsrHook>(changed);
    }

    /// <summary>Whether a port is hooked.</summary>
    internal bool HasPorts => !_ports.IsEmpty;

    /// <summary>Whether an MSR is hooked.</summary>
    internal bool HasMsrs => !_msrs.IsEmpty;

    internal HookRanges<InstructionHook> Instructions { get; } = new();

    /// <summary>Calls before each instruction of x86 code whose first byte lies in a range.</summary>
    /// <param name="first">First address: RIP, without the base of CS.</param>
    /// <param name="last">Last address.</param>
    /// <param name="hook">Whom to call.</param>
    public IDisposable OnInstruction(ulong first, ulong last, InstructionHook hook) => Instructions.Add(first, last, hook);

    /// <summary>Calls after each read that touches a range of linear memory; instruction fetches and page walks are none.</summary>
    /// <param name="first">First linear address.</param>
    /// <param name="last">Last linear address.</param>
    /// <param name="hook">Whom to call.</param>
    public IDisposable OnRead(ulong first, ulong last, MemoryHook hook) => _watches.Reads.Add(first, last, hook);

    /// <summary>Calls before each write that touches a range of linear memory; A and D bits of page tables are none.</summary>
    /// <param name="first">First linear address.</param>
    /// <param name="last">Last linear address.</param>
    /// <param name="hook">Whom to call.</param>
    public IDisposable OnWrite(ulong first, ulong last, MemoryHook hook) => _watches.Writes.Add(first, last, hook);

    /// <summary>Calls for each IN and OUT that touches a range of ports.</summary>
    /// <param name="first">First port.</param>
    /// <param name="last">Last port.</param>
    /// <param name="hook">Whom to call.</param>
    public IDisposable OnPort(ushort first, ushort last, PortHook hook) => _ports.Add(first, last, hook);

    /// <summary>Calls for each access to a range of MSRs.</summary>
    /// <param name="first">First MSR.</param>
    /// <param name="last">Last MSR.</param>
    /// <param name="hook">Whom to call.</param>
    public IDisposable OnMsr(uint first, uint last, MsrHook hook) => _msrs.Add(first, last, hook);

    /// <summary>Calls before an exception or interrupt of x86 code is delivered.</summary>
    /// <param name="first">First vector.</param>
    /// <param name="last">Last vector.</param>
    /// <param name="hook">Whom to call.</param>
    public IDisposable OnEvent(byte first, byte last, EventHook hook) => _events.Add(first, last, hook);

    internal void Port(CpuState* cpu, ushort port, uint size, uint value, bool isWrite)
    {
        foreach (HookRange<PortHook> range in _ports.All)
        {
            if (range.Touches(port, port + size - 1)) range.Hook(cpu, port, size, value, isWrite);
        }
    }

    internal void Msr(CpuState* cpu, uint msr, ulong value, bool isWrite)
    {
        foreach (HookRange<MsrHook> range in _msrs.All)
        {
            if (range.Touches(msr, msr)) range.Hook(cpu, msr, value, isWrite);
        }
    }

    internal void Delivering(CpuState* cpu, EventDelivered delivery)
    {
        foreach (HookRange<EventHook> range in _events.All)
        {
            if (range.Touches(delivery.Vector, delivery.Vector)) range.Hook(cpu, delivery);
        }
    }
}
