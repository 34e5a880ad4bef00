using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls;

/// <summary>Which members the methods of an image may name.</summary>
internal sealed class Visibility(ModuleImage image)
{
    /// <summary>Whether a member belongs to a copy of this image's build.</summary>
    public bool IsOwn(MemberInfo member) => image.IsCopyOf(member.Module);

    /// <summary>Whether a method may name a member: of its own image, what no class keeps from it; of others, what is public.</summary>
    /// <param name="member">A type, field or method.</param>
    /// <param name="caller">The method of this image.</param>
    public bool IsVisible(MemberInfo member, MethodDefinitionHandle caller) => member switch
    {
        Type { HasElementType: true } type => IsVisible(type.GetElementType()!, caller),
        Type { IsGenericType: true, IsGenericTypeDefinition: false } type =>
            IsVisible(type.GetGenericTypeDefinition(), caller) && Array.TrueForAll(type.GetGenericArguments(), a => IsVisible(a, caller)),
        Type { IsFunctionPointer: true } => true,
        _ when IsOwn(member) => IsOpenTo(member, ClassesAround(caller)),
        Type type => type.IsVisible,
        FieldInfo field => field.IsPublic && IsVisible(field.DeclaringType!, caller),
        MethodBase method => method.IsPublic && IsVisible(method.DeclaringType!, caller),
        _ => false,
    };

    private static bool IsOpenTo(MemberInfo member, HashSet<int> around)
    {
        bool isKept = member switch
        {
            Type type => type.IsNestedPrivate || type.IsNestedFamily || type.IsNestedFamANDAssem,
            FieldInfo field => field.IsPrivate || field.IsFamily || field.IsFamilyAndAssembly,
            MethodBase method => method.IsPrivate || method.IsFamily || method.IsFamilyAndAssembly,
            _ => true,
        };
        Type? outer = member.DeclaringType;
        return outer is null ? !isKept : (!isKept || around.Contains(outer.MetadataToken)) && IsOpenTo(outer, around);
    }

    /// <summary>Tokens of a method's class and of those around it.</summary>
    private HashSet<int> ClassesAround(MethodDefinitionHandle method)
    {
        var around = new HashSet<int>();
        for (TypeDefinitionHandle type = image.Metadata.GetMethodDefinition(method).GetDeclaringType();
            !type.IsNil && around.Add(MetadataTokens.GetToken(type));
            type = image.Metadata.GetTypeDefinition(type).GetDeclaringType())
        {
        }

        return around;
    }
}
