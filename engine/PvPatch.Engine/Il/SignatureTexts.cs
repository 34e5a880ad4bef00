using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Il;

/// <summary>What a signature's text tells beside names.</summary>
internal enum SignatureDetail
{
    /// <summary>Modifiers, as the runtime compares them when it looks for a method.</summary>
    Modifiers,

    /// <summary>Modifiers, and the assembly of each type that is referred to: two may have types of one name.</summary>
    Scopes,

    /// <summary>Neither.</summary>
    NamesOnly,
}

/// <summary>Signatures as text, so that two can be compared and shown (ECMA-335, partition II, 23.2).</summary>
internal sealed class SignatureTexts(MetadataReader metadata, MetadataNames names, SignatureDetail detail) : ISignatureTypeProvider<string, object?>
{
    private readonly Dictionary<int, string> _calls = []; // by place of the signature in the heap

    /// <summary>The signature of a call through a pointer.</summary>
    public string OfCall(StandaloneSignatureHandle handle)
    {
        StandaloneSignature signature = metadata.GetStandaloneSignature(handle);
        int offset = metadata.GetHeapOffset(signature.Signature);
        if (!_calls.TryGetValue(offset, out string? text))
            _calls[offset] = text = GetFunctionPointerType(signature.DecodeMethodSignature(this, null));
        return text;
    }

    /// <summary>The type of a field, whether or not it is volatile.</summary>
    public string OfField(EntityHandle handle)
    {
        string type = handle.Kind == HandleKind.FieldDefinition
            ? metadata.GetFieldDefinition((FieldDefinitionHandle)handle).DecodeSignature(this, null)
            : metadata.GetMemberReference((MemberReferenceHandle)handle).DecodeFieldSignature(this, null);
        int modifier = type.LastIndexOf(" modreq(", StringComparison.Ordinal);
        return modifier > 0 && type.EndsWith("System.Runtime.CompilerServices.IsVolatile)", StringComparison.Ordinal) ? type[..modifier] : type;
    }

    /// <summary>The signature of a method of this module.</summary>
    public string OfMethod(MethodDefinitionHandle handle) =>
        GetFunctionPointerType(metadata.GetMethodDefinition(handle).DecodeSignature(this, null));

    /// <summary>The signature of a method that this module refers to.</summary>
    public string OfMethod(MemberReferenceHandle handle) =>
        GetFunctionPointerType(metadata.GetMemberReference(handle).DecodeMethodSignature(this, null));

    /// <summary>The same text for a method known by reflection.</summary>
    public static string Of(System.Reflection.MethodInfo method) =>
        $"Default {Of(method.ReturnParameter)}({string.Join(", ", method.GetParameters().Select(Of))})";

    private static string Of(System.Reflection.ParameterInfo parameter)
    {
        IEnumerable<string> modifiers = parameter.GetRequiredCustomModifiers().Select(m => $" modreq({Of(m)})").Concat(parameter.GetOptionalCustomModifiers().Select(m => $" modopt({Of(m)})"));
        return Of(parameter.ParameterType) + string.Concat(modifiers);
    }

    /// <summary>A type known by reflection.</summary>
    public static string Of(Type type)
    {
        if (type.IsPointer)
            return $"{Of(type.GetElementType()!)}*";
        if (type.IsByRef)
            return $"{Of(type.GetElementType()!)}&";
        if (type.IsArray)
            return $"{Of(type.GetElementType()!)}[{new string(',', type.IsSZArray ? 0 : type.GetArrayRank())}]";
        if (type.IsFunctionPointer)
        {
            string parameters = string.Join(", ", type.GetFunctionPointerParameterTypes().Select(Of));
            return $"{(type.IsUnmanagedFunctionPointer ? "Unmanaged" : "Default")} {Of(type.GetFunctionPointerReturnType())}({parameters})";
        }

        return type.IsConstructedGenericType
            ? $"{type.GetGenericTypeDefinition().FullName}<{string.Join(", ", type.GetGenericArguments().Select(Of))}>"
            : type.FullName ?? type.Name;
    }

    /// <summary>The type that a call of a method or through a pointer returns.</summary>
    public string ReturnedBy(EntityHandle called) => called.Kind switch
    {
        HandleKind.MethodDefinition => metadata.GetMethodDefinition((MethodDefinitionHandle)called).DecodeSignature(this, null).ReturnType,
        HandleKind.MemberReference => metadata.GetMemberReference((MemberReferenceHandle)called).DecodeMethodSignature(this, null).ReturnType,
        HandleKind.MethodSpecification => ReturnedBy(metadata.GetMethodSpecification((MethodSpecificationHandle)called).Method),
        _ => metadata.GetStandaloneSignature((StandaloneSignatureHandle)called).DecodeMethodSignature(this, null).ReturnType,
    };

    /// <inheritdoc/>
    public string GetFunctionPointerType(MethodSignature<string> signature) =>
        $"{NameOf(signature.Header.CallingConvention)} {signature.ReturnType}({string.Join(", ", signature.ParameterTypes)})";

    /// <inheritdoc/>
    public string GetPrimitiveType(PrimitiveTypeCode typeCode) => typeCode switch // no ToString: the first of an enumeration costs a program's start milliseconds
    {
        PrimitiveTypeCode.Void => "System.Void",
        PrimitiveTypeCode.Boolean => "System.Boolean",
        PrimitiveTypeCode.Char => "System.Char",
        PrimitiveTypeCode.SByte => "System.SByte",
        PrimitiveTypeCode.Byte => "System.Byte",
        PrimitiveTypeCode.Int16 => "System.Int16",
        PrimitiveTypeCode.UInt16 => "System.UInt16",
        PrimitiveTypeCode.Int32 => "System.Int32",
        PrimitiveTypeCode.UInt32 => "System.UInt32",
        PrimitiveTypeCode.Int64 => "System.Int64",
        PrimitiveTypeCode.UInt64 => "System.UInt64",
        PrimitiveTypeCode.Single => "System.Single",
        PrimitiveTypeCode.Double => "System.Double",
        PrimitiveTypeCode.String => "System.String",
        PrimitiveTypeCode.TypedReference => "System.TypedReference",
        PrimitiveTypeCode.IntPtr => "System.IntPtr",
        PrimitiveTypeCode.UIntPtr => "System.UIntPtr",
        PrimitiveTypeCode.Object => "System.Object",
        _ => throw new PatchException(PatchError.BadImage, "The image is damaged: a signature names no such primitive type."),
    };

    private static string NameOf(SignatureCallingConvention convention) => convention switch
    {
        SignatureCallingConvention.Default => "Default",
        SignatureCallingConvention.Unmanaged => "Unmanaged",
        _ => convention.ToString(),
    };

    /// <inheritdoc/>
    public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => names.Of(handle);

    /// <inheritdoc/>
    public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) =>
        detail == SignatureDetail.Scopes ? $"[{names.AssemblyOf(handle)}]{names.Of(handle)}" : names.Of(handle);

    /// <inheritdoc/>
    public string GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
        reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

    /// <inheritdoc/>
    public string GetPointerType(string elementType) => $"{elementType}*";

    /// <inheritdoc/>
    public string GetByReferenceType(string elementType) => $"{elementType}&";

    /// <inheritdoc/>
    public string GetPinnedType(string elementType) => $"pinned {elementType}";

    /// <inheritdoc/>
    public string GetSZArrayType(string elementType) => $"{elementType}[]";

    /// <inheritdoc/>
    public string GetArrayType(string elementType, ArrayShape shape) => $"{elementType}[{new string(',', shape.Rank)}]";

    /// <inheritdoc/>
    public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) =>
        detail == SignatureDetail.NamesOnly ? unmodifiedType : $"{unmodifiedType} {(isRequired ? "modreq" : "modopt")}({modifier})";

    /// <inheritdoc/>
    public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) =>
        $"{genericType}<{string.Join(", ", typeArguments)}>";

    /// <inheritdoc/>
    public string GetGenericMethodParameter(object? genericContext, int index) => $"!!{index}";

    /// <inheritdoc/>
    public string GetGenericTypeParameter(object? genericContext, int index) => $"!{index}";
}
