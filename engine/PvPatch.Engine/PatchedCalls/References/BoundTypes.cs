using System.Reflection;
using System.Runtime.Loader;

namespace PvPatch.Engine.PatchedCalls.References;

/// <summary>What a module's references to types lead to.</summary>
internal static class BoundTypes
{
    /// <summary>Whether an assembly has the type or forwards it: references name <c>System.Runtime</c> for what lies elsewhere.</summary>
    /// <param name="assembly">Simple name; <see langword="null"/> leads nowhere.</param>
    /// <param name="type">The type.</param>
    public static bool LeadsTo(string? assembly, Type type)
    {
        Assembly own = type.Assembly;
        if (assembly is null || string.Equals(assembly, own.GetName().Name, StringComparison.Ordinal))
            return assembly is not null;
        try
        {
            AssemblyLoadContext context = AssemblyLoadContext.GetLoadContext(own) ?? AssemblyLoadContext.Default;
            return context.LoadFromAssemblyName(new AssemblyName(assembly)).GetType(type.FullName!) == type;
        }
        catch (Exception e) when (e is IOException or BadImageFormatException)
        {
            return false; // the module refers to an assembly that is not there
        }
    }
}
