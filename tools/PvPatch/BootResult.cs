using PvPatch.Engine.Diagnosis;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Reports;

namespace PvPatch.Tool;

/// <summary>What a boot showed.</summary>
/// <param name="Platform">On what the guest ran, in Linux's words.</param>
/// <param name="Ops">The op tables of the image that booted.</param>
/// <param name="Rounds">Rounds of the workload in each run.</param>
/// <param name="Calls">Calls by op in one run.</param>
/// <param name="Slots">The workload through the slots.</param>
/// <param name="Patches">What was patched; null without patching.</param>
/// <param name="Patched">The workload patched; null without patching.</param>
/// <param name="Diagnosis">What the runtime made of the patched code; null where it was not asked for.</param>
internal sealed record BootResult(
    string Platform,
    PvOpTable Ops,
    int Rounds,
    IReadOnlyDictionary<string, long> Calls,
    WorkloadTiming Slots,
    PatchReport? Patches,
    WorkloadTiming? Patched,
    DiagnosisReport? Diagnosis)
{
    /// <summary>Ops called in one run.</summary>
    public long TotalCalls => Calls.Values.Sum();

    /// <summary>How many times faster the patched workload is.</summary>
    public double? Ratio => Patched is null ? null : Slots.Median / Patched.Median;

    /// <summary>Whether both runs computed the same.</summary>
    public bool ChecksumsEqual => Patched is null || (Patched.Checksum, Patched.TimedChecksum) == (Slots.Checksum, Slots.TimedChecksum);
}
