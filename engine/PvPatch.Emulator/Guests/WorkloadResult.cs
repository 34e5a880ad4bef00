namespace PvPatch.Emulator.Guests;

/// <summary>What a workload did.</summary>
/// <param name="Checksum">Depends on the workload, its seed and its rounds alone: the same on every hypervisor, patched or not.</param>
/// <param name="Ops">How many pv_ops it called.</param>
public readonly record struct WorkloadResult(ulong Checksum, long Ops);
