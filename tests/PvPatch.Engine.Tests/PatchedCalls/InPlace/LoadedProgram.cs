using System.Reflection;
using System.Runtime.Loader;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls.InPlace;

namespace PvPatch.Engine.Tests.PatchedCalls.InPlace;

/// <summary>How the runtime gets an assembly.</summary>
public enum Loading
{
    /// <summary>From a file of its own: the image is a view of the file that can only be read.</summary>
    Path,

    /// <summary>From memory: the image is writable.</summary>
    Stream,
}

/// <summary>A copy of a fixture that the test loaded itself, as a host program would, with its table installed.</summary>
internal sealed class LoadedProgram
{
    private static int _copies;

    private LoadedProgram(Assembly assembly)
    {
        Assembly = assembly;
        Table = FixtureProgram.TableOf(assembly);
        FixtureProgram.Install(Table, assembly);
    }

    public static Loading[] Loadings { get; } = [Loading.Path, Loading.Stream];

    public Assembly Assembly { get; }

    public PvOpTable Table { get; }

    public AssemblyLoadContext Context => AssemblyLoadContext.GetLoadContext(Assembly)!;

    public static LoadedProgram Load(string fixture, Loading loading, bool collectible = false) =>
        new(Load(FixtureProgram.FileOf(fixture), loading, new AssemblyLoadContext("a host's", collectible)));

    /// <summary>A copy that is loaded already.</summary>
    public static LoadedProgram Of(Assembly assembly) => new(assembly);

    /// <summary>Loads another form of a fixture from its file.</summary>
    public static LoadedProgram LoadFile(string file) => new(Load(file, Loading.Path, new AssemblyLoadContext("a host's")));

    public static Assembly Load(string file, Loading loading, AssemblyLoadContext context)
    {
        if (loading == Loading.Stream)
            return context.LoadFromStream(new MemoryStream(File.ReadAllBytes(file)));
        return context.LoadFromAssemblyPath(CopyOf(file));
    }

    /// <summary>A copy of a file that no other test loads: the runtime maps a path once.</summary>
    public static string CopyOf(string file)
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "copies", $"{Environment.ProcessId}-{Interlocked.Increment(ref _copies)}");
        string copy = Path.Combine(Directory.CreateDirectory(folder).FullName, Path.GetFileName(file));
        File.Copy(file, copy, overwrite: true);
        return copy;
    }

    public LivePatch Apply() => Patcher.Apply(Table, new ApplyOptions { Assemblies = a => a == Assembly, WatchLoads = false });

    public Func<long, long> Function(string type, string method) =>
        Assembly.GetType(type, throwOnError: true)!.GetMethod(method)!.CreateDelegate<Func<long, long>>();

    public Func<long, long> Shape(string method) => Function("PvPatch.Engine.Fixtures.Shapes", method);

    public byte[]? IlOf(int token) => Assembly.ManifestModule.ResolveMethod(token)!.GetMethodBody()?.GetILAsByteArray();

    /// <summary>How many calls go through the slots while a method runs once.</summary>
    public long CallsThroughSlots(Func<long, long> function) => Table.CountCalls(() => function(5)).Values.Sum();
}
