using System.Reflection;
using System.Runtime.Loader;

namespace PvPatch.Engine.PatchedCalls.References;

/// <summary>
/// To which assemblies the images of a set are bound once they are loaded: to each other, to what the program would give
/// them, and to the assemblies of targets that they did not refer to before.
/// </summary>
/// <param name="images">The set: assembly names and version ids.</param>
internal sealed class SetBindings(IReadOnlyDictionary<string, Guid> images)
{
    private readonly Dictionary<string, Assembly> _added = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<Assembly, string?> _asked = [];

    /// <summary>The assemblies, by simple name, that the set must be given because nobody else would.</summary>
    public IReadOnlyDictionary<string, Assembly> Added => _added;

    /// <summary>Whether the set has a copy of an assembly of its own, to which its references lead.</summary>
    public bool Replace(Assembly assembly) => images.ContainsKey(assembly.GetName().Name ?? "");

    /// <summary>Why an image of the set cannot refer to an assembly; <see langword="null"/> if it can.</summary>
    public string? RefusalOf(Assembly assembly)
    {
        if (!_asked.TryGetValue(assembly, out string? refusal))
            _asked[assembly] = refusal = Bind(assembly);
        return refusal;
    }

    private string? Bind(Assembly assembly)
    {
        string name = assembly.GetName().Name ?? "";
        if (images.TryGetValue(name, out Guid version))
            return version == assembly.ManifestModule.ModuleVersionId ? null : $"the set has another build of {name}";
        if (assembly.IsDynamic)
            return "its assembly was made in this process, no image can refer to it";
        if (AssemblyLoadContext.GetLoadContext(assembly) == AssemblyLoadContext.Default)
            return null;
        if (assembly.IsCollectible)
            return "its assembly can be unloaded";
        if (_added.TryGetValue(name, out Assembly? other) || (other = OfProgram(name)) is not null)
            return other == assembly ? null : $"the name {name} leads to another copy of its assembly";
        _added[name] = assembly;
        return null;
    }

    private static Assembly? OfProgram(string name)
    {
        try
        {
            return AssemblyLoadContext.Default.LoadFromAssemblyName(new AssemblyName(name));
        }
        catch (Exception e) when (e is IOException or BadImageFormatException)
        {
            return null;
        }
    }
}
