namespace PvPatch.Engine.Ops;

/// <summary>
/// Marks a field of type <c>delegate* unmanaged&lt;…&gt;</c>, or <c>delegate*&lt;…&gt;</c> for managed calls, as the slot of
/// an op. The field is static, or stands in a struct or an object that a static field leads to, as in
/// <c>Pv.Irq.SaveFlags</c> and <c>Ops.Instance.Save</c>. Fields that refer to objects on the way are <c>readonly</c>, so
/// that there is one such slot for ever. A <c>readonly</c> array of such pointers carries one attribute for each op,
/// with its <see cref="Index"/>.
/// </summary>
/// <param name="name">The op's name as the field knows it, group first: <c>irq.save_fl</c>. Unique in its table.</param>
/// <param name="class">Which forms the op's sites may take; calls that are patched, unless said otherwise.</param>
/// <param name="summary">What the op does, in one sentence without a full stop.</param>
[AttributeUsage(AttributeTargets.Field, AllowMultiple = true)]
public sealed class PvOpAttribute(string name, PvOpClass @class = PvOpClass.PatchedCall, string summary = "") : Attribute
{
    /// <summary>The op's name, group first: <c>irq.save_fl</c>.</summary>
    public string Name { get; } = name;

    /// <summary>Which forms the op's sites may take.</summary>
    public PvOpClass Class { get; } = @class;

    /// <summary>What the op does, in one sentence.</summary>
    public string Summary { get; } = summary;

    /// <summary>Which element of an array of slots it is, from 0; −1 on a field that is no array.</summary>
    public int Index { get; init; } = -1;
}
