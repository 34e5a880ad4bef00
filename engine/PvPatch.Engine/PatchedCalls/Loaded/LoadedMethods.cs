using System.Reflection;

namespace PvPatch.Engine.PatchedCalls.Loaded;

/// <summary>
/// The methods of a loaded module by their tokens. The runtime compares each single method that it is asked for with all those of
/// the class that were asked for before; so a class that is asked for twice is listed whole, and n methods cost n steps.
/// </summary>
/// <param name="module">The module.</param>
internal sealed class LoadedMethods(Module module)
{
    private readonly Dictionary<int, MethodBase?> _known = [];
    private readonly HashSet<Type> _asked = [];
    private readonly HashSet<Type> _listed = [];

    /// <summary>The method of a token; <see langword="null"/> if what it needs cannot be loaded.</summary>
    public MethodBase? Of(int token)
    {
        if (_known.TryGetValue(token, out MethodBase? method))
            return method;
        _known[token] = method = Resolved(token);
        if (method?.DeclaringType is { } type && !_asked.Add(type) && _listed.Add(type))
            List(type);
        return method;
    }

    /// <summary>A method's IL as the runtime sees it; <see langword="null"/> for a method that cannot be compiled either, as what it needs cannot be loaded.</summary>
    public byte[]? IlOf(int token)
    {
        try
        {
            return Of(token)?.GetMethodBody()?.GetILAsByteArray();
        }
        catch (Exception e) when (e is IOException or TypeLoadException or BadImageFormatException)
        {
            return null;
        }
    }

    private MethodBase? Resolved(int token)
    {
        try
        {
            return module.ResolveMethod(token);
        }
        catch (Exception e) when (e is IOException or TypeLoadException or BadImageFormatException)
        {
            return null;
        }
    }

    private void List(Type type)
    {
        const BindingFlags Declared = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        try
        {
            foreach (MethodBase method in type.GetMethods(Declared))
                _known[method.MetadataToken] = method;
            foreach (MethodBase method in type.GetConstructors(Declared))
                _known[method.MetadataToken] = method;
        }
        catch (Exception e) when (e is IOException or TypeLoadException or BadImageFormatException)
        {
            // Some other method of it needs what cannot be loaded; then each is asked for by itself.
        }
    }
}
