using System.Globalization;
using BenchmarkDotNet.Running;
using PvPatch.Perf;
using PvPatch.Perf.Yardsticks;

// "start-up": whole processes. "plan [SITES...]": the image way by number of sites. "ratios": calls in CPU time.
// "emulator [--quick] [--growth ...]": the emulator beside the processor and QEMU.
// Else the usual arguments of BenchmarkDotNet: --filter '*', --list flat, --artifacts DIR.
if (args is ["start-up"])
    StartUpCosts.Measure();
else if (args is ["plan", .. var counts])
    PlanCosts.Measure([.. counts.Select(count => int.Parse(count, CultureInfo.InvariantCulture))]);
else if (args is ["ratios"])
    CpuTimeRatios.Measure();
else if (args is ["emulator", .. var options])
    return EmulatorCommand.Run(options);
else
    BenchmarkSwitcher.FromAssembly(typeof(CallCosts).Assembly).Run(args, new LabConfiguration());
return 0;
