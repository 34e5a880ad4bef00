using System.Reflection;

namespace PvPatch.Engine.Ops;

/// <summary>One op: a slot and what is known of it.</summary>
/// <param name="Name">Its name, group first: <c>irq.save_fl</c>.</param>
/// <param name="Class">Which forms its sites may take.</param>
/// <param name="Summary">What it does, in one sentence.</param>
/// <param name="Path">The fields that lead to the slot: the static field first, last the slot itself or the array it is in.</param>
/// <param name="Index">The slot's place in the array, from 0; <see langword="null"/> where the last field is the slot.</param>
public sealed record PvOp(string Name, PvOpClass Class, string Summary, IReadOnlyList<FieldInfo> Path, int? Index = null)
{
    /// <summary>The field of type <c>delegate* unmanaged&lt;…&gt;</c> that is the slot, or of an array of these.</summary>
    public FieldInfo Slot => Path[^1];

    /// <summary>The slot's type, a function pointer.</summary>
    public Type PointerType => Index is null ? Slot.FieldType : Slot.FieldType.GetElementType()!;

    /// <summary>The slot's place as a program writes it: <c>Irq.SaveFlags</c>, <c>Slots[3]</c>.</summary>
    internal string Place => string.Join('.', Path.Select(f => f.Name)) + (Index is { } index ? $"[{index}]" : "");
}
