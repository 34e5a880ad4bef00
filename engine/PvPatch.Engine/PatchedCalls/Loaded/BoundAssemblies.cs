using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.PatchedCalls.Loaded;

/// <summary>Which assemblies are bound to some: those themselves, and those whose references lead to these very copies.</summary>
internal sealed class BoundAssemblies
{
    private static readonly ConditionalWeakTable<Assembly, AssemblyName[]> References = [];

    private readonly Dictionary<string, HashSet<Assembly>> _holders = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Notes the assemblies that are referred to.</summary>
    public BoundAssemblies(IEnumerable<Assembly> holders)
    {
        foreach (Assembly holder in holders)
        {
            string name = holder.GetName().Name ?? "";
            if (!_holders.TryGetValue(name, out HashSet<Assembly>? copies))
                _holders[name] = copies = [];
            copies.Add(holder);
        }
    }

    /// <summary>Those that are bound to the assemblies of some slots.</summary>
    public static BoundAssemblies ToSlotsOf(IEnumerable<PvOp> ops) => new(ops.SelectMany(o => o.Path).Select(f => f.Module.Assembly));

    /// <summary>Whether an assembly is bound to one of them.</summary>
    public bool Reach(Assembly assembly)
    {
        if (assembly.IsDynamic)
            return false;
        return _holders.Values.Any(copies => copies.Contains(assembly))
            || References.GetValue(assembly, a => a.GetReferencedAssemblies()).Any(r => r.Name is { } name && _holders.TryGetValue(name, out HashSet<Assembly>? copies) && LeadsTo(assembly, r, copies));
    }

    /// <summary>Asks what the runtime itself will ask when it compiles the first method that uses the reference.</summary>
    private static bool LeadsTo(Assembly assembly, AssemblyName reference, HashSet<Assembly> copies)
    {
        try
        {
            AssemblyLoadContext context = AssemblyLoadContext.GetLoadContext(assembly) ?? AssemblyLoadContext.Default;
            return copies.Contains(context.LoadFromAssemblyName(reference));
        }
        catch (Exception e) when (e is IOException or BadImageFormatException)
        {
            return false; // it is bound to nothing
        }
    }
}
