using System.Reflection;
using System.Runtime.Loader;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;

namespace PvPatch.Matrix;

/// <summary>A kind of method, in one copy of the program.</summary>
/// <param name="Class">Full name of its class.</param>
/// <param name="Run">Runs it.</param>
internal sealed record Kind(string Class, Func<long, long> Run)
{
    /// <summary>Its class's name, as words: <c>struct behind interface</c>.</summary>
    public string Name => string.Concat(Class[(Class.LastIndexOf('.') + 1)..]
        .Select((c, i) => !char.IsUpper(c) ? $"{c}" : i == 0 ? $"{char.ToLowerInvariant(c)}" : $" {char.ToLowerInvariant(c)}"));

    /// <summary>Whether a method belongs to it.</summary>
    /// <param name="method">The method's full name.</param>
    public bool Has(string method) => method.StartsWith(Class, StringComparison.Ordinal) && !char.IsLetterOrDigit(method[Class.Length]);
}

/// <summary>One copy of the program with its op table. Each copy has slots of its own.</summary>
internal sealed class Subject
{
    private readonly Func<long> _seen;

    /// <summary>Binds to a copy whose table is not installed yet, unless one is given.</summary>
    public Subject(Assembly assembly)
    {
        Assembly = assembly;
        Table = new PvOpTable(Named(nameof(Pv)));
        Type natives = Named(nameof(Natives));
        Table.Install(Table.Ops.Select(op => KeyValuePair.Create(op.Name, PvTarget.Method(natives, op.Slot.Name))));
        _seen = Named(nameof(Seen)).GetProperty(nameof(Seen.Calls))!.GetMethod!.CreateDelegate<Func<long>>();
        Kinds = [.. assembly.GetTypes()
            .Where(t => t is { IsAbstract: true, IsSealed: true, IsNested: false } && t.Namespace == typeof(Kinds.Lambda).Namespace)
            .Select(t => (Type: t, Run: t.GetMethod(nameof(PvPatch.Matrix.Kinds.Lambda.Run), [typeof(long)])))
            .Where(t => t.Run is not null)
            .OrderBy(t => t.Type.MetadataToken)
            .Select(t => new Kind(t.Type.FullName!, t.Run!.CreateDelegate<Func<long, long>>()))];
    }

    /// <summary>The copy.</summary>
    public Assembly Assembly { get; }

    /// <summary>Its ops, with their natives installed.</summary>
    public PvOpTable Table { get; }

    /// <summary>The kinds of method that it has, in the order of the source.</summary>
    public IReadOnlyList<Kind> Kinds { get; }

    /// <summary>Calls that came through the slots since <see cref="See"/>.</summary>
    public long Calls => _seen();

    /// <summary>What is done in the middle of <see cref="Kinds.LoopInFlight"/>.</summary>
    public Action? Due
    {
        set => Named(nameof(Moment)).GetProperty(nameof(Moment.Due))!.SetValue(null, value);
    }

    /// <summary>A further copy, from a file that nobody else loads or from memory.</summary>
    public static Subject Load(string file, bool fromMemory)
    {
        var context = new AssemblyLoadContext("a copy");
        if (fromMemory)
            return new Subject(context.LoadFromStream(new MemoryStream(File.ReadAllBytes(file))));
        string copy = Path.Combine(Directory.CreateTempSubdirectory("pvpatch-matrix-").FullName, Path.GetFileName(file));
        File.Copy(file, copy);
        Assembly assembly = context.LoadFromAssemblyPath(copy);
        Directory.Delete(Path.GetDirectoryName(copy)!, recursive: true); // it is mapped, and needed no more
        return new Subject(assembly);
    }

    /// <summary>Puts counting entries into the slots, behind the table's back: patched sites do not come by them.</summary>
    public void See()
    {
        Type seen = Named(nameof(Seen));
        foreach (PvOp op in Table.Ops)
            op.Slot.SetValue(null, seen.GetMethod(op.Slot.Name)!.MethodHandle.GetFunctionPointer());
    }

    /// <summary>The IL of every method that has some.</summary>
    public Dictionary<int, string> Il()
    {
        const BindingFlags Declared = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        return Assembly.GetTypes()
            .SelectMany(t => t.GetMethods(Declared).Cast<MethodBase>().Concat(t.GetConstructors(Declared)))
            .ToDictionary(m => m.MetadataToken, m => Convert.ToHexString(m.GetMethodBody()?.GetILAsByteArray() ?? []));
    }

    private Type Named(string name) => Assembly.GetType($"{typeof(Subject).Namespace}.{name}", throwOnError: true)!;
}
