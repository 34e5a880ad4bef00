using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PvPatch.Engine.IndirectCalls;

/// <summary>
/// Which types cross an unmanaged call and arrive as they were, and as what an entry takes them. Where a slot's assembly
/// carries <see cref="System.Runtime.CompilerServices.DisableRuntimeMarshallingAttribute"/>, values go over as they lie in
/// memory; elsewhere the runtime would convert some on the way.
/// </summary>
internal static class UnmanagedTypes
{
    /// <summary>Why a type cannot cross; <see langword="null"/> if it can.</summary>
    /// <param name="type">A parameter's type or the return type.</param>
    /// <param name="isParameter">Which of them.</param>
    /// <param name="keepsLayouts">Whether the slot's assembly disables the runtime's marshalling.</param>
    public static string? RefusalOf(Type type, bool isParameter, bool keepsLayouts)
    {
        if (type == typeof(void) || type == typeof(bool) || (keepsLayouts && type == typeof(char)))
            return null;
        if (type.IsByRef)
        {
            if (!isParameter)
                return $"{type} cannot be returned from an unmanaged call; use a pointer";
            if (keepsLayouts)
                return $"{type} cannot cross where the assembly disables the runtime's marshalling; use a pointer";
            return IsAsItLies(type.GetElementType()!, keepsLayouts: false) ? null : Converted(type);
        }

        return IsAsItLies(type, keepsLayouts) ? null : Converted(type);
    }

    /// <summary>
    /// The type that an entry has for it: pointers and references as plain numbers, so that the entry refers to no type that
    /// it does not need; a truth value as a byte, and as a whole register where it is returned, which fits callers that
    /// expect one byte and those that expect four.
    /// </summary>
    public static Type EntryType(Type type, bool isParameter)
    {
        if (type.IsPointer || type.IsFunctionPointer || type.IsByRef)
            return typeof(nint);
        if (type == typeof(bool))
            return isParameter ? typeof(byte) : typeof(int);
        if (type == typeof(char))
            return typeof(ushort);
        return type.IsEnum ? type.GetEnumUnderlyingType() : type;
    }

    private static string Converted(Type type) => $"{type} would be converted on the way; use a number or a pointer, or a managed slot";

    private static bool IsAsItLies(Type type, bool keepsLayouts)
    {
        if (type.IsPointer || type.IsFunctionPointer)
            return true;
        if (type.IsEnum)
            type = type.GetEnumUnderlyingType();
        if (type.IsPrimitive)
            return keepsLayouts || (type != typeof(bool) && type != typeof(char));
        if (!type.IsValueType || type.IsAutoLayout || type.IsByRefLike || IsOfRegisters(type))
            return false;
        const BindingFlags EveryField = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        return Array.TrueForAll(type.GetFields(EveryField), f => !f.IsDefined(typeof(MarshalAsAttribute), inherit: false) && IsAsItLies(f.FieldType, keepsLayouts));
    }

    /// <summary>Types that the JIT keeps in registers of their own kind, which the runtime does not pass to unmanaged code.</summary>
    private static bool IsOfRegisters(Type type) =>
        type == typeof(Int128) || type == typeof(UInt128)
        || (type.IsGenericType && type.Namespace is "System.Runtime.Intrinsics" or "System.Numerics" && type.Assembly == typeof(Vector128).Assembly);
}
