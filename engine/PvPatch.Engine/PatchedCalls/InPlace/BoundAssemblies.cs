using System.Reflection;
using System.Runtime.Loader;
using PvPatch.Engine.IndirectCalls;

namespace PvPatch.Engine.PatchedCalls.InPlace;

/// <summary>Which assemblies reach a table's slots: those that declare them, and those whose references lead to these very copies.</summary>
internal sealed class BoundAssemblies
{
    private readonly Dictionary<string, HashSet<Assembly>> _holders = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Notes the assemblies that declare the slots, and the structs on the way to them.</summary>
    public BoundAssemblies(PvOpTable table)
    {
        foreach (Assembly holder in table.Ops.SelectMany(o => o.Path).Select(f => f.Module.Assembly))
        {
            string name = holder.GetName().Name ?? "";
            if (!_holders.TryGetValue(name, out HashSet<Assembly>? copies))
                _holders[name] = copies = [];
            copies.Add(holder);
        }
    }

    /// <summary>Whether an assembly can reach the slots.</summary>
    public bool Reach(Assembly assembly)
    {
        if (assembly.IsDynamic)
            return false;
        return _holders.Values.Any(copies => copies.Contains(assembly))
            || assembly.GetReferencedAssemblies().Any(r => r.Name is { } name && _holders.TryGetValue(name, out HashSet<Assembly>? copies) && LeadsTo(assembly, r, copies));
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
