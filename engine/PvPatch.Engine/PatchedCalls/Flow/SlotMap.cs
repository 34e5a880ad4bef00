using System.Buffers.Binary;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using PvPatch.Engine.Il;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>What one module's field tokens have to do with op tables.</summary>
internal sealed class SlotMap
{
    private readonly Dictionary<int, FieldKey> _fields = [];
    private readonly Dictionary<PvOp, string> _signatures = new(ReferenceEqualityComparer.Instance);
    private readonly SlotTree _tree;

    /// <summary>Looks up the tables' fields among the fields a module declares or refers to.</summary>
    public SlotMap(ModuleImage image, SlotTree tree)
    {
        _tree = tree;
        MetadataReader metadata = image.Metadata;
        var declaring = tree.Roots.Keys.Concat(tree.Members.Keys).Select(k => k.Name).ToHashSet(StringComparer.Ordinal);

        foreach (FieldDefinitionHandle handle in metadata.FieldDefinitions)
        {
            FieldDefinition field = metadata.GetFieldDefinition(handle);
            string name = metadata.GetString(field.Name);
            if (declaring.Contains(name))
                Add(image, handle, new FieldKey(image.AssemblyName, image.Names.Of(field.GetDeclaringType()), name));
        }

        foreach (MemberReferenceHandle handle in metadata.MemberReferences)
        {
            MemberReference member = metadata.GetMemberReference(handle);
            string name = metadata.GetString(member.Name);
            if (declaring.Contains(name) && member.GetKind() == MemberReferenceKind.Field
                && member.Parent is { Kind: HandleKind.TypeReference, IsNil: false } parent)
            {
                var type = (TypeReferenceHandle)parent;
                Add(image, handle, new FieldKey(image.Names.AssemblyOf(type) ?? image.AssemblyName, image.Names.Of(type), name));
            }
        }
    }

    /// <summary>Whether the module can reach a slot at all.</summary>
    public bool IsEmpty => _fields.Count == 0;

    /// <summary>The place that a static field's token names, if any.</summary>
    public SlotNode? RootOf(int token) => _fields.TryGetValue(token, out FieldKey key) ? _tree.Roots.GetValueOrDefault(key) : null;

    /// <summary>The place that a field's token names inside another place, if any.</summary>
    public SlotNode? MemberOf(SlotNode table, int token) => _fields.TryGetValue(token, out FieldKey key) ? table.Children.GetValueOrDefault(key) : null;

    /// <summary>The place that a struct field's token names if the struct is one of the tables, and not a copy, if any.</summary>
    public SlotNode? MemberNamed(int token) => _fields.TryGetValue(token, out FieldKey key) ? _tree.Members.GetValueOrDefault(key) : null;

    /// <summary>The signature of an op's slot as this module writes it.</summary>
    public string? SignatureOf(PvOp op) => _signatures.GetValueOrDefault(op);

    /// <summary>The ops that IL can reach: whose table's or slot's token stands anywhere in its bytes.</summary>
    public IReadOnlyCollection<PvOp> MentionedIn(ReadOnlySpan<byte> il)
    {
        var ops = new List<PvOp>();
        HashSet<PvOp>? seen = null;
        for (int i = 0; i + 4 <= il.Length; i++)
        {
            int token = BinaryPrimitives.ReadInt32LittleEndian(il[i..]);
            if (!_fields.ContainsKey(token) || (RootOf(token) ?? MemberNamed(token)) is not { } node)
                continue;
            seen ??= new HashSet<PvOp>(ReferenceEqualityComparer.Instance);
            foreach (PvOp op in node.Ops)
            {
                if (seen.Add(op))
                    ops.Add(op);
            }
        }

        return ops;
    }

    private void Add(ModuleImage image, EntityHandle handle, FieldKey key)
    {
        if ((_tree.Roots.GetValueOrDefault(key) ?? _tree.Members.GetValueOrDefault(key)) is not { } node)
            return;
        _fields[MetadataTokens.GetToken(handle)] = key;
        if (node.Op is { } op)
            _signatures[op] = image.Signatures.OfField(handle);
    }
}
