namespace PvPatch.GuestOs.Workloads;

/// <summary>The checksum that a workload's tasks share.</summary>
/// <param name="seed">Where it starts.</param>
internal sealed class WorkloadSum(ulong seed)
{
    private Checksum sum = new(seed);

    public ulong Value => sum.Value;

    public void Add(ulong value) => sum.Add(value);
}
