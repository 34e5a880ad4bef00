using System.Reflection;

namespace PvPatch.Engine.PatchedCalls.Growth;

/// <summary>Methods that must be called from the very method that the author wrote the call in.</summary>
internal static class CallerSensitive
{
    /// <summary>Whether a method's answer depends on which method calls it.</summary>
    public static bool Is(MethodBase method) =>
        (method.DeclaringType == typeof(MethodBase) && method.Name is nameof(MethodBase.GetCurrentMethod))
        || (method.DeclaringType == typeof(Assembly) && method.Name is nameof(Assembly.GetExecutingAssembly) or nameof(Assembly.GetCallingAssembly));
}
