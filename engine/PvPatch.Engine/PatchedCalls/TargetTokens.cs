using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using PvPatch.Engine.Il;
using PvPatch.Engine.PatchedCalls.References;

namespace PvPatch.Engine.PatchedCalls;

/// <summary>
/// Finds the token by which a module can call a target. A same-size patch cannot add one: the target is a method of this
/// very module, or one that the module refers to already.
/// </summary>
/// <param name="image">The module.</param>
/// <param name="visibility">Which members its methods may name.</param>
/// <param name="loaded">The module as the runtime has it: its tokens must lead to the very target, not to another copy. <see langword="null"/> for a file.</param>
internal sealed class TargetTokens(ModuleImage image, Visibility visibility, Module? loaded)
{
    private readonly Dictionary<MethodInfo, KnownTarget> _known = [];
    private readonly Lazy<ILookup<string, MemberReferenceHandle>> _references = new(() => image.Metadata.MemberReferences
        .Where(handle => image.Metadata.GetMemberReference(handle) is { Parent: { Kind: HandleKind.TypeReference, IsNil: false } } member && member.GetKind() == MemberReferenceKind.Method)
        .ToLookup(handle => image.Metadata.GetString(image.Metadata.GetMemberReference(handle).Name), StringComparer.Ordinal));
    private readonly Dictionary<Module, bool> _sameMetadata = [];

    /// <summary>The target's token for a call in a method of this module.</summary>
    /// <param name="target">The installed method; it may belong to another copy of the same build.</param>
    /// <param name="caller">The method that the call stands in.</param>
    /// <param name="refusal">Why there is none, if there is none.</param>
    public int? Find(MethodInfo target, MethodDefinitionHandle caller, out string? refusal)
    {
        if (!_known.TryGetValue(target, out KnownTarget? known))
            _known[target] = known = Known(target);
        refusal = known.Refusal ?? (known.IsOwn && !visibility.IsVisible(target, caller) ? $"{NameOf(target)} is private, the call cannot name it" : null);
        return refusal is null ? known.Token : null;
    }

    private KnownTarget Known(MethodInfo target)
    {
        bool isOwn = visibility.IsOwn(target);
        int? token = isOwn ? OwnToken(target) : FindReference(target);
        bool isOfOtherBuild = token is null && IsFromOtherBuild(target);
        string? refusal = token is null ? isOfOtherBuild
                ? $"no token for {NameOf(target)} in this module: the installed one is of another build"
                : $"no token for {NameOf(target)} in this module"
            : !LeadsTo(token.Value, target) ? $"the token for {NameOf(target)} in this module leads to another copy of it"
            : null;
        return new KnownTarget(token ?? 0, isOwn, isOfOtherBuild, refusal);
    }

    private static string NameOf(MethodInfo target) => $"{target.DeclaringType!.Name}.{target.Name}";

    /// <summary>Whether a target belongs to a build of this assembly that is not this image's, or no longer is where it was.</summary>
    /// <param name="target">A target that <see cref="Find"/> was asked for.</param>
    public bool IsOfOtherBuild(MethodInfo target) => _known[target].IsOfOtherBuild;

    private bool IsFromOtherBuild(MethodInfo target) =>
        string.Equals(target.Module.Assembly.GetName().Name, image.AssemblyName, StringComparison.Ordinal) && !(visibility.IsOwn(target) && OwnToken(target) is not null);

    /// <summary>Whether every token of a loaded module means the same in this one: their metadata is equal to the byte.</summary>
    public unsafe bool HasTokensOf(Module other)
    {
        if (!_sameMetadata.TryGetValue(other, out bool isSame))
        {
            // SAFETY: the runtime's copy of the metadata stays where it is as long as the assembly, which the module keeps.
            isSame = other.Assembly.TryGetRawMetadata(out byte* blob, out int length)
                && new ReadOnlySpan<byte>(blob, length).SequenceEqual(new ReadOnlySpan<byte>(image.Metadata.MetadataPointer, image.Metadata.MetadataLength));
            GC.KeepAlive(other);
            _sameMetadata[other] = isSame;
        }

        return isSame;
    }

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

    /// <summary>What holds for a target whoever calls it.</summary>
    private sealed record KnownTarget(int Token, bool IsOwn, bool IsOfOtherBuild, string? Refusal);
}
