using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using PvPatch.Engine.Il;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>What one module's tokens of fields and getters have to do with op tables.</summary>
internal sealed class SlotMap
{
    private const byte FieldTable = 0x04, MethodTable = 0x06, ReferenceTable = 0x0A; // ECMA-335, partition II, 22

    private readonly Dictionary<int, SlotNode> _fields = [];
    private readonly Dictionary<int, PlaceRead> _getters = [];
    private readonly Dictionary<PvOp, string> _signatures = new(ReferenceEqualityComparer.Instance);
    private readonly SlotTree _tree;

    /// <summary>Looks up the tables' fields among the fields a module declares or refers to, and their getters among its methods.</summary>
    public SlotMap(ModuleImage image, SlotTree tree)
    {
        _tree = tree;
        MetadataReader metadata = image.Metadata;
        var names = tree.Roots.Keys.Concat(tree.Members.Keys).Concat(tree.Getters.Keys).Select(k => k.Name).ToHashSet(StringComparer.Ordinal);

        foreach (FieldDefinitionHandle handle in metadata.FieldDefinitions)
        {
            FieldDefinition field = metadata.GetFieldDefinition(handle);
            string name = metadata.GetString(field.Name);
            if (names.Contains(name))
                AddField(image, handle, new MemberKey(image.AssemblyName, image.Names.Of(field.GetDeclaringType()), name));
        }

        foreach (MemberReferenceHandle handle in metadata.MemberReferences)
        {
            MemberReference member = metadata.GetMemberReference(handle);
            string name = metadata.GetString(member.Name);
            if (!names.Contains(name) || member.Parent is not { Kind: HandleKind.TypeReference, IsNil: false } parent)
                continue;
            var type = (TypeReferenceHandle)parent;
            var key = new MemberKey(image.Names.AssemblyOf(type) ?? image.AssemblyName, image.Names.Of(type), name);
            if (member.GetKind() == MemberReferenceKind.Field)
                AddField(image, handle, key);
            else if (tree.Getters.TryGetValue(key, out PlaceRead? read) && TakesNothing(image.Shapes.Of(member.Signature)))
                _getters[MetadataTokens.GetToken(handle)] = read;
        }

        if (_fields.Count > 0)
            AddOwnGetters(image);
    }

    /// <summary>Whether the module can reach a slot at all.</summary>
    public bool IsEmpty => _fields.Count == 0 && _getters.Count == 0;

    /// <summary>How an instruction reads a field of the tables, itself or by calling a getter; <see langword="null"/> for all others.</summary>
    public PlaceRead? ReadBy(in Instruction instruction)
    {
        if (instruction.Code.OperandType == OperandType.InlineField)
        {
            if (!_fields.TryGetValue(instruction.Token, out SlotNode? place))
                return null;
            bool isAddress = instruction.Is(OpCodes.Ldsflda) || instruction.Is(OpCodes.Ldflda);
            if (instruction.Is(OpCodes.Ldsfld) || instruction.Is(OpCodes.Ldsflda))
                return place.ReadBy(isStatic: true, isAddress);
            return isAddress || instruction.Is(OpCodes.Ldfld) ? place.ReadBy(isStatic: false, isAddress) : null;
        }

        bool calls = instruction.Is(OpCodes.Call) || instruction.Is(OpCodes.Callvirt);
        return calls && _getters.TryGetValue(instruction.Token, out PlaceRead? read) ? read : null;
    }

    /// <summary>Whether a method of this signature can be the target of an op: then sites call it with anything.</summary>
    /// <param name="signature">Without modifiers, as <see cref="SignatureTexts"/> writes it.</param>
    public bool CanBeTarget(string signature) => _tree.TargetSignatures.Contains(signature);

    /// <summary>The place that a field's token names, if any.</summary>
    public SlotNode? PlaceOf(int token) => _fields.GetValueOrDefault(token);

    /// <summary>The signature of an op's slot as this module writes it.</summary>
    public string? SignatureOf(PvOp op) => _signatures.GetValueOrDefault(op);

    /// <summary>Whether IL can reach a slot: a table's, slot's or getter's token stands anywhere in its bytes.</summary>
    public bool IsMentionedIn(ReadOnlySpan<byte> il)
    {
        for (int at = 0; at + sizeof(int) <= il.Length; at++)
        {
            if (PlaceAt(il, at) is not null)
                return true;
        }

        return false;
    }

    /// <summary>The ops that IL can reach.</summary>
    public IReadOnlyList<PvOp> MentionedIn(ReadOnlySpan<byte> il)
    {
        var ops = new List<PvOp>();
        for (int at = 0; at + sizeof(int) <= il.Length; at++)
        {
            foreach (PvOp op in PlaceAt(il, at)?.Ops ?? [])
            {
                if (!ops.Contains(op))
                    ops.Add(op);
            }
        }

        return ops;
    }

    /// <summary>The place that the token at an offset leads to, if there is one.</summary>
    private SlotNode? PlaceAt(ReadOnlySpan<byte> il, int at)
    {
        if (il[at + 3] is not (FieldTable or MethodTable or ReferenceTable))
            return null;
        int token = BinaryPrimitives.ReadInt32LittleEndian(il[at..]);
        return _fields.TryGetValue(token, out SlotNode? field) ? field : _getters.TryGetValue(token, out PlaceRead? getter) ? getter.Place : null;
    }

    private void AddField(ModuleImage image, EntityHandle handle, MemberKey key)
    {
        if (_tree.PlaceOf(key) is not { } node)
            return;
        _fields[MetadataTokens.GetToken(handle)] = node;
        string type = image.ScopedSignatures.OfField(handle);
        if (node.Op is { } op)
            _signatures[op] = type;
        foreach (PvOp element in node.Elements.Values.SelectMany(e => e.Ops))
            _signatures[element] = type[..^"[]".Length];
    }

    /// <summary>The image's own getters, wherever they stand. The loaded copy may be of another build, so they are looked for here.</summary>
    private void AddOwnGetters(ModuleImage image)
    {
        foreach (PlacedIl place in image.Methods)
        {
            ReadOnlySpan<byte> il = image.IlAt(place);
            if (il.Length > PlaceGetters.LongestGetter)
                continue;
            MethodDefinition method = image.Metadata.GetMethodDefinition(place.Method);
            if (!method.Attributes.HasFlag(MethodAttributes.Virtual)
                && TakesNothing(image.Shapes.Of(method.Signature))
                && PlaceGetters.ReadOf(il) is { } read && _fields.TryGetValue(read.Token, out SlotNode? field))
            {
                bool isStatic = method.Attributes.HasFlag(MethodAttributes.Static);
                if (isStatic == (field.Outer is null) && !(isStatic && RunsInitialiser(image, method.GetDeclaringType())))
                    _getters[MetadataTokens.GetToken(place.Method)] = field.ReadBy(isStatic, read.IsAddress);
            }
        }
    }

    /// <summary>Whether a call of a static method runs its class's initialiser, which a site without that call would not. A table's own class has run it.</summary>
    private bool RunsInitialiser(ModuleImage image, TypeDefinitionHandle handle)
    {
        TypeDefinition type = image.Metadata.GetTypeDefinition(handle);
        string name = image.Names.Of(handle);
        return !type.Attributes.HasFlag(TypeAttributes.BeforeFieldInit)
            && type.GetMethods().Any(m => image.Metadata.StringComparer.Equals(image.Metadata.GetMethodDefinition(m).Name, ".cctor"))
            && !_tree.Roots.Keys.Any(k => string.Equals(k.Type, name, StringComparison.Ordinal) && string.Equals(k.Assembly, image.AssemblyName, StringComparison.Ordinal));
    }

    private static bool TakesNothing(CallShape shape) => shape.Arguments == (shape.HasImplicitThis ? 1 : 0) && shape.ReturnsValue;
}
