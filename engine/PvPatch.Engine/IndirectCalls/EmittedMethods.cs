using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace PvPatch.Engine.IndirectCalls;

/// <summary>
/// The methods that the engine has emitted, and what they stand for. Those kept here live as long as their module, so that
/// what is found in memory as their code is theirs.
/// </summary>
internal static class EmittedMethods
{
    private static readonly ConditionalWeakTable<DynamicMethod, StrongBox<MethodBase?>> Originals = [];
    private static readonly ConditionalWeakTable<Module, Dictionary<string, DynamicMethod>> Kept = [];

    /// <summary>The runtime's numbers of the methods that are alive, each with the method that it is a copy of, if it is a copy.</summary>
    public static Dictionary<nint, MethodBase?> ByNumber()
    {
        var byNumber = new Dictionary<nint, MethodBase?>();
        foreach ((DynamicMethod method, StrongBox<MethodBase?> original) in Originals)
            byNumber[HandleOf(method).Value] = original.Value;
        return byNumber;
    }

    /// <summary>The handle of an emitted method.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "GetMethodDescriptor")]
    public static extern RuntimeMethodHandle HandleOf(DynamicMethod method);

    /// <summary>The method of a name, which is made at most once and kept as long as its module. It calls nothing.</summary>
    /// <param name="module">The module.</param>
    /// <param name="name">The name, which tells all that it does.</param>
    /// <param name="make">Makes it.</param>
    public static DynamicMethod Of(Module module, string name, Func<DynamicMethod> make)
    {
        Dictionary<string, DynamicMethod> kept = Kept.GetOrCreateValue(module);
        lock (kept)
        {
            if (!kept.TryGetValue(name, out DynamicMethod? method))
            {
                kept[name] = method = make();
                Originals.Add(method, new StrongBox<MethodBase?>(null));
            }

            return method;
        }
    }

    /// <summary>Enters that a method is the copy of another one.</summary>
    public static void EnterCopy(DynamicMethod copy, MethodBase original) => Originals.Add(copy, new StrongBox<MethodBase?>(original));
}
