using PvPatch.Engine.Ops;

namespace PvPatch.Engine.IndirectCalls;

/// <summary>The op tables of a program: every slot below some static classes, and what is installed in each.</summary>
public sealed class PvOpTable
{
    /// <summary>The ops, in the order of declaration.</summary>
    public IReadOnlyList<PvOp> Ops { get; } = [];
}
