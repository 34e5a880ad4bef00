using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Kit;

/// <summary>Writes down which vCPU enters and leaves.</summary>
internal sealed unsafe class RecordingPlatform : PlainPlatform
{
    private readonly List<string> _story = [];

    public string Story => string.Join(", ", _story);

    public override void Enter(CpuState* cpu) => _story.Add($"enter {cpu->Index}");

    public override void Leave(CpuState* cpu, bool runnable) => _story.Add($"leave {cpu->Index} {(runnable ? "runnable" : "halted")}");
}
