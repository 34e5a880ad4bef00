namespace PvPatch.GuestOs.Workloads;

/// <summary>The checksum that a workload's tasks share.</summary>
/// <param name="seed">Where it starts.</param>
internal sealed class WorkloadSum(ulong seed)
{
    private Checksum _sum = new(seed);

    public ulong Value => _sum.Value;

    public void Add(ulong value) => _sum.Add(value);
}
