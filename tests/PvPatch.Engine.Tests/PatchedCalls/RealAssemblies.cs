namespace PvPatch.Engine.Tests.PatchedCalls;

/// <summary>Assemblies that others wrote: the runtime's and some packages'.</summary>
internal static class RealAssemblies
{
    /// <summary>Their files.</summary>
    public static readonly string[] Files =
    [
        typeof(object).Assembly.Location,
        typeof(System.Text.Json.JsonSerializer).Assembly.Location,
        typeof(System.Reflection.Metadata.MetadataReader).Assembly.Location,
        typeof(Enumerable).Assembly.Location,
        typeof(TestAttribute).Assembly.Location,
        typeof(Mono.Cecil.AssemblyDefinition).Assembly.Location,
        typeof(Patcher).Assembly.Location,
    ];
}
