using System.Globalization;
using BenchmarkDotNet.Running;
using PvPatch.Perf;
using PvPatch.Perf.Yardsticks;

// "start-up": whole processes. "plan [SITES...]": the image way by number of sites.
// "emulator [--quick] [--growth ...]": the emulator's start-up, cold code, threads, long runs.
// Else the usual arguments of BenchmarkDotNet: --filter '*', --list flat, --artifacts DIR.
if (args is ["start-up"])
    StartUpCosts.Measure();
else if (args is ["plan", .. var counts])
    PlanCosts.Measure([.. counts.Select(count => int.Parse(count, CultureInfo.InvariantCulture))]);
else if (args is ["emulator", .. var options])
    return EmulatorCommand.Run(options);
else
    BenchmarkSwitcher.FromAssembly(typeof(Lab).Assembly).Run(args, new LabConfiguration());
return 0;
