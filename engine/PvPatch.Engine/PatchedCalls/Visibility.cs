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
            IsVisible(type.GetGenericTypeDefinition(), caller) && AreVisible(type.GetGenericArguments(), caller),
        Type { IsFunctionPointer: true } => true,
        _ when IsOwn(member) => IsOpenTo(member, caller),
        Type type => type.IsVisible,
        FieldInfo field => field.IsPublic && IsVisible(field.DeclaringType!, caller),
        MethodBase method => method.IsPublic && IsVisible(method.DeclaringType!, caller),
        _ => false,
    };

    private bool AreVisible(Type[] types, MethodDefinitionHandle caller)
    {
        foreach (Type type in types)
        {
            if (!IsVisible(type, caller))
                return false;
        }

        return true;
    }

    private bool IsOpenTo(MemberInfo member, MethodDefinitionHandle caller)
    {
        bool isKept = member switch
        {
            Type type => type.IsNestedPrivate || type.IsNestedFamily || type.IsNestedFamANDAssem,
            FieldInfo field => field.IsPrivate || field.IsFamily || field.IsFamilyAndAssembly,
            MethodBase method => method.IsPrivate || method.IsFamily || method.IsFamilyAndAssembly,
            _ => true,
        };
        Type? outer = member.DeclaringType;
        return outer is null ? !isKept : (!isKept || IsWithin(outer.MetadataToken, caller)) && IsOpenTo(outer, caller);
    }

    /// <summary>Whether a method belongs to a class or to one nested in it.</summary>
    private bool IsWithin(int type, MethodDefinitionHandle method)
    {
        TypeDefinitionHandle around = image.Metadata.GetMethodDefinition(method).GetDeclaringType();
        for (int depth = 0; !around.IsNil; depth = MetadataNames.Deeper(depth))
        {
            if (MetadataTokens.GetToken(around) == type)
                return true;
            around = image.Metadata.GetTypeDefinition(around).GetDeclaringType();
        }

        return false;
    }
}
