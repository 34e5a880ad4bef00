using BenchmarkDotNet.Running;
using PvPatch.Perf;

// "start-up": whole processes. Else the usual arguments of BenchmarkDotNet: --filter '*', --list flat, --artifacts DIR.
if (args is ["start-up"])
    StartUpCosts.Measure();
else
    BenchmarkSwitcher.FromAssembly(typeof(CallCosts).Assembly).Run(args, new LabConfiguration());
