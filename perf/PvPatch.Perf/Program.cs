using BenchmarkDotNet.Running;
using PvPatch.Perf;

// The usual arguments of BenchmarkDotNet: --filter '*', --list flat, --artifacts DIR.
BenchmarkSwitcher.FromAssembly(typeof(CallCosts).Assembly).Run(args, new LabConfiguration());
