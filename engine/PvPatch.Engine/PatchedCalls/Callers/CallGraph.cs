using System.Reflection;
using PvPatch.Engine.PatchedCalls.Loaded;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Callers;

/// <summary>A method that may call another one.</summary>
/// <param name="Method">The caller.</param>
/// <param name="Calls">How often its IL calls the other one.</param>
/// <param name="TakesAddress">Whether it takes the other one's address.</param>
/// <param name="IsByOtherName">Whether it names a method of a base class or an interface that the other one stands for.</param>
internal sealed record Caller(MethodBase Method, int Calls, bool TakesAddress, bool IsByOtherName);

/// <summary>
/// Who calls whom, by the IL of the assemblies that are bound to the one called. Code that is made while the program runs
/// (emitted methods, expression trees, what reflection makes to invoke a method) has no image and is not seen.
/// </summary>
/// <param name="loaded">The assemblies to look in.</param>
internal sealed class CallGraph(IReadOnlyList<Assembly> loaded)
{
    private readonly Dictionary<Assembly, Module[]> _bound = [];

    /// <summary>Whether a module was searched for calls, of whatever method.</summary>
    public bool Sees(Module module) => _bound.Values.Any(b => Array.IndexOf(b, module) >= 0);

    /// <summary>The methods that name a method, or one of the base class or an interface that it stands for.</summary>
    public IEnumerable<Caller> CallersOf(MethodBase method)
    {
        foreach (MethodBase named in NamesOf(method))
        {
            string name = $"{OwnerOf(named)}.{named.Name}";
            foreach (Module module in BoundTo(method.Module.Assembly))
            {
                int token = module == named.Module ? named.MetadataToken : 0;
                foreach (Mention mention in ModuleCalls.Of(module).MentionsOf(token, name))
                {
                    if (Resolved(module, mention.Caller) is { } caller)
                        yield return new Caller(caller, mention.Calls, mention.TakesAddress, named != method);
                }
            }
        }
    }

    /// <summary>Whether a method stands for one that lies outside those assemblies, so that code there may call it too.</summary>
    public bool IsCalledFromElsewhere(MethodBase method) => NamesOf(method).Any(n => Array.IndexOf(BoundTo(method.Module.Assembly), n.Module) < 0);

    private static IEnumerable<MethodBase> NamesOf(MethodBase method)
    {
        yield return method;
        if (method is not MethodInfo { DeclaringType: { IsInterface: false } owner } info)
            yield break;
        if (info.GetBaseDefinition() is var first && first != info)
            yield return first;
        foreach (Type contract in owner.IsGenericTypeDefinition || owner.IsArray ? [] : owner.GetInterfaces())
        {
            InterfaceMapping mapping = owner.GetInterfaceMap(contract);
            for (int i = 0; i < mapping.TargetMethods.Length; i++)
            {
                if (mapping.TargetMethods[i] == info)
                    yield return mapping.InterfaceMethods[i];
            }
        }
    }

    private Module[] BoundTo(Assembly assembly)
    {
        if (_bound.TryGetValue(assembly, out Module[]? modules))
            return modules;
        var bound = new BoundAssemblies([assembly]);
        return _bound[assembly] = [.. loaded.Where(a => bound.Reach(a) && HasImage(a)).Select(a => a.ManifestModule)];
    }

    private static bool HasImage(Assembly assembly)
    {
        try
        {
            return ModuleCalls.Of(assembly.ManifestModule) is not null;
        }
        catch (PatchException)
        {
            return false; // then the runtime has no IL of it to inline into, or cannot read it either
        }
    }

    private static MethodBase? Resolved(Module module, int token)
    {
        try
        {
            return module.ResolveMethod(token);
        }
        catch (Exception e) when (e is IOException or TypeLoadException or BadImageFormatException)
        {
            return null; // nor could it be compiled
        }
    }

    /// <summary>Full name of the class that declares a method, as metadata writes it.</summary>
    private static string? OwnerOf(MethodBase method) => method.DeclaringType switch
    {
        null => "<Module>",
        { IsGenericType: true } type => type.GetGenericTypeDefinition().FullName,
        var type => type.FullName,
    };
}
