using System.Reflection;
using PvPatch.Engine.Il;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>A member by names, as both reflection and an image's metadata can tell it.</summary>
/// <param name="Assembly">Simple name of the assembly that declares it.</param>
/// <param name="Type">Full name of the type that declares it.</param>
/// <param name="Name">The member's name.</param>
internal sealed record MemberKey(string Assembly, string Type, string Name)
{
    /// <summary>The key of a member known by reflection.</summary>
    public static MemberKey Of(MemberInfo member) =>
        new(member.Module.Assembly.GetName().Name!, member.DeclaringType!.FullName!, member.Name);
}

/// <summary>A place on the way to slots: a static field, a field of a struct or an object it leads to, an array's element, or the slot itself.</summary>
/// <param name="text">Its name in a program: <c>Pv.Irq</c>.</param>
/// <param name="isReference">Whether it holds an object or an array, which is the same for ever.</param>
internal sealed class SlotNode(string text, bool isReference)
{
    /// <summary>Its name in a program.</summary>
    public string Text { get; } = text;

    /// <summary>Whether it holds an object or an array, which is the same for ever.</summary>
    public bool IsReference { get; } = isReference;

    /// <summary>The op, if this is its slot.</summary>
    public PvOp? Op => Ops is [var only] && Children.Count == 0 && Elements.Count == 0 ? only : null;

    /// <summary>The ops of all slots here and below.</summary>
    public List<PvOp> Ops { get; } = [];

    /// <summary>The fields of the struct or object here that lead to slots.</summary>
    public Dictionary<MemberKey, SlotNode> Children { get; } = [];

    /// <summary>The elements of the array here that are slots of ops, by index.</summary>
    public Dictionary<int, SlotNode> Elements { get; } = [];
}

/// <summary>Every place of the op tables, by the static field they start with and by each field inside.</summary>
internal sealed class SlotTree
{
    /// <summary>Enters the paths of all ops.</summary>
    public SlotTree(IEnumerable<PvOp> ops)
    {
        foreach (PvOp op in ops)
            Add(op);
        TargetSignatures = ops.Select(TargetSignature).ToHashSet(StringComparer.Ordinal);
        Getters = PlaceGetters.Of(ops.SelectMany(o => o.Path).Distinct());
    }

    /// <summary>The static fields.</summary>
    public Dictionary<MemberKey, SlotNode> Roots { get; } = [];

    /// <summary>The fields of structs and objects. Each names one place: if two fields led to such, its ops would have one name twice.</summary>
    public Dictionary<MemberKey, SlotNode> Members { get; } = [];

    /// <summary>The methods that do nothing but read one of these fields, as an automatic property's does.</summary>
    public IReadOnlyDictionary<MemberKey, PlaceRead> Getters { get; }

    /// <summary>What a target of each op is, as <see cref="SignatureTexts"/> writes it without modifiers.</summary>
    public IReadOnlySet<string> TargetSignatures { get; }

    private static string TargetSignature(PvOp op)
    {
        string slot = SignatureTexts.Of(op.PointerType);
        return $"Default{slot[slot.IndexOf(' ', StringComparison.Ordinal)..]}";
    }

    private void Add(PvOp op)
    {
        Dictionary<MemberKey, SlotNode> level = Roots;
        string text = op.Path[0].DeclaringType!.Name;
        SlotNode? node = null;
        foreach (FieldInfo field in op.Path)
        {
            MemberKey key = MemberKey.Of(field);
            text = $"{text}.{field.Name}";
            if (!level.TryGetValue(key, out node))
            {
                level[key] = node = new SlotNode(text, !field.FieldType.IsValueType && !field.FieldType.IsFunctionPointer);
                if (!field.IsStatic)
                    Members[key] = node;
            }

            node.Ops.Add(op);
            level = node.Children;
        }

        if (op.Index is { } index)
        {
            node!.Elements[index] = new SlotNode($"{text}[{index}]", isReference: false);
            node.Elements[index].Ops.Add(op);
        }
    }
}
