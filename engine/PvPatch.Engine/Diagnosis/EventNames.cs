using System.Reflection;
using PvPatch.Engine.RuntimeEvents;

namespace PvPatch.Engine.Diagnosis;

/// <summary>Tells which method a name in an event means. What is inlined is told by its name alone.</summary>
internal static class EventNames
{
    private const BindingFlags Declared =
        BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<Type, string> Numbers = new()
    {
        [typeof(void)] = "void",
        [typeof(bool)] = "bool",
        [typeof(char)] = "wchar",
        [typeof(nint)] = "int",
        [typeof(nuint)] = "unsigned int",
        [typeof(sbyte)] = "int8",
        [typeof(short)] = "int16",
        [typeof(int)] = "int32",
        [typeof(long)] = "int64",
        [typeof(byte)] = "unsigned int8",
        [typeof(ushort)] = "unsigned int16",
        [typeof(uint)] = "unsigned int32",
        [typeof(ulong)] = "unsigned int64",
        [typeof(float)] = "float32",
        [typeof(double)] = "float64",
    };

    /// <summary>The class and the name, without the class's generic arguments and without the signature.</summary>
    public static (string Type, string Name) KeyOf(MethodName name)
    {
        int bracket = name.Type.IndexOf('[', StringComparison.Ordinal);
        return (bracket < 0 ? name.Type : name.Type[..bracket], name.Name);
    }

    /// <summary>The same of a method.</summary>
    public static (string Type, string Name) KeyOf(MethodBase method)
    {
        Type? type = method.DeclaringType is { IsGenericType: true } generic ? generic.GetGenericTypeDefinition() : method.DeclaringType;
        return (type?.FullName ?? "", method.Name);
    }

    /// <summary>Whether a name whose key is that of the method can mean it, and not an overload. What cannot be compared is taken to fit.</summary>
    public static bool CanMean(MethodName name, MethodBase method)
    {
        if (method.DeclaringType is not { } type || type.GetMember(method.Name, MemberTypes.Method | MemberTypes.Constructor, Declared).Length < 2)
            return true;
        if (method.DeclaringType is { IsGenericType: true, IsGenericTypeDefinition: false })
            return true; // the event has the signature of the definition
        string[] told = ParametersIn(name.Signature);
        ParameterInfo[] own = method.GetParameters();
        return told.Length == own.Length && own.Zip(told).All(p => TextOf(p.First.ParameterType) is not { } text || string.Equals(text, p.Second, StringComparison.Ordinal));
    }

    /// <summary>The types of the parameters, as in <c>instance void  (int32,class System.String)</c>.</summary>
    private static string[] ParametersIn(string signature)
    {
        int open = signature.IndexOf("  (", StringComparison.Ordinal), close = signature.LastIndexOf(')');
        if (open < 0 || close <= open + 3)
            return [];
        var found = new List<string>();
        int start = open + 3, depth = 0;
        for (int at = start; at < close; at++)
        {
            char letter = signature[at];
            if (letter is '<' or '(' or '[')
                depth++;
            else if (letter is '>' or ')' or ']')
                depth--;
            else if (letter is ',' && depth == 0)
            {
                found.Add(signature[start..at]);
                start = at + 1;
            }
        }

        found.Add(signature[start..close]);
        return [.. found];
    }

    /// <summary>A type as events write it (dotnet/runtime, src/coreclr/vm/siginfo.cpp and utilcode/prettyprintsig.cpp); <see langword="null"/> for kinds that are left open.</summary>
    private static string? TextOf(Type type)
    {
        if (Numbers.TryGetValue(type, out string? number))
            return number;
        if (type is { IsGenericMethodParameter: true })
            return $"!!{type.GenericParameterPosition}";
        if (type is { IsGenericTypeParameter: true })
            return $"!{type.GenericParameterPosition}";
        if (type.HasElementType)
        {
            string? mark = type.IsByRef ? "&" : type.IsPointer ? "*" : type.IsSZArray ? "[]" : null;
            return mark is not null && TextOf(type.GetElementType()!) is { } element ? element + mark : null;
        }

        if (type.IsGenericType || type.IsFunctionPointer)
            return null;
        return $"{(type.IsValueType ? "value class" : "class")} {(type.IsNested ? type.Name : type.FullName)}"; // a nested one without its outer
    }
}
