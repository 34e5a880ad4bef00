using PvPatch.Emulator.State;

namespace PvPatch.GuestOs.Workloads;

/// <summary>A CPU where C# allows no pointer: in an iterator.</summary>
/// <param name="state">The CPU.</param>
internal readonly unsafe struct CpuHandle(CpuState* state)
{
    private readonly nint _address = (nint)state;

    public CpuState* State => (CpuState*)_address;
}
