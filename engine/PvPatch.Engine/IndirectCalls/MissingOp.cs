using System.Diagnostics;
using System.Reflection;

namespace PvPatch.Engine.IndirectCalls;

/// <summary>The end of a call through a slot that nothing was installed in.</summary>
internal static class MissingOp
{
    /// <summary>Ends the process and says which op was called by whom. Called by entries only.</summary>
    /// <param name="op">The op's name.</param>
    public static void Stop(string op)
    {
        string? caller = new StackTrace(skipFrames: 1).GetFrames()
            .Select(f => f.GetMethod())
            .OfType<MethodBase>()
            .SkipWhile(m => m.DeclaringType is not { FullName: SlotEntries.ClassName } || !m.Module.Assembly.IsDynamic)
            .Skip(1)
            .Select(NameOf)
            .FirstOrDefault();
        Environment.FailFast($"pv op {op} is missing; {caller ?? "unmanaged code"} called it");
    }

    private static string NameOf(MethodBase method) => method.DeclaringType is { } type ? $"{type.FullName}.{method.Name}" : method.Name;
}
