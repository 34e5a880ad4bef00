using System.Reflection;
using System.Reflection.Emit;
using PvPatch.Engine.Il;
using PvPatch.Engine.PatchedCalls.Growth;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>How an instruction reads a field of the tables.</summary>
/// <param name="Field">The field.</param>
/// <param name="IsStatic">Whether it takes no object or struct from the stack.</param>
/// <param name="IsAddress">Whether it gives the field's address and not what the field holds.</param>
internal sealed record PlaceRead(MemberKey Field, bool IsStatic, bool IsAddress);

/// <summary>Finds methods that only read a field: <c>Instance =&gt; _instance</c>, automatic properties, <c>ref</c> properties.</summary>
internal static class PlaceGetters
{
    /// <summary>The getters of some fields, among the methods of the types that declare them.</summary>
    public static IReadOnlyDictionary<MemberKey, PlaceRead> Of(IEnumerable<FieldInfo> fields)
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
                    getters[MemberKey.Of(method)] = new PlaceRead(MemberKey.Of(field), method.IsStatic, read.IsAddress);
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
    public static (int Token, bool IsAddress)? ReadOf(byte[] il)
    {
        const int LongestGetter = 24;
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
    private static IReadOnlyList<MovableInstruction> Code(byte[] il)
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
