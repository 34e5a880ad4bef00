using System.Reflection;

namespace PvPatch.Engine.Ops;

/// <summary>One op: a slot and what is known of it.</summary>
public sealed record PvOp
{
    internal PvOp(string name, PvOpClass @class, string summary, IReadOnlyList<FieldInfo> path, int? index)
    {
        Name = name;
        Class = @class;
        Summary = summary;
        Path = path;
        Index = index;
    }

    /// <summary>Its name, group first: <c>irq.save_fl</c>.</summary>
    public string Name { get; }

    /// <summary>Which forms its sites may take.</summary>
    public PvOpClass Class { get; }

    /// <summary>What it does, in one sentence.</summary>
    public string Summary { get; }

    /// <summary>The fields that lead to the slot: the static field first, last the slot itself or the array it is in.</summary>
    public IReadOnlyList<FieldInfo> Path { get; }

    /// <summary>The slot's place in the array, from 0; <see langword="null"/> where the last field is the slot.</summary>
    public int? Index { get; }

    /// <summary>The field of type <c>delegate* unmanaged&lt;…&gt;</c> that is the slot, or of an array of these.</summary>
    public FieldInfo Slot => Path[^1];

    /// <summary>The slot's type, a function pointer.</summary>
    public Type PointerType => Index is null ? Slot.FieldType : Slot.FieldType.GetElementType()!;

    /// <summary>The slot's place as a program writes it: <c>Irq.SaveFlags</c>, <c>Slots[3]</c>.</summary>
    internal string Place => string.Join('.', Path.Select(f => f.Name)) + (Index is { } index ? $"[{index}]" : "");
}
