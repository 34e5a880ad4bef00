using PvPatch.Engine;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Paravirt;
using PvPatch.Paravirt.Detection;
using PvPatch.Paravirt.Detection.Cpuid;
using PvPatch.Paravirt.Native;
using PvPatch.Paravirt.Tables;

namespace PvPatch.Tool;

/// <summary>Plans what a kernel would install on the detected hypervisor. No slot is written and no image is read.</summary>
internal static class PlannedOps
{
    /// <summary>Every op: the hypervisor's own where its guest side replaces the native one.</summary>
    internal static IReadOnlyList<PlannedOp> On(ICpuidSource cpuid, DetectionResult detected)
    {
        IReadOnlyDictionary<string, PvTarget> targets = KnownGuests.TargetsOn(cpuid, detected.Cpuid, CpuidTopology.CountCpus(cpuid));
        IReadOnlyList<PvOp> ops = PvOpTable.Find(typeof(Pv));
        var planned = new PlannedOp[ops.Count];
        for (int i = 0; i < planned.Length; i++)
        {
            PvOp op = ops[i];
            PvTarget target = targets[op.Name];
            bool isNative = ReferenceEquals(target, NativeOps.Targets[op.Name]);
            planned[i] = new PlannedOp(op.Name, op.Class, target.ToString(), Patcher.ReplacementOf(op, target), isNative);
        }

        return planned;
    }
}
