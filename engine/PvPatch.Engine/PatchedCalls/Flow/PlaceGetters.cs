using System.Reflection;
using System.Reflection.Emit;
using PvPatch.Engine.Il;
using PvPatch.Engine.PatchedCalls.Growth;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>How an instruction reads a field of the tables.</summary>
/// <param name="Place">The place that the field is.</param>
/// <param name="IsStatic">Whether it takes no object or struct from the stack.</param>
/// <param name="IsAddress">Whether it gives the field's address and not what the field holds.</param>
internal sealed record PlaceRead(SlotNode Place, bool IsStatic, bool IsAddress)
{
    /// <summary>The place, where it is a static field and read as one.</summary>
    public SlotNode? Root => IsStatic && Place.Outer is null ? Place : null;

    /// <summary>The place, where it is a field of a struct or object and read as one.</summary>
    public SlotNode? Member => !IsStatic && Place.Outer is not null ? Place : null;
}

/// <summary>Finds methods that only read a field: <c>Instance =&gt; _instance</c>, automatic properties, <c>ref</c> properties.</summary>
internal static class PlaceGetters
{
    /// <summary>The most bytes that a getter has, in a Debug build.</summary>
    public const int LongestGetter = 24;

    /// <summary>The getters of some fields, among the methods of the types that declare them.</summary>
    /// <param name="fields">The fields.</param>
    /// <param name="placeOf">The place that each of them is.</param>
    public static IReadOnlyDictionary<MemberKey, PlaceRead> Of(IEnumerable<FieldInfo> fields, Func<MemberKey, SlotNode?> placeOf)
    {
        var getters = new Dictionary<MemberKey, PlaceRead>();
        foreach (IGrouping<Type, FieldInfo> group in fields.GroupBy(f => f.DeclaringType!))
        {
            const BindingFlags Declared = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
            foreach (MethodInfo method in group.Key.GetMethods(Declared))
            {
                if (ReadBy(method) is { } read
                    && group.FirstOrDefault(f => f.MetadataToken == read.Token) is { } field && field.IsStatic == method.IsStatic)
                {
                    getters[MemberKey.Of(method)] = placeOf(MemberKey.Of(field))!.ReadBy(method.IsStatic, read.IsAddress);
                }
            }
        }

        return getters;
    }

    private static (int Token, bool IsAddress)? ReadBy(MethodInfo method)
    {
        try
        {
            return !method.IsVirtual && !method.IsGenericMethod && method.GetParameters().Length == 0 && method.GetMethodBody()?.GetILAsByteArray() is { } il
                ? ReadOf(il)
                : null;
        }
        catch (Exception e) when (e is IOException or TypeLoadException or BadImageFormatException)
        {
            return null; // it needs an assembly that is not there
        }
    }

    /// <summary>The field that some IL reads and returns, if it does nothing else.</summary>
    /// <param name="il">A whole method.</param>
    public static (int Token, bool IsAddress)? ReadOf(ReadOnlySpan<byte> il)
    {
        if (il.Length > LongestGetter)
            return null;
        return Code(il) switch
        {
            [var read, var last] when last.Is(OpCodes.Ret) && (read.Is(OpCodes.Ldsfld) || read.Is(OpCodes.Ldsflda)) => ((int)read.Operand, read.Is(OpCodes.Ldsflda)),
            [var self, var read, var last] when self.Is(OpCodes.Ldarg_0) && last.Is(OpCodes.Ret) && (read.Is(OpCodes.Ldfld) || read.Is(OpCodes.Ldflda)) =>
                ((int)read.Operand, read.Is(OpCodes.Ldflda)),
            _ => null,
        };
    }

    /// <summary>Movable code; none of what cannot be decoded, which is no getter either.</summary>
    private static IReadOnlyList<MovableInstruction> Code(ReadOnlySpan<byte> il)
    {
        try
        {
            return InlineCode.Of(IlReader.Decode(il));
        }
        catch (PatchException)
        {
            return [];
        }
    }
}
