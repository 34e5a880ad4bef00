using BenchmarkDotNet.Running;
using PvPatch.Perf;

// "start-up": whole processes. "ratios": calls in CPU time. Else the usual arguments of BenchmarkDotNet: --filter '*', --list flat, --artifacts DIR.
if (args is ["start-up"])
    StartUpCosts.Measure();
else if (args is ["ratios"])
    CpuTimeRatios.Measure();
else
    BenchmarkSwitcher.FromAssembly(typeof(CallCosts).Assembly).Run(args, new LabConfiguration());
