namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>What the evaluation stack and the live local variables hold where a block starts.</summary>
/// <param name="stack">The evaluation stack, deepest entry first.</param>
/// <param name="locals">The variables, in the order of <see cref="Block.Live"/>.</param>
internal sealed class FlowState(FlowEntry[] stack, FlowEntry[] locals)
{
    /// <summary>Nothing on the stack and nothing live, as where most methods start.</summary>
    public static FlowState Empty { get; } = new([], []);

    /// <summary>The evaluation stack, deepest entry first.</summary>
    public FlowEntry[] Stack { get; } = stack;

    /// <summary>The variables, in the order of <see cref="Block.Live"/>.</summary>
    public FlowEntry[] Locals { get; } = locals;
}
