using System.Diagnostics;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls.Loaded;

namespace PvPatch.Engine.PatchedCalls.Late;

/// <summary>
/// Swaps by the data slot of the method's entry stub: one aligned store, no code is written. Where calls do not all come
/// by the stub, or where a static copy would be called otherwise than the method, the method is refused.
/// </summary>
internal sealed unsafe class EntrySwap : IMethodSwap
{
    private const MethodImplAttributes RuntimeAsync = (MethodImplAttributes)0x2000; // dotnet/runtime, src/coreclr/inc/corhdr.h, miAsync

    private MemoryMap? _map;

    /// <inheritdoc/>
    public string? RefusalOf(MethodBase method) => RefusalOfKind(method) ?? RefusalOfEntry(method);

    /// <inheritdoc/>
    public SwappedMethod Prepare(MethodBase method, DynamicMethod copy)
    {
        nint* slot = MethodEntry.SlotOf(method, out nint behind);
        return new SwappedMethod(method, copy, (nint)slot, Compiled(copy), behind);
    }

    /// <inheritdoc/>
    public void Lead(SwappedMethod swapped)
    {
        // SAFETY: the slot belongs to the method's own stub, which lives as long as the method; the address was checked to
        // be aligned and writable. The copy takes what the method takes, is compiled, and is never collected (MethodCopy).
        // One aligned store: a call on another thread goes to the old code or to the copy, and both are right.
        Volatile.Write(ref *(nint*)swapped.Place, swapped.Written);
    }

    /// <inheritdoc/>
    public bool Holds(SwappedMethod swapped)
    {
        // SAFETY: as in Lead.
        return Volatile.Read(ref *(nint*)swapped.Place) == swapped.Written;
    }

    /// <inheritdoc/>
    public void Undo(SwappedMethod swapped)
    {
        // SAFETY: as in Lead. What stood there may be gone, for the runtime frees the stubs that count calls. So the slot
        // gets what it holds before the first call, by which the runtime puts the method's present code there itself.
        if (Interlocked.CompareExchange(ref *(nint*)swapped.Place, swapped.Undone, swapped.Written) == swapped.Written)
            RuntimeHelpers.PrepareMethod(swapped.Method.MethodHandle); // fetches the code now, so that the entry tells that there is some
    }

    /// <summary>Compiles a copy.</summary>
    /// <returns>Address of its code.</returns>
    internal static nint Compiled(DynamicMethod copy)
    {
        RuntimeMethodHandle handle = EmittedMethods.HandleOf(copy);
        RuntimeHelpers.PrepareMethod(handle);
        return handle.GetFunctionPointer();
    }

    private static string? RefusalOfKind(MethodBase method) => method switch
    {
        _ when RuntimeInformation.ProcessArchitecture != Architecture.X64 => "entry stubs are known for x86-64 only",
        { ContainsGenericParameters: true } or { IsGenericMethod: true } or { DeclaringType: null or { IsGenericType: true } } => "it is generic",
        { IsVirtual: true, DeclaringType.IsValueType: false } => "it is virtual, and its calls go past its entry",
        { IsStatic: true, IsConstructor: true } => "it is a static constructor",
        _ when method.MethodImplementationFlags.HasFlag(MethodImplAttributes.Synchronized) => "it is synchronized, and a copy would not lock",
        _ when method.MethodImplementationFlags.HasFlag(RuntimeAsync) => "the runtime itself makes it asynchronous",
        _ when method.MethodImplementationFlags.HasFlag(MethodImplAttributes.AggressiveOptimization) || IsNeverTiered(method.Module.Assembly) =>
            "it is compiled once for all, and its callers may call its code directly",
        _ when method.CallingConvention.HasFlag(CallingConventions.VarArgs) => "it takes a variable list of arguments",
        _ when method.IsDefined(typeof(UnmanagedCallersOnlyAttribute), inherit: false) => "it is called from unmanaged code",
        { IsStatic: false } and MethodInfo { ReturnType: { IsValueType: true, IsPrimitive: false, IsEnum: false } returned } when returned != typeof(void) =>
            "it is an instance method that returns a struct, which a static copy does otherwise",
        _ when InitialisesItsClass(method) => "its class is initialised when it is called first",
        _ when method.Module.Assembly.IsCollectible => "its assembly can be unloaded, which a copy would prevent",
        _ => null,
    };

    private static bool IsNeverTiered(Assembly assembly)
    {
        if (assembly.GetCustomAttribute<DebuggableAttribute>() is { IsJITOptimizerDisabled: true })
            return true;
        return Environment.GetEnvironmentVariable("DOTNET_TieredCompilation") is "0"
            || (AppContext.TryGetSwitch("System.Runtime.TieredCompilation", out bool isOn) && !isOn);
    }

    private string? RefusalOfEntry(MethodBase method)
    {
        nint* slot = MethodEntry.SlotOf(method, out _);
        if (slot is null)
            return "its entry is no stub that is known";
        return (nint)slot % sizeof(nint) == 0 && IsData((nint)slot) ? null : "its entry's data cannot be written";
    }

    /// <summary>
    /// Whether an entry's slot lies in memory for data. Such memory stays what it is as long as the method, so the map is read again
    /// only for what it does not show: it grows with the methods, and reading it for each would make their time a square.
    /// </summary>
    private bool IsData(nint slot)
    {
        static bool IsIn(MemoryMap? map, nint slot) => map?.At(slot) is { CanWrite: true, CanExecute: false };
        return IsIn(_map, slot) || IsIn(_map = MemoryMap.Read(), slot);
    }

    /// <summary>Whether the first call of a method that never ran initialises its class (ECMA-335, partition II, 10.5.3.1), which calling a copy does not.</summary>
    private static bool InitialisesItsClass(MethodBase method) =>
        method.DeclaringType is { TypeInitializer: not null } owner && !owner.Attributes.HasFlag(TypeAttributes.BeforeFieldInit) && MethodEntry.IsCompiled(method) != true;
}
