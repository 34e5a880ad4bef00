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
/// <param name="outer">The place that it is in; <see langword="null"/> for a static field.</param>
/// <param name="isReference">Whether it holds an object or an array, which is the same for ever.</param>
internal sealed class SlotNode(SlotNode? outer, bool isReference)
{
    private readonly PlaceRead?[] _reads = new PlaceRead?[4];

    /// <summary>The place that it is in; <see langword="null"/> for a static field.</summary>
    public SlotNode? Outer { get; } = outer;

    /// <summary>Whether it holds an object or an array, which is the same for ever.</summary>
    public bool IsReference { get; } = isReference;

    /// <summary>The op, if this is its slot.</summary>
    public PvOp? Op => Ops is [var only] && !HasFields && Elements.Count == 0 ? only : null;

    /// <summary>The ops of all slots here and below.</summary>
    public List<PvOp> Ops { get; } = [];

    /// <summary>Whether fields of the struct or object here lead to slots.</summary>
    public bool HasFields { get; private set; }

    /// <summary>The elements of the array here that are slots of ops, by index.</summary>
    public Dictionary<int, SlotNode> Elements { get; } = [];

    /// <summary>Adds a field of the struct or object here.</summary>
    public SlotNode AddField(bool isReference)
    {
        HasFields = true;
        return new SlotNode(this, isReference);
    }

    /// <summary>A way to read the field that this place is.</summary>
    public PlaceRead ReadBy(bool isStatic, bool isAddress) =>
        _reads[(isStatic ? 2 : 0) + (isAddress ? 1 : 0)] ??= new PlaceRead(this, isStatic, isAddress);
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
        Getters = PlaceGetters.Of(ops.SelectMany(o => o.Path).Distinct(), PlaceOf);
    }

    /// <summary>The static fields.</summary>
    public Dictionary<MemberKey, SlotNode> Roots { get; } = [];

    /// <summary>The fields of structs and objects. Each names one place: if two fields led to such, its ops would have one name twice.</summary>
    public Dictionary<MemberKey, SlotNode> Members { get; } = [];

    /// <summary>The methods that do nothing but read one of these fields, as an automatic property's does.</summary>
    public IReadOnlyDictionary<MemberKey, PlaceRead> Getters { get; }

    /// <summary>What a target of each op is, as <see cref="SignatureTexts"/> writes it without modifiers.</summary>
    public IReadOnlySet<string> TargetSignatures { get; }

    /// <summary>The place that a field is, of whatever kind, if it is one.</summary>
    public SlotNode? PlaceOf(MemberKey field) => Roots.GetValueOrDefault(field) ?? Members.GetValueOrDefault(field);

    private static string TargetSignature(PvOp op)
    {
        string slot = SignatureTexts.Of(op.PointerType);
        return $"Default{slot[slot.IndexOf(' ', StringComparison.Ordinal)..]}";
    }

    private void Add(PvOp op)
    {
        SlotNode? place = null;
        foreach (FieldInfo field in op.Path)
        {
            MemberKey key = MemberKey.Of(field);
            bool isReference = !field.FieldType.IsValueType && !field.FieldType.IsFunctionPointer;
            Dictionary<MemberKey, SlotNode> known = place is null ? Roots : Members;
            if (!known.TryGetValue(key, out SlotNode? next) || next.Outer != place)
                known[key] = next = place is null ? new SlotNode(null, isReference) : place.AddField(isReference);
            place = next;
            place.Ops.Add(op);
        }

        if (op.Index is { } index)
        {
            place!.Elements[index] = new SlotNode(place, isReference: false);
            place.Elements[index].Ops.Add(op);
        }
    }
}
