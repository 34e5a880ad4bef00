using PvPatch.Engine;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Samples;
using PvPatch.Samples.CpuFeatures;

var ops = new PvOpTable(typeof(HashOps));
ops.Install("hash.block", Blocks.Fastest);
using LivePatch? patch = Comparison.IsPatched(args) ? Patcher.Apply(ops) : null;

return Comparison.Run(
    args, $"Hashing by {ops.TargetOf("hash.block")}", patch?.Report, Hash.BlocksPerRound, Hash.ThroughOp, Comparison.HandWritten, Hash.ByHand);
