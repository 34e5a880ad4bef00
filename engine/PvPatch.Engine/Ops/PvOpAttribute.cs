namespace PvPatch.Engine.Ops;

/// <summary>
/// Marks a field of type <c>delegate* unmanaged&lt;…&gt;</c> as the slot of an op. The field stands in a struct that is
/// (part of) a static field, as in <c>Pv.Irq.SaveFlags</c>, or is itself static.
/// </summary>
/// <param name="name">The op's name as the field knows it, group first: <c>irq.save_fl</c>. Unique in its table.</param>
/// <param name="class">Which forms the op's sites may take; calls that are patched, unless said otherwise.</param>
/// <param name="summary">What the op does, in one sentence without a full stop.</param>
[AttributeUsage(AttributeTargets.Field)]
public sealed class PvOpAttribute(string name, PvOpClass @class = PvOpClass.PatchedCall, string summary = "") : Attribute
{
    /// <summary>The op's name, group first: <c>irq.save_fl</c>.</summary>
    public string Name { get; } = name;

    /// <summary>Which forms the op's sites may take.</summary>
    public PvOpClass Class { get; } = @class;

    /// <summary>What the op does, in one sentence.</summary>
    public string Summary { get; } = summary;
}
