using System.Reflection;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>A field by names, as both reflection and an image's metadata can tell it.</summary>
/// <param name="Assembly">Simple name of the assembly that declares it.</param>
/// <param name="Type">Full name of the type that declares it.</param>
/// <param name="Name">The field's name.</param>
internal readonly record struct FieldKey(string Assembly, string Type, string Name)
{
    /// <summary>The key of a field known by reflection.</summary>
    public static FieldKey Of(FieldInfo field) =>
        new(field.Module.Assembly.GetName().Name!, field.DeclaringType!.FullName!, field.Name);
}

/// <summary>A place on the way to slots: a static field, a field of a struct in it, or the slot itself.</summary>
/// <param name="text">Its name in a program: <c>Pv.Irq</c>.</param>
internal sealed class SlotNode(string text)
{
    /// <summary>Its name in a program.</summary>
    public string Text { get; } = text;

    /// <summary>The op, if this is its slot.</summary>
    public PvOp? Op => Ops is [var only] && Children.Count == 0 ? only : null;

    /// <summary>The ops of all slots here and below.</summary>
    public List<PvOp> Ops { get; } = [];

    /// <summary>The fields of the struct here that lead to slots.</summary>
    public Dictionary<FieldKey, SlotNode> Children { get; } = [];
}

/// <summary>Every place of the op tables, by the static field they start with and by each field inside.</summary>
internal sealed class SlotTree
{
    /// <summary>Enters the paths of all ops.</summary>
    public SlotTree(IEnumerable<PvOp> ops)
    {
        foreach (PvOp op in ops)
            Add(op);
    }

    /// <summary>The static fields.</summary>
    public Dictionary<FieldKey, SlotNode> Roots { get; } = [];

    /// <summary>The fields of structs. Each names one place: if two static fields had the struct's type, its ops would have one name twice.</summary>
    public Dictionary<FieldKey, SlotNode> Members { get; } = [];

    private void Add(PvOp op)
    {
        Dictionary<FieldKey, SlotNode> level = Roots;
        string text = op.Path[0].DeclaringType!.Name;
        foreach (FieldInfo field in op.Path)
        {
            FieldKey key = FieldKey.Of(field);
            text = $"{text}.{field.Name}";
            if (!level.TryGetValue(key, out SlotNode? node))
            {
                level[key] = node = new SlotNode(text);
                if (!field.IsStatic)
                    Members[key] = node;
            }

            node.Ops.Add(op);
            level = node.Children;
        }
    }
}
