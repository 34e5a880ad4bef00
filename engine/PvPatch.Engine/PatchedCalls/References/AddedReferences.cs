using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using PvPatch.Engine.Il;
using PvPatch.Engine.Extension;

namespace PvPatch.Engine.PatchedCalls.References;

/// <summary>
/// References that a module gets so that its sites can call what it never named: rows behind those that it has, so every
/// token that it has stays what it is. The image is taken apart when the first one is asked for.
/// </summary>
/// <param name="image">The module.</param>
/// <param name="file">Content of its file.</param>
/// <param name="bindings">What its references lead to once it is loaded.</param>
internal sealed class AddedReferences(ModuleImage image, byte[] file, SetBindings bindings)
{
    private const byte HasThis = 0x20, Void = 0x01, String = 0x0E; // partition II, 23.1.16 and 23.2.1

    private readonly Dictionary<MethodInfo, (int Token, string? Refusal)> _methods = [];
    private readonly Dictionary<Type, int> _types = [];
    private readonly Dictionary<string, int> _assemblies = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _strings = new(StringComparer.Ordinal);
    private readonly HashSet<string> _opened = new(StringComparer.Ordinal);
    private readonly HashSet<int> _new = [];
    private string? _refusal;

    /// <summary>The image with what was added; <see langword="null"/> if nothing was.</summary>
    public ExtendedImage? Extended { get; private set; }

    private MetadataRoot Root => Extended!.Metadata;

    /// <summary>Whether a site needs what the module did not have: a row, or leave to name the target.</summary>
    public bool Holds(int token) => _new.Contains(token);

    /// <summary>A new token for a target.</summary>
    /// <param name="target">A static method of another module.</param>
    /// <param name="refusal">Why there is none, if there is none.</param>
    public int? MethodToken(MethodInfo target, out string? refusal)
    {
        if (!_methods.TryGetValue(target, out (int Token, string? Refusal) known))
        {
            refusal = bindings.RefusalOf(target.Module.Assembly) ?? Open();
            _methods[target] = known = refusal is null ? (Added(target), null) : (0, refusal);
        }

        refusal = known.Refusal;
        return refusal is null ? known.Token : null;
    }

    /// <summary>Lets the module call a method of its own by a token that it has, though the method is private.</summary>
    /// <returns>Why it cannot; <see langword="null"/> if it can.</returns>
    public string? OpenAccess(int token)
    {
        if (Open() is { } refusal)
            return refusal;
        OpenAccessTo(image.AssemblyName);
        _new.Add(token);
        return null;
    }

    /// <summary>The token of a string.</summary>
    /// <param name="text">The string.</param>
    /// <param name="refusal">Why there is none, if there is none.</param>
    public int? StringToken(string text, out string? refusal)
    {
        refusal = Open();
        if (refusal is not null)
            return null;
        if (!_strings.TryGetValue(text, out int token))
        {
            _strings[text] = token = Root.AddUserString(text);
            Enter(token, $"\"{text}\"");
        }

        return token;
    }

    /// <summary>Takes the image apart.</summary>
    /// <returns>Why it cannot be added to; <see langword="null"/> if it can.</returns>
    private string? Open()
    {
        try
        {
            if (_refusal is null)
                Extended ??= ExtendedImage.Open(file);
        }
        catch (BadImageFormatException e)
        {
            _refusal = $"nothing can be added to the image: {e.Message}";
        }

        return _refusal;
    }

    private int Added(MethodInfo target)
    {
        byte[] signature = new SignatureCopy(token => CodeOf(target.Module.ResolveType(token))).OfMethod(target.Module.ResolveSignature(target.MetadataToken));
        uint parent = TableColumns.MemberRefParent.CodeOf(Table.TypeRef, ReferenceTo(target.DeclaringType!));
        int row = Root.Rows(Table.MemberRef).Add(parent, Root.AddText(target.Name), Root.AddBlob(signature));
        if (!target.IsPublic || !target.DeclaringType!.IsVisible)
            OpenAccessTo(target.Module.Assembly.GetName().Name!);
        int token = Table.TokenOf(Table.MemberRef, row);
        Enter(token, $"{target.DeclaringType!.Name}::{target.Name}");
        return token;
    }

    /// <summary>
    /// Lets the module name what an assembly keeps to itself. The runtime knows the attribute by its name alone
    /// (dotnet/runtime, src/coreclr/vm/friendassembly.cpp).
    /// </summary>
    /// <param name="assembly">Simple name, of this or of another assembly.</param>
    private void OpenAccessTo(string assembly)
    {
        if (!_opened.Add(assembly))
            return;
        Type attribute = typeof(System.Runtime.CompilerServices.IgnoresAccessChecksToAttribute);
        int constructor = Root.Rows(Table.MemberRef).Add(
            TableColumns.MemberRefParent.CodeOf(Table.TypeRef, ReferenceTo(attribute)), Root.AddText(".ctor"), Root.AddBlob([HasThis, 1, Void, String]));
        byte[] value = [1, 0, .. BlobBytes.WithLength(System.Text.Encoding.UTF8.GetBytes(assembly)), 0, 0]; // 23.3
        Root.Rows(Table.CustomAttribute).Insert(
            TableColumns.HasCustomAttribute.CodeOf(Table.Assembly, 1), TableColumns.CustomAttributeType.CodeOf(Table.MemberRef, constructor), Root.AddBlob(value));
    }

    private void Enter(int token, string name)
    {
        _new.Add(token);
        image.Names.Add(token, name);
    }

    /// <summary>A type in a signature, coded as <c>TypeDefOrRef</c>: one of this module is named by its definition.</summary>
    private uint CodeOf(Type type) => image.IsCopyOf(type.Module)
        ? TableColumns.TypeDefOrRef.CodeOf(Table.TypeDef, type.MetadataToken & 0xFFFFFF)
        : TableColumns.TypeDefOrRef.CodeOf(Table.TypeRef, ReferenceTo(type));

    /// <summary>Row of a reference to a type, an existing one where there is one.</summary>
    private int ReferenceTo(Type type)
    {
        if (!_types.TryGetValue(type, out int row))
            _types[type] = row = Existing(type) ?? Added(type);
        return row;
    }

    private int? Existing(Type type)
    {
        foreach (TypeReferenceHandle handle in image.Metadata.TypeReferences)
        {
            if (image.Metadata.StringComparer.Equals(image.Metadata.GetTypeReference(handle).Name, type.Name)
                && string.Equals(image.Names.Of(handle), type.FullName, StringComparison.Ordinal)
                && BoundTypes.LeadsTo(image.Names.AssemblyOf(handle), type))
            {
                return MetadataTokens.GetRowNumber(handle);
            }
        }

        return null;
    }

    private int Added(Type type)
    {
        uint scope = type.DeclaringType is { } outer
            ? TableColumns.ResolutionScope.CodeOf(Table.TypeRef, ReferenceTo(outer))
            : TableColumns.ResolutionScope.CodeOf(Table.AssemblyRef, ReferenceTo(type.Assembly.GetName()));
        uint @namespace = type.DeclaringType is null && type.Namespace is { } text ? Root.AddText(text) : 0;
        return Root.Rows(Table.TypeRef).Add(scope, Root.AddText(type.Name), @namespace);
    }

    private int ReferenceTo(AssemblyName assembly)
    {
        if (_assemblies.TryGetValue(assembly.Name!, out int row))
            return row;
        foreach (AssemblyReferenceHandle handle in image.Metadata.AssemblyReferences)
        {
            if (image.Metadata.StringComparer.Equals(image.Metadata.GetAssemblyReference(handle).Name, assembly.Name!))
                return _assemblies[assembly.Name!] = MetadataTokens.GetRowNumber(handle);
        }

        Version version = assembly.Version ?? new Version(0, 0, 0, 0);
        uint culture = string.IsNullOrEmpty(assembly.CultureName) ? 0 : Root.AddText(assembly.CultureName);
        uint token = assembly.GetPublicKeyToken() is { Length: > 0 } bytes ? Root.AddBlob(bytes) : 0;
        return _assemblies[assembly.Name!] = Root.Rows(Table.AssemblyRef).Add(
            (ushort)version.Major, (ushort)version.Minor, (ushort)Math.Max(version.Build, 0), (ushort)Math.Max(version.Revision, 0), 0, token, Root.AddText(assembly.Name!), culture, 0);
    }
}
