using System.Globalization;
using BenchmarkDotNet.Running;
using PvPatch.Perf;

// "start-up": whole processes. "plan [SITES...]": the image way by number of sites.
// Else the usual arguments of BenchmarkDotNet: --filter '*', --list flat, --artifacts DIR.
if (args is ["start-up"])
    StartUpCosts.Measure();
else if (args is ["plan", .. var counts])
    PlanCosts.Measure([.. counts.Select(count => int.Parse(count, CultureInfo.InvariantCulture))]);
else
    BenchmarkSwitcher.FromAssembly(typeof(Lab).Assembly).Run(args, new LabConfiguration());
