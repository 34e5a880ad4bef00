using PvPatch.Engine.Ops;
using PvPatch.Paravirt.Detection;
using PvPatch.Paravirt.Detection.Cpuid;

namespace PvPatch.Tool;

/// <summary>One op as it would be installed for the detected hypervisor.</summary>
/// <param name="Name">The op's name: <c>irq.save_fl</c>.</param>
/// <param name="Class">Which forms its sites may take.</param>
/// <param name="Target">What its slot would hold.</param>
/// <param name="Replacement">What its sites would be patched to.</param>
/// <param name="IsNative">Whether it is the bare hardware's op; otherwise the hypervisor's guest side brings it.</param>
internal sealed record PlannedOp(string Name, PvOpClass Class, string Target, string Replacement, bool IsNative);

/// <summary>Says which ops would be installed for a hypervisor; an empty list prints nothing.</summary>
/// <param name="cpuid">Who answers CPUID.</param>
/// <param name="detected">What runs the system.</param>
internal delegate IReadOnlyList<PlannedOp> OpPlanner(ICpuidSource cpuid, DetectionResult detected);
