using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using PvPatch.Engine.Il;
using PvPatch.Engine.PatchedCalls.References;

namespace PvPatch.Engine.PatchedCalls;

/// <summary>
/// Finds the token by which a module can call a target: the target is a method of this very module, or one that the module
/// refers to already, or one that a file's module can be made to refer to.
/// </summary>
/// <param name="image">The module.</param>
/// <param name="loaded">The module as the runtime has it: its tokens must lead to the very target, not to another copy. <see langword="null"/> for a file.</param>
/// <param name="added">What a file's module can get; <see langword="null"/> where nothing can be added.</param>
internal sealed class TargetTokens(ModuleImage image, Module? loaded, AddedReferences? added)
{
    private readonly Dictionary<MethodInfo, int?> _known = [];
    private readonly Lazy<ILookup<string, MemberReferenceHandle>> _references = new(() => image.Metadata.MemberReferences
        .Where(handle => image.Metadata.GetMemberReference(handle) is { Parent: { Kind: HandleKind.TypeReference, IsNil: false } } member && member.GetKind() == MemberReferenceKind.Method)
        .ToLookup(handle => image.Metadata.GetString(image.Metadata.GetMemberReference(handle).Name), StringComparer.Ordinal));

    /// <summary>The target's token for a call in a method of this module.</summary>
    /// <param name="target">The installed method; it may belong to another copy of the same build.</param>
    /// <param name="caller">The method that the call stands in.</param>
    /// <param name="refusal">Why there is none, if there is none.</param>
    public int? Find(MethodInfo target, MethodDefinitionHandle caller, out string? refusal)
    {
        if (!_known.TryGetValue(target, out int? token))
            _known[target] = token = IsOfThisImage(target) ? OwnToken(target) : FindReference(target);

        string name = $"{target.DeclaringType!.Name}.{target.Name}";
        if (token is null)
        {
            refusal = null;
            bool otherBuild = string.Equals(target.Module.Assembly.GetName().Name, image.AssemblyName, StringComparison.Ordinal);
            if (!otherBuild && added?.MethodToken(target, out refusal) is { } made)
                return made;
            refusal = otherBuild ? $"no token for {name} in this module: the installed one is of another build"
                : refusal is null ? $"no token for {name} in this module"
                : $"no token for {name} in this module: {refusal}";
            return null;
        }

        if (!LeadsTo(token.Value, target))
        {
            refusal = $"the token for {name} in this module leads to another copy of it";
            return null;
        }

        refusal = null;
        if (IsOfThisImage(target) && !IsVisible(target, caller))
            refusal = added is null ? $"{name} is private, the call cannot name it" : added.OpenAccess(token.Value);
        return refusal is null ? token : null;
    }

    private bool IsOfThisImage(MethodInfo target) => image.IsCopyOf(target.Module);

    /// <summary>The target's own token, if it still means the target: tools that rewrite an image may keep its version id.</summary>
    private int? OwnToken(MethodInfo target)
    {
        var handle = (MethodDefinitionHandle)MetadataTokens.Handle(target.MetadataToken);
        bool isSame = MetadataTokens.GetRowNumber(handle) <= image.Metadata.MethodDefinitions.Count
            && string.Equals(image.Names.Of(handle), $"{target.DeclaringType!.FullName}.{target.Name}", StringComparison.Ordinal)
            && string.Equals(image.Signatures.OfMethod(handle), SignatureTexts.Of(target), StringComparison.Ordinal);
        return isSame ? target.MetadataToken : null;
    }

    private int? FindReference(MethodInfo target)
    {
        foreach (MemberReferenceHandle handle in _references.Value[target.Name])
        {
            var parent = (TypeReferenceHandle)image.Metadata.GetMemberReference(handle).Parent;
            if (string.Equals(image.Names.Of(parent), target.DeclaringType!.FullName, StringComparison.Ordinal)
                && string.Equals(image.Signatures.OfMethod(handle), SignatureTexts.Of(target), StringComparison.Ordinal)
                && BoundTypes.LeadsTo(image.Names.AssemblyOf(parent), target.DeclaringType))
            {
                return MetadataTokens.GetToken(handle);
            }
        }

        return null;
    }

    /// <summary>Whether the loaded module's token leads to the very target.</summary>
    private bool LeadsTo(int token, MethodInfo target)
    {
        try
        {
            return loaded is null || loaded.ResolveMethod(token)?.MethodHandle == target.MethodHandle;
        }
        catch (Exception e) when (e is IOException or TypeLoadException or MissingMemberException or BadImageFormatException or ArgumentException)
        {
            return false; // what the token names cannot be loaded
        }
    }

    /// <summary>Whether a method of the same module may name the target: neither it nor a class around it is private to others.</summary>
    private bool IsVisible(MethodInfo target, MethodDefinitionHandle caller)
    {
        var around = new HashSet<int>();
        for (TypeDefinitionHandle type = image.Metadata.GetMethodDefinition(caller).GetDeclaringType();
            !type.IsNil && around.Add(MetadataTokens.GetToken(type));
            type = image.Metadata.GetTypeDefinition(type).GetDeclaringType())
        {
        }

        if ((target.IsPrivate || target.IsFamily || target.IsFamilyAndAssembly) && !around.Contains(target.DeclaringType!.MetadataToken))
            return false;
        for (Type type = target.DeclaringType!; type.DeclaringType is { } outer; type = outer)
        {
            if ((type.IsNestedPrivate || type.IsNestedFamily || type.IsNestedFamANDAssem) && !around.Contains(outer.MetadataToken))
                return false;
        }

        return true;
    }
}
