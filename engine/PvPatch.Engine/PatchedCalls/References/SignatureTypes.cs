using System.Reflection;

namespace PvPatch.Engine.PatchedCalls.References;

/// <summary>The types that a method's signature names.</summary>
internal static class SignatureTypes
{
    /// <summary>Those that are defined somewhere: what pointers point to, what generic types are made of.</summary>
    public static IEnumerable<Type> Of(MethodInfo method) =>
        method.GetParameters().Select(p => p.ParameterType).Append(method.ReturnType).SelectMany(Of).Distinct();

    private static IEnumerable<Type> Of(Type type)
    {
        if (type.HasElementType)
            return Of(type.GetElementType()!);
        if (type.IsFunctionPointer)
            return type.GetFunctionPointerParameterTypes().Append(type.GetFunctionPointerReturnType()).SelectMany(Of);
        return type.IsConstructedGenericType ? type.GetGenericArguments().SelectMany(Of).Append(type.GetGenericTypeDefinition()) : [type];
    }
}
