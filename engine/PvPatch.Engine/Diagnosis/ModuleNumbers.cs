using System.Reflection;
using System.Runtime.CompilerServices;
using PvPatch.Engine.PatchedCalls.Loaded;
using PvPatch.Engine.RuntimeEvents;

namespace PvPatch.Engine.Diagnosis;

/// <summary>
/// By which numbers events name the modules in question: those with patched methods, and those that can have inlined one.
/// A marker that is compiled for a module tells its number. No module is kept from being unloaded.
/// </summary>
internal sealed class ModuleNumbers
{
    private readonly ConditionalWeakTable<Module, StrongBox<Marker>> _markers = [];

    /// <summary>Compiles a marker for each module in question that has none yet.</summary>
    /// <param name="patched">The assemblies with patched methods.</param>
    /// <returns>The modules.</returns>
    public IReadOnlyList<Module> Mark(IReadOnlyCollection<Assembly> patched)
    {
        var names = patched.Select(a => a.GetName().Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        Module[] modules = [.. AppDomain.CurrentDomain.GetAssemblies().Where(a => !a.IsDynamic && NamesOne(a, names)).Select(a => a.ManifestModule)];
        foreach (Module module in modules)
            _markers.GetValue(module, m => new StrongBox<Marker>(Marker.In(m)));
        return modules;
    }

    /// <summary>The modules by their numbers, of those whose markers were seen.</summary>
    public Dictionary<ulong, Module> Known(IEnumerable<Module> modules, IReadOnlyDictionary<string, Compilation> seen)
    {
        var known = new Dictionary<ulong, Module>();
        foreach (Module module in modules)
        {
            if (_markers.TryGetValue(module, out StrongBox<Marker>? marker) && seen.TryGetValue(marker.Value.Name, out Compilation? compilation))
                known[compilation.ModuleId] = module;
        }

        return known;
    }

    /// <summary>Those that are bound to the very copies that are patched; others name copies of their own.</summary>
    public static HashSet<Module> BoundTo(IReadOnlyCollection<Assembly> patched, IEnumerable<Module> modules)
    {
        var bound = new BoundAssemblies(patched);
        return [.. modules.Where(m => bound.Reach(m.Assembly))];
    }

    private static bool NamesOne(Assembly assembly, HashSet<string?> names) =>
        names.Contains(assembly.GetName().Name) || assembly.GetReferencedAssemblies().Any(r => names.Contains(r.Name));
}
