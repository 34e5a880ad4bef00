using PvPatch.Engine.Ops;
using PvPatch.Paravirt.Detection;

namespace PvPatch.Tool;

/// <summary>One op as it would be installed for the detected hypervisor.</summary>
/// <param name="Name">The op's name: <c>irq.save_fl</c>.</param>
/// <param name="Class">Which forms its sites may take.</param>
/// <param name="Target">What its slot would hold.</param>
/// <param name="Replacement">What its sites would be patched to.</param>
internal sealed record PlannedOp(string Name, PvOpClass Class, string Target, string Replacement);

/// <summary>Says which ops would be installed for a hypervisor; an empty list prints nothing.</summary>
/// <param name="detected">What runs the system.</param>
internal delegate IReadOnlyList<PlannedOp> OpPlanner(DetectionResult detected);
