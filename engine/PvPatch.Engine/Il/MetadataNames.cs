using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Text;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Il;

/// <summary>Names of types, fields and methods in one module, written as reflection writes them: <c>Namespace.Outer+Inner</c>.</summary>
internal sealed unsafe class MetadataNames(MetadataReader metadata)
{
    private const int DeepestNesting = 64;

    private readonly Dictionary<int, string> _short = [];
    private readonly Dictionary<int, string> _types = []; // those of this module
    private char[] _text = [];

    /// <summary>Full name of a method: <c>Namespace.Type.Method</c>.</summary>
    public string Of(MethodDefinitionHandle handle)
    {
        MethodDefinition method = metadata.GetMethodDefinition(handle);
        string type = Of(method.GetDeclaringType());
        BlobReader name = metadata.GetBlobReader(method.Name);
        Room.For(ref _text, type.Length + 1 + name.Length);
        type.CopyTo(_text);
        _text[type.Length] = '.';
        int length = type.Length + 1;
        length += Encoding.UTF8.GetChars(new ReadOnlySpan<byte>(name.StartPointer, name.Length), _text.AsSpan(length)); // SAFETY: the reader keeps its memory
        return new string(_text, 0, length);
    }

    /// <summary>Full name of a type of this module.</summary>
    public string Of(TypeDefinitionHandle handle, int depth = 0)
    {
        int token = MetadataTokens.GetToken(handle);
        if (_types.TryGetValue(token, out string? known))
            return known;
        TypeDefinition type = metadata.GetTypeDefinition(handle);
        TypeDefinitionHandle outer = type.GetDeclaringType();
        string name = metadata.GetString(type.Name);
        return _types[token] = outer.IsNil ? Qualified(type.Namespace, name) : $"{Of(outer, Deeper(depth))}+{name}";
    }

    /// <summary>Full name of a type that this module refers to.</summary>
    public string Of(TypeReferenceHandle handle, int depth = 0)
    {
        TypeReference type = metadata.GetTypeReference(handle);
        string name = metadata.GetString(type.Name);
        return type.ResolutionScope is { Kind: HandleKind.TypeReference, IsNil: false } outer
            ? $"{Of((TypeReferenceHandle)outer, Deeper(depth))}+{name}"
            : Qualified(type.Namespace, name);
    }

    /// <summary>Simple name of the assembly that a type reference leads to; <see langword="null"/> for one within this module.</summary>
    public string? AssemblyOf(TypeReferenceHandle handle)
    {
        EntityHandle scope = metadata.GetTypeReference(handle).ResolutionScope;
        for (int depth = 0; scope is { Kind: HandleKind.TypeReference, IsNil: false }; depth = Deeper(depth))
            scope = metadata.GetTypeReference((TypeReferenceHandle)scope).ResolutionScope;
        return scope is { Kind: HandleKind.AssemblyReference, IsNil: false }
            ? metadata.GetString(metadata.GetAssemblyReference((AssemblyReferenceHandle)scope).Name)
            : null;
    }

    /// <summary>Short text of what a token stands for, for people: <c>Irq::SaveFlags</c>.</summary>
    public string Short(int token)
    {
        if (!_short.TryGetValue(token, out string? text))
            _short[token] = text = ShortOf(token);
        return text;
    }

    /// <summary>One step further out from a nested type: damaged metadata may nest a type in itself.</summary>
    /// <param name="depth">How many steps it were so far.</param>
    /// <exception cref="PatchException"><see cref="PatchError.BadImage"/>: too many.</exception>
    public static int Deeper(int depth) =>
        depth < DeepestNesting ? depth + 1 : throw new PatchException(PatchError.BadImage, "The image is damaged: types are nested without end.");

    private string ShortOf(int token)
    {
        EntityHandle handle = MetadataTokens.EntityHandle(token);
        switch (handle.Kind)
        {
            case HandleKind.FieldDefinition:
                FieldDefinition field = metadata.GetFieldDefinition((FieldDefinitionHandle)handle);
                return $"{Short(field.GetDeclaringType())}::{metadata.GetString(field.Name)}";
            case HandleKind.MethodDefinition:
                MethodDefinition method = metadata.GetMethodDefinition((MethodDefinitionHandle)handle);
                return $"{Short(method.GetDeclaringType())}::{metadata.GetString(method.Name)}";
            case HandleKind.MemberReference:
                MemberReference member = metadata.GetMemberReference((MemberReferenceHandle)handle);
                return $"{Short(member.Parent)}::{metadata.GetString(member.Name)}";
            case HandleKind.MethodSpecification:
                return Short(MetadataTokens.GetToken(metadata.GetMethodSpecification((MethodSpecificationHandle)handle).Method));
            default:
                return Short(handle);
        }
    }

    private string Short(EntityHandle handle) => handle switch
    {
        { Kind: HandleKind.TypeDefinition, IsNil: false } => metadata.GetString(metadata.GetTypeDefinition((TypeDefinitionHandle)handle).Name),
        { Kind: HandleKind.TypeReference, IsNil: false } => metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)handle).Name),
        _ => $"0x{MetadataTokens.GetToken(handle):X8}",
    };

    private string Qualified(StringHandle @namespace, string name) =>
        @namespace.IsNil ? name : $"{metadata.GetString(@namespace)}.{name}";
}
