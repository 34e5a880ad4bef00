using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Text;
using PvPatch.Engine.Extension;
using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls.References;

/// <summary>
/// Tokens that a module gets so that its sites can name what it never named: rows behind those that it has, so every token
/// that it has stays what it is. The image is taken apart when the first one is asked for.
/// </summary>
/// <param name="image">The module.</param>
/// <param name="file">Content of its file.</param>
/// <param name="bindings">What its references lead to once it is loaded.</param>
internal sealed class AddedTokens(ModuleImage image, byte[] file, SetBindings bindings)
{
    private const byte HasThis = 0x20, Void = 0x01, String = 0x0E, LocalSig = 0x07, GenericInst = 0x0A; // partition II, 23.1.16 and 23.2

    private readonly Dictionary<MemberInfo, int> _tokens = [];
    private readonly Dictionary<MemberInfo, string?> _refusals = [];
    private readonly Dictionary<string, int> _assemblies = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _strings = new(StringComparer.Ordinal);
    private readonly HashSet<string> _opened = new(StringComparer.Ordinal);
    private string? _refusal;

    /// <summary>The image with what was added; <see langword="null"/> if nothing was.</summary>
    public ExtendedImage? Extended { get; private set; }

    private MetadataRoot Root => Extended!.Metadata;

    /// <summary>Takes the image apart, unless that is done.</summary>
    /// <returns>Why it cannot be added to; <see langword="null"/> if it can.</returns>
    public string? Open()
    {
        try
        {
            if (_refusal is null)
                Extended ??= ExtendedImage.Open(file);
        }
        catch (Exception e) when (Damage.IsShownBy(e))
        {
            _refusal = $"nothing can be added to the image: {e.Message}";
        }

        return _refusal;
    }

    /// <summary>Why the module cannot name a type, field or method; <see langword="null"/> if it can.</summary>
    public string? RefusalOf(MemberInfo member)
    {
        if (!_refusals.TryGetValue(member, out string? refusal))
            _refusals[member] = refusal = RefusalOfNames(member) ?? Open();
        return refusal;
    }

    /// <summary>The token of a type, field or method that <see cref="RefusalOf"/> does not refuse.</summary>
    public int TokenOf(MemberInfo member)
    {
        if (!_tokens.TryGetValue(member, out int token))
        {
            if (IsKept(member))
                OpenAccessTo(member.Module.Assembly.GetName().Name!);
            _tokens[member] = token = member switch
            {
                Type type => TokenOf(type),
                FieldInfo field => TokenOf(field),
                _ => TokenOf((MethodBase)member),
            };
        }

        return token;
    }

    /// <summary>The token of a string, after <see cref="Open"/>.</summary>
    public int TokenOf(string text)
    {
        if (!_strings.TryGetValue(text, out int token))
            _strings[text] = token = Root.AddUserString(text);
        return token;
    }

    /// <summary>The token of a signature of local variables, after <see cref="Open"/>.</summary>
    /// <param name="present">The variables that a method has.</param>
    /// <param name="more">Types of those it gets.</param>
    public int TokenOf(StandaloneSignatureHandle present, IReadOnlyList<Type> more)
    {
        if (more.Count == 0)
            return present.IsNil ? 0 : MetadataTokens.GetToken(present);
        ReadOnlySpan<byte> old = present.IsNil ? [LocalSig, 0] : image.Metadata.GetBlobBytes(image.Metadata.GetStandaloneSignature(present).Signature);
        old = old[1..];
        var signature = new List<byte> { LocalSig };
        BlobBytes.AddCompressed(signature, BlobBytes.ReadCompressed(ref old) + more.Count);
        signature.AddRange(old);
        var types = new TypeSignatures(signature, CodeOf);
        foreach (Type type in more)
            types.Add(type);
        return Table.TokenOf(Table.StandAloneSig, Root.Rows(Table.StandAloneSig).Add(Root.AddBlob([.. signature])));
    }

    private string? RefusalOfNames(MemberInfo member)
    {
        if (member is not Type && image.IsCopyOf(member.Module) && !image.Holds(member))
            return $"{member.Name} is of another build of this module";
        Assembly own = member.Module.Assembly;
        return NamedTypes.Of(member).Select(RefusalOfType).FirstOrDefault(refusal => refusal is not null);

        string? RefusalOfType(Type type)
        {
            if (image.IsCopyOf(type.Module))
                return !bindings.Replace(own) ? OtherCopy(type) : image.Holds(type) ? null : $"{type.Name} is of another build of this module";
            return bindings.RefusalOf(type.Assembly) ?? (bindings.Replace(type.Assembly) && !bindings.Replace(own) ? OtherCopy(type) : null);
        }

        static string OtherCopy(Type type) => $"it takes or gives {type.Name} of another copy of this program";
    }

    /// <summary>Whether the module may not name a member without leave: one of its own that a class keeps to itself, another's that is not public.</summary>
    private bool IsKept(MemberInfo member)
    {
        bool isOwn = image.IsCopyOf(member.Module);
        return member switch
        {
            Type type when isOwn => type.IsNestedPrivate || type.IsNestedFamily || type.IsNestedFamANDAssem || (type.DeclaringType is { } outer && IsKept(outer)),
            Type type => !type.IsVisible,
            FieldInfo field => (isOwn ? field.IsPrivate || field.IsFamily || field.IsFamilyAndAssembly : !field.IsPublic) || IsKept(field.DeclaringType!),
            MethodBase method => (isOwn ? method.IsPrivate || method.IsFamily || method.IsFamilyAndAssembly : !method.IsPublic) || IsKept(method.DeclaringType!),
            _ => false,
        };
    }

    /// <summary>
    /// Lets the module name what an assembly, another one or itself, keeps. The runtime knows the attribute by its name alone
    /// (dotnet/runtime, src/coreclr/vm/friendassembly.cpp).
    /// </summary>
    private void OpenAccessTo(string assembly)
    {
        if (!_opened.Add(assembly))
            return;
        ConstructorInfo attribute = typeof(System.Runtime.CompilerServices.IgnoresAccessChecksToAttribute).GetConstructor([typeof(string)])!;
        int constructor = Root.Rows(Table.MemberRef).Add(ParentOf(attribute.DeclaringType!), Root.AddText(attribute.Name), Root.AddBlob([HasThis, 1, Void, String]));
        byte[] value = [1, 0, .. BlobBytes.WithLength(Encoding.UTF8.GetBytes(assembly)), 0, 0]; // 23.3
        Root.Rows(Table.CustomAttribute).Insert(
            TableColumns.HasCustomAttribute.CodeOf(Table.Assembly, 1), TableColumns.CustomAttributeType.CodeOf(Table.MemberRef, constructor), Root.AddBlob(value));
    }

    private int TokenOf(FieldInfo field)
    {
        if (image.IsCopyOf(field.Module) && !field.DeclaringType!.IsConstructedGenericType)
            return field.MetadataToken;
        return MemberReference(field, field.DeclaringType!, CopyFrom(field.Module).OfField(field.Module.ResolveSignature(field.MetadataToken)));
    }

    private int TokenOf(MethodBase method)
    {
        if (method is MethodInfo { IsConstructedGenericMethod: true } generic)
            return SpecificationOf(generic);
        if (image.IsCopyOf(method.Module) && !method.DeclaringType!.IsConstructedGenericType)
            return method.MetadataToken;
        return MemberReference(method, method.DeclaringType!, CopyFrom(method.Module).OfMethod(method.Module.ResolveSignature(method.MetadataToken)));
    }

    private int SpecificationOf(MethodInfo generic)
    {
        MethodBase definition = generic.DeclaringType!.IsConstructedGenericType
            ? generic.GetGenericMethodDefinition()
            : (MethodBase)generic.Module.ResolveMethod(generic.MetadataToken)!;
        int token = TokenOf(definition);
        var signature = new List<byte> { GenericInst };
        BlobBytes.AddCompressed(signature, generic.GetGenericArguments().Length);
        var types = new TypeSignatures(signature, CodeOf);
        foreach (Type argument in generic.GetGenericArguments())
            types.Add(argument);
        return Table.TokenOf(Table.MethodSpec, Root.Rows(Table.MethodSpec).Add(TableColumns.MethodDefOrRef.CodeOf(token >> 24, token & 0xFFFFFF), Root.AddBlob([.. signature])));
    }

    private int MemberReference(MemberInfo member, Type parent, byte[] signature)
    {
        int row = Root.Rows(Table.MemberRef).Add(ParentOf(parent), Root.AddText(member.Name), Root.AddBlob(signature));
        return Table.TokenOf(Table.MemberRef, row);
    }

    private uint ParentOf(Type type)
    {
        int token = TokenOf((MemberInfo)type);
        return TableColumns.MemberRefParent.CodeOf(token >> 24, token & 0xFFFFFF);
    }

    /// <summary>A copy of a signature of another module, or of this one.</summary>
    private SignatureCopy CopyFrom(Module module) => new(token => CodeOf(module.ResolveType(token)));

    private uint CodeOf(Type type)
    {
        int token = TokenOf((MemberInfo)type);
        return TableColumns.TypeDefOrRef.CodeOf(token >> 24, token & 0xFFFFFF);
    }

    private int TokenOf(Type type)
    {
        if (type.HasElementType || type.IsFunctionPointer || type.IsConstructedGenericType || type.IsGenericParameter)
        {
            var signature = new List<byte>();
            new TypeSignatures(signature, CodeOf).Add(type);
            return Table.TokenOf(Table.TypeSpec, Root.Rows(Table.TypeSpec).Add(Root.AddBlob([.. signature])));
        }

        return image.IsCopyOf(type.Module) ? type.MetadataToken : Table.TokenOf(Table.TypeRef, Existing(type) ?? Added(type));
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
            ? TableColumns.ResolutionScope.CodeOf(Table.TypeRef, TokenOf((MemberInfo)outer) & 0xFFFFFF)
            : TableColumns.ResolutionScope.CodeOf(Table.AssemblyRef, RowOf(type.Assembly.GetName()));
        uint @namespace = type.DeclaringType is null && type.Namespace is { } text ? Root.AddText(text) : 0;
        return Root.Rows(Table.TypeRef).Add(scope, Root.AddText(type.Name), @namespace);
    }

    private int RowOf(AssemblyName assembly)
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
        uint key = assembly.GetPublicKeyToken() is { Length: > 0 } bytes ? Root.AddBlob(bytes) : 0;
        return _assemblies[assembly.Name!] = Root.Rows(Table.AssemblyRef).Add(
            (ushort)version.Major, (ushort)version.Minor, (ushort)Math.Max(version.Build, 0), (ushort)Math.Max(version.Revision, 0), 0, key, Root.AddText(assembly.Name!), culture, 0);
    }
}
