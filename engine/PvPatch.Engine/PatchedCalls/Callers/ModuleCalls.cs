using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Runtime.CompilerServices;
using PvPatch.Engine.Il;
using PvPatch.Engine.PatchedCalls.Loaded;

namespace PvPatch.Engine.PatchedCalls.Callers;

/// <summary>A method that names another one in its IL.</summary>
/// <param name="Caller">Its token.</param>
/// <param name="Calls">How often it calls it.</param>
/// <param name="TakesAddress">Whether it also takes its address, as for a delegate.</param>
internal sealed record Mention(int Caller, int Calls, bool TakesAddress);

/// <summary>
/// Which methods of one module name which methods in their IL. The IL is searched for opcodes and tokens byte by byte, not
/// decoded: that finds all there are, and by rare chance one that is none, which makes the answers more careful.
/// </summary>
internal sealed class ModuleCalls
{
    /// <summary>Patches put calls of targets into the IL, which code that was compiled before has not seen: one search is enough.</summary>
    private static readonly ConditionalWeakTable<Module, ModuleCalls> Known = [];

    private readonly Dictionary<int, List<Mention>> _mentions = [];
    private readonly Dictionary<string, List<int>> _tokens = new(StringComparer.Ordinal);

    private ModuleCalls(Module module)
    {
        using var image = LoadedImage.Of(module.Assembly);
        MetadataReader metadata = image.Module.Metadata;
        foreach (MethodDefinitionHandle handle in image.Module.MethodsWithIl)
        {
            try
            {
                Search(image.Module.IlOf(handle), MetadataTokens.GetToken(handle), metadata);
            }
            catch (Exception e) when (Damage.IsShownBy(e))
            {
                continue; // IL that cannot be read cannot be compiled
            }
        }

        foreach (MemberReferenceHandle handle in metadata.MemberReferences)
            EnterName(image.Module, handle);
    }

    /// <summary>The calls of a module.</summary>
    public static ModuleCalls Of(Module module) => Known.GetValue(module, m => new ModuleCalls(m));

    /// <summary>The methods that name a method.</summary>
    /// <param name="token">Its token in this module, if it belongs here; else 0.</param>
    /// <param name="name">Its full name, by which the module refers to it: overloads are not told apart.</param>
    public IEnumerable<Mention> MentionsOf(int token, string name)
    {
        IEnumerable<int> tokens = _tokens.GetValueOrDefault(name) ?? [];
        return tokens.Append(token).SelectMany(t => _mentions.GetValueOrDefault(t) ?? []);
    }

    private void Search(BlobReader il, int caller, MetadataReader metadata)
    {
        const byte Call = 0x28, Callvirt = 0x6F, Newobj = 0x73, Jmp = 0x27, Ldtoken = 0xD0, LongForm = 0xFE, Ldftn = 0x06, Ldvirtftn = 0x07;
        ReadOnlySpan<byte> bytes = SpanOf(il);
        for (int at = 0; at + 5 <= bytes.Length; at++)
        {
            byte code = bytes[at], table = bytes[at + 4];
            bool isCall = code is Call or Callvirt or Newobj or Jmp;
            bool isAddress = code is Ldtoken || (code is Ldftn or Ldvirtftn && at > 0 && bytes[at - 1] == LongForm);
            if ((isCall || isAddress) && table is 0x06 or 0x0A or 0x2B)
                Enter(MethodIn(BitConverter.ToInt32(bytes[(at + 1)..]), metadata), caller, isCall);
        }
    }

    private void Enter(int token, int caller, bool isCall)
    {
        if (!_mentions.TryGetValue(token, out List<Mention>? callers))
            _mentions[token] = callers = [];
        Mention known = callers.Count > 0 && callers[^1].Caller == caller ? callers[^1] : new Mention(caller, 0, false);
        if (known is not { Calls: 0, TakesAddress: false })
            callers.RemoveAt(callers.Count - 1);
        callers.Add(isCall ? known with { Calls = known.Calls + 1 } : known with { TakesAddress = true });
    }

    /// <summary>The token of the method that an instantiation is one of; other tokens as they are.</summary>
    private static int MethodIn(int token, MetadataReader metadata)
    {
        EntityHandle handle = MetadataTokens.EntityHandle(token);
        return handle.Kind == HandleKind.MethodSpecification && MetadataTokens.GetRowNumber(handle) <= metadata.GetTableRowCount(TableIndex.MethodSpec)
            ? MetadataTokens.GetToken(metadata.GetMethodSpecification((MethodSpecificationHandle)handle).Method)
            : token;
    }

    private void EnterName(ModuleImage image, MemberReferenceHandle handle)
    {
        MemberReference member = image.Metadata.GetMemberReference(handle);
        if (member.GetKind() != MemberReferenceKind.Method || OwnerOf(member.Parent, image) is not { } owner)
            return;
        string name = $"{owner}.{image.Metadata.GetString(member.Name)}";
        if (!_tokens.TryGetValue(name, out List<int>? tokens))
            _tokens[name] = tokens = [];
        tokens.Add(MetadataTokens.GetToken(handle));
    }

    /// <summary>Full name of the class that declares a method, also of one whose instantiation is named.</summary>
    private static string? OwnerOf(EntityHandle parent, ModuleImage image)
    {
        const byte GenericInstance = 0x15; // ECMA-335, partition II, 23.1.16
        switch (parent)
        {
            case { Kind: HandleKind.TypeReference, IsNil: false }:
                return image.Names.Of((TypeReferenceHandle)parent);
            case { Kind: HandleKind.TypeDefinition, IsNil: false }:
                return image.Names.Of((TypeDefinitionHandle)parent);
            case { Kind: HandleKind.TypeSpecification, IsNil: false }:
                BlobReader blob = image.Metadata.GetBlobReader(image.Metadata.GetTypeSpecification((TypeSpecificationHandle)parent).Signature);
                if (blob.ReadByte() != GenericInstance)
                    return null;
                blob.ReadByte(); // class or struct
                return OwnerOf(blob.ReadTypeHandle(), image);
            default:
                return null;
        }
    }

    private static unsafe ReadOnlySpan<byte> SpanOf(BlobReader reader)
    {
        // SAFETY: the reader stands on the image, which lives as long as it is open, and tells its own length.
        return new ReadOnlySpan<byte>(reader.StartPointer, reader.Length);
    }
}
