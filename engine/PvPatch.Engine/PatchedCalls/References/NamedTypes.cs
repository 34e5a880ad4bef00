using System.Reflection;

namespace PvPatch.Engine.PatchedCalls.References;

/// <summary>The types that must be found before a member can be used.</summary>
internal static class NamedTypes
{
    /// <summary>The type itself or the one that declares the member, and those of its signature; of pointers what they point to, of generic types also what they are made of.</summary>
    public static IEnumerable<Type> Of(MemberInfo member) => member switch
    {
        Type type => Of(type),
        FieldInfo field => Of(field.DeclaringType!).Concat(Of(field.FieldType)),
        MethodInfo method => OfMethod(method).Concat(Of(method.ReturnType)),
        MethodBase method => OfMethod(method),
        _ => [],
    };

    private static IEnumerable<Type> OfMethod(MethodBase method) =>
        Of(method.DeclaringType!).Concat(method.GetParameters().SelectMany(p => Of(p.ParameterType))).Concat(method.IsGenericMethod ? method.GetGenericArguments().SelectMany(Of) : []);

    private static IEnumerable<Type> Of(Type type)
    {
        if (type.HasElementType)
            return Of(type.GetElementType()!);
        if (type.IsFunctionPointer)
            return type.GetFunctionPointerParameterTypes().Append(type.GetFunctionPointerReturnType()).SelectMany(Of);
        if (type.IsGenericParameter)
            return [];
        return type.IsConstructedGenericType ? type.GetGenericArguments().SelectMany(Of).Append(type.GetGenericTypeDefinition()) : [type];
    }
}
