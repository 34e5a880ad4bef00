using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls.InPlace;
using Serilog;
using Serilog.Events;

namespace PvPatch.Engine.Tests.Reports;

/// <summary>What the documentation shows: the engine's events in Serilog, and nothing of Serilog in the engine.</summary>
internal static class SerilogExample
{
    public static LivePatch Apply(PvOpTable ops, ILogger serilog, Func<System.Reflection.Assembly, bool> assemblies)
    {
        var options = new ApplyOptions
        {
            Assemblies = assemblies,
            Log = (level, template, arguments) => serilog.Write((LogEventLevel)level, template, arguments),
        };
        return Patcher.Apply(ops, options);
    }
}
