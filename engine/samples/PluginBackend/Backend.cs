using System.Reflection;
using System.Runtime.Loader;
using System.Text.Json;

namespace PvPatch.Samples.PluginBackend;

/// <summary>A backend as <c>backend.json</c> names it.</summary>
/// <param name="File">Its assembly, from the program's folder.</param>
/// <param name="Class">Full name of the class.</param>
/// <param name="Method">Name of the static method.</param>
internal sealed record Backend(string File, string Class, string Method)
{
    /// <summary>The configured one; another file may be named by the variable <c>BACKEND</c>.</summary>
    public static Backend Configured()
    {
        string file = Environment.GetEnvironmentVariable("BACKEND") ?? Path.Combine(AppContext.BaseDirectory, "backend.json");
        return JsonSerializer.Deserialize<Backend>(System.IO.File.ReadAllText(file), JsonSerializerOptions.Web)
            ?? throw new InvalidDataException($"{file} names no backend.");
    }

    /// <summary>Loads the plug-in and finds its method.</summary>
    public MethodInfo Load()
    {
        Assembly plugin = AssemblyLoadContext.Default.LoadFromAssemblyPath(Path.Combine(AppContext.BaseDirectory, File));
        return plugin.GetType(Class, throwOnError: true)!.GetMethod(Method) ?? throw new InvalidDataException($"{Class} has no method {Method}.");
    }
}
