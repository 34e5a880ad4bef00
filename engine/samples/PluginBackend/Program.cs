using System.Reflection;
using PvPatch.Engine;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Samples;
using PvPatch.Samples.PluginBackend;
using PvPatch.Samples.PluginBackend.Route;

MethodInfo distance = Backend.Configured().Load();
var ops = new PvOpTable(typeof(RouteOps));
ops.Install("route.distance", PvTarget.Method(distance));

// The part of the program that calls the plug-in is loaded when it is known which one: patched for it.
string[] files = [typeof(RouteOps).Assembly.Location];
PatchPlan? plan = Comparison.IsPatched(args) ? Patcher.Plan(ops, files) : null;
using ImageSet program = plan is null ? ImageSet.LoadUnpatched(files) : ImageSet.Load(plan);
Assembly route = program["PvPatch.Samples.PluginBackend.Route"];
new PvOpTable(route.GetType(typeof(RouteOps).FullName!)!).InstallFrom(ops);

var length = route.GetType(typeof(Round).FullName!)!.GetMethod(nameof(Round.Length))!.CreateDelegate<Func<int, ulong>>();
var called = distance.CreateDelegate<Func<double, double, double, double, double>>();
return Comparison.Run(
    args, $"The length of a way by {ops.TargetOf("route.distance")}", plan?.Report, Round.Legs, length,
    Comparison.ByDelegate, rounds => Round.LengthByDelegate(rounds, called));
