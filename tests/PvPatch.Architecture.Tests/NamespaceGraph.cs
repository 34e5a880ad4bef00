using Mono.Cecil;
using Mono.Cecil.Cil;

namespace PvPatch.Architecture.Tests;

/// <summary>Which namespaces of an assembly use which, read from its metadata and IL.</summary>
internal sealed class NamespaceGraph
{
    private readonly SortedDictionary<string, SortedSet<string>> _uses = new(StringComparer.Ordinal);
    private readonly Dictionary<(string From, string To), string> _witness = [];

    public NamespaceGraph(ModuleDefinition module)
    {
        foreach (TypeDefinition type in module.GetTypes())
            Read(type);
    }

    /// <summary>Every namespace with those it uses.</summary>
    public IReadOnlyDictionary<string, SortedSet<string>> Uses => _uses;

    /// <summary>A circle, as text with a witness for each arrow; null when there is none.</summary>
    public string? FindCircle()
    {
        var done = new HashSet<string>(StringComparer.Ordinal);
        foreach (string start in _uses.Keys)
        {
            if (FindCircle(start, [], done) is { } circle)
                return string.Join('\n', circle.Zip(circle.Skip(1), (from, to) => $"{from} -> {to}: {_witness[(from, to)]}"));
        }

        return null;
    }

    private List<string>? FindCircle(string at, List<string> path, HashSet<string> done)
    {
        int seen = path.IndexOf(at);
        if (seen >= 0)
            return [.. path[seen..], at];
        if (done.Contains(at))
            return null;
        path.Add(at);
        foreach (string next in _uses.GetValueOrDefault(at) ?? [])
        {
            if (FindCircle(next, path, done) is { } circle)
                return circle;
        }

        path.RemoveAt(path.Count - 1);
        done.Add(at);
        return null;
    }

    private void Read(TypeDefinition type)
    {
        string where = type.FullName;
        Add(type, type.BaseType, where);
        foreach (InterfaceImplementation implemented in type.Interfaces)
            Add(type, implemented.InterfaceType, where);
        foreach (FieldDefinition field in type.Fields)
            Add(type, field.FieldType, field.FullName);
        foreach (CustomAttribute attribute in type.CustomAttributes)
            Add(type, attribute.AttributeType, where);
        foreach (MethodDefinition method in type.Methods)
            Read(type, method);
    }

    private void Read(TypeDefinition type, MethodDefinition method)
    {
        string where = method.FullName;
        Add(type, method.ReturnType, where);
        foreach (ParameterDefinition parameter in method.Parameters)
            Add(type, parameter.ParameterType, where);
        if (!method.HasBody)
            return;
        foreach (VariableDefinition local in method.Body.Variables)
            Add(type, local.VariableType, where);
        foreach (Instruction instruction in method.Body.Instructions)
        {
            switch (instruction.Operand)
            {
                case MemberReference and TypeReference used:
                    Add(type, used, where);
                    break;
                case MemberReference member:
                    Add(type, member.DeclaringType, where);
                    break;
            }
        }
    }

    private void Add(TypeDefinition from, TypeReference? to, string where)
    {
        switch (to)
        {
            case null or GenericParameter:
                return;
            case GenericInstanceType generic:
                foreach (TypeReference argument in generic.GenericArguments)
                    Add(from, argument, where);
                Add(from, generic.ElementType, where);
                return;
            case FunctionPointerType pointer:
                Add(from, pointer.ReturnType, where);
                foreach (ParameterDefinition parameter in pointer.Parameters)
                    Add(from, parameter.ParameterType, where);
                return;
            case TypeSpecification specification:
                Add(from, specification.ElementType, where);
                return;
        }

        if (to.Scope != from.Module)
            return;
        string source = NamespaceOf(from), target = NamespaceOf(to);
        if (source == target || source.Length == 0 || target.Length == 0)
            return;
        if (!_uses.TryGetValue(source, out SortedSet<string>? targets))
            _uses[source] = targets = new(StringComparer.Ordinal);
        targets.Add(target);
        _witness.TryAdd((source, target), where);
    }

    private static string NamespaceOf(TypeReference type)
    {
        while (type.DeclaringType is { } outer)
            type = outer;
        return type.Namespace;
    }
}
