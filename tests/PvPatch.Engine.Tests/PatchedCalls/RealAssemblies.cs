namespace PvPatch.Engine.Tests.PatchedCalls;

/// <summary>Assemblies that others wrote: the runtime's and some packages'.</summary>
internal static class RealAssemblies
{
    /// <summary>The files of well-known packages.</summary>
    public static readonly string[] Packages =
    [
        typeof(BenchmarkDotNet.Running.BenchmarkRunner).Assembly.Location,
        typeof(Iced.Intel.Decoder).Assembly.Location,
        typeof(Serilog.Log).Assembly.Location,
        typeof(TestAttribute).Assembly.Location,
        typeof(Mono.Cecil.AssemblyDefinition).Assembly.Location,
    ];

    /// <summary>All files.</summary>
    public static readonly string[] Files =
    [
        .. Packages,
        typeof(object).Assembly.Location,
        typeof(System.Text.Json.JsonSerializer).Assembly.Location,
        typeof(System.Reflection.Metadata.MetadataReader).Assembly.Location,
        typeof(Enumerable).Assembly.Location,
        typeof(System.Xml.XmlReader).Assembly.Location,
        typeof(System.Linq.Expressions.Expression).Assembly.Location,
        typeof(Patcher).Assembly.Location,
    ];
}
