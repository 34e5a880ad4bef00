using System.Reflection;

namespace PvPatch.Engine.Ops;

/// <summary>One op: a slot and what is known of it.</summary>
/// <param name="Name">Its name, group first: <c>irq.save_fl</c>.</param>
/// <param name="Class">Which forms its sites may take.</param>
/// <param name="Summary">What it does, in one sentence.</param>
/// <param name="Path">The fields that lead to the slot: the static field first, the slot itself last.</param>
public sealed record PvOp(string Name, PvOpClass Class, string Summary, IReadOnlyList<FieldInfo> Path)
{
    /// <summary>The slot: a field of type <c>delegate* unmanaged&lt;…&gt;</c>.</summary>
    public FieldInfo Slot => Path[^1];
}
