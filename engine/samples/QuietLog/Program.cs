using PvPatch.Engine;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Samples;
using PvPatch.Samples.QuietLog;

bool isOn = args is ["--log", ..];
var ops = new PvOpTable(typeof(LogOps));
ops.Install("log.trace", isOn ? PvTarget.Method(StandardError.Trace) : PvTarget.Nop);
using LivePatch? patch = isOn || Comparison.IsPatched(args) ? Patcher.Apply(ops) : null;

if (isOn)
{
    Collatz.Print(27);
    return 0;
}

return Comparison.Run(
    args, "A loop that logs each of its steps, log off", patch?.Report, Collatz.StepsPerRound, Collatz.WithLog, Comparison.HandWritten, Collatz.WithoutLog);
