namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>What the evaluation stack and the local variables hold at one instruction.</summary>
/// <param name="stack">The evaluation stack, deepest entry first.</param>
/// <param name="locals">The local variables.</param>
internal sealed class FlowState(List<FlowEntry> stack, FlowEntry[] locals)
{
    /// <summary>The evaluation stack, deepest entry first.</summary>
    public List<FlowEntry> Stack { get; } = stack;

    /// <summary>The local variables.</summary>
    public FlowEntry[] Locals { get; } = locals;

    /// <summary>The state at a method's first instruction.</summary>
    public static FlowState AtEntry(int locals) => new([], [.. Enumerable.Repeat(FlowEntry.FromOutside, locals)]);

    /// <summary>A copy that changes on its own.</summary>
    public FlowState Copy() => new([.. Stack], [.. Locals]);

    /// <summary>The same variables, which change with this one's, and another stack.</summary>
    public FlowState WithStack(params IEnumerable<FlowEntry> other) => new([.. other], Locals);

    /// <summary>Takes entries from the stack, deepest first.</summary>
    public FlowEntry[] Pop(int count)
    {
        FlowEntry[] taken = [.. Stack[^count..]];
        Stack.RemoveRange(Stack.Count - count, count);
        return taken;
    }

    /// <summary>Takes in what another path brings to the same instruction; the stacks are equally high.</summary>
    /// <returns>Whether anything became known.</returns>
    public bool Merge(FlowState other)
    {
        bool changed = false;
        for (int i = 0; i < Stack.Count; i++)
        {
            FlowEntry merged = Stack[i].Merge(other.Stack[i]);
            changed |= merged != Stack[i];
            Stack[i] = merged;
        }

        for (int i = 0; i < Locals.Length; i++)
        {
            FlowEntry merged = Locals[i].Merge(other.Locals[i]);
            changed |= merged != Locals[i];
            Locals[i] = merged;
        }

        return changed;
    }
}
