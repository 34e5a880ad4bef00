using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace PvPatch.Engine.PatchedCalls.Loaded;

/// <summary>What the engine knows of methods that it emits itself, which reflection does not tell.</summary>
internal static class EmittedMethods
{
    private static readonly ConditionalWeakTable<DynamicMethod, MethodBase> Originals = [];

    /// <summary>The handle of an emitted method.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "GetMethodDescriptor")]
    public static extern RuntimeMethodHandle HandleOf(DynamicMethod method);

    /// <summary>Enters that a method is the copy of another one.</summary>
    public static void EnterCopy(DynamicMethod copy, MethodBase original) => Originals.AddOrUpdate(copy, original);

    /// <summary>What a method is the copy of; <see langword="null"/> if it is none.</summary>
    public static MethodBase? OriginalOf(DynamicMethod copy) => Originals.TryGetValue(copy, out MethodBase? original) ? original : null;
}
