using System.Reflection.Emit;
using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>What single instructions do to the values that the analysis follows.</summary>
internal sealed class Step(SlotMap map)
{
    private const string UnknownTable = "the table it is read from is not known here";

    /// <summary>The value that an instruction pushes, if it takes <paramref name="inputs"/>.</summary>
    /// <param name="index">Number of the instruction in its method.</param>
    /// <param name="instruction">The instruction; not one that loads a local variable.</param>
    /// <param name="inputs">What it takes from the stack, deepest first.</param>
    public FlowValue Output(int index, Instruction instruction, ReadOnlySpan<FlowEntry> inputs)
    {
        if (instruction.Is(OpCodes.Ldsfld) || instruction.Is(OpCodes.Ldsflda))
            return OfStatic(index, instruction);
        if (instruction.Is(OpCodes.Ldfld) || instruction.Is(OpCodes.Ldflda))
            return OfMember(index, instruction, inputs[0].Value);
        if (instruction.Is(OpCodes.Ldind_I) || instruction.Is(OpCodes.Ldobj))
            return OfAddress(index, instruction, inputs[0].Value);
        return Passes(instruction) ? inputs[0].Value : FlowValue.Plain;
    }

    /// <summary>Whether its outputs are its only input: a copy, or a conversion that keeps a pointer.</summary>
    public static bool Passes(Instruction instruction) =>
        instruction.Is(OpCodes.Dup) || instruction.Is(OpCodes.Conv_I) || instruction.Is(OpCodes.Conv_U);

    /// <summary>Whether it does nothing but turn a place of the tables into another place or into what its slot holds.</summary>
    public static bool Follows(Instruction instruction) =>
        instruction.Is(OpCodes.Ldfld) || instruction.Is(OpCodes.Ldflda) || instruction.Is(OpCodes.Ldind_I) || instruction.Is(OpCodes.Ldobj);

    private FlowValue OfStatic(int index, Instruction instruction)
    {
        if (map.RootOf(instruction.Token) is not { } root)
            return FlowValue.Plain;
        return root.Op is not null && instruction.Is(OpCodes.Ldsfld)
            ? FlowValue.Slot(root, index)
            : FlowValue.Table(root, IndexSet.Of(index));
    }

    private FlowValue OfMember(int index, Instruction instruction, FlowValue table)
    {
        if (table.Kind == FlowKind.Table)
        {
            if (map.MemberOf(table.Node!, instruction.Token) is not { } member)
                return FlowValue.Plain;
            if (member.Op is null)
                return FlowValue.Table(member, table.Origins);
            return instruction.Is(OpCodes.Ldfld) ? FlowValue.Slot(member, index) : FlowValue.Table(member, IndexSet.Of(index));
        }

        string reason = table.Reason ?? UnknownTable;
        if (map.MemberNamed(instruction.Token) is { Op: not null })
            return FlowValue.Unproven(reason, IndexSet.Of(index));
        return table.Kind == FlowKind.Unproven ? FlowValue.Unproven(reason, table.Origins) : FlowValue.Plain;
    }

    private static FlowValue OfAddress(int index, Instruction instruction, FlowValue address) => address.Kind switch
    {
        FlowKind.Table when address.Node!.Op is not null => FlowValue.Slot(address.Node, index),
        FlowKind.Table when instruction.Is(OpCodes.Ldobj) => address,
        FlowKind.Table => FlowValue.Unproven("it is read through a bare pointer to the table", IndexSet.Of(index)),
        FlowKind.Unproven => FlowValue.Unproven(address.Reason!, IndexSet.Of(index)),
        _ => FlowValue.Plain,
    };
}
