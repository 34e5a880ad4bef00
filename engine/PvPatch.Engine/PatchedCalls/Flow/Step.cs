using System.Reflection.Emit;
using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>What single instructions do to the values that the analysis follows.</summary>
internal static class Step
{
    private const string UnknownTable = "the table it is read from is not known here";

    /// <summary>The value that an instruction pushes, if it takes <paramref name="inputs"/>.</summary>
    /// <param name="index">Number of the instruction in its method.</param>
    /// <param name="instruction">The instruction.</param>
    /// <param name="read">How it reads a field of the tables, if it does.</param>
    /// <param name="inputs">What it takes from the stack, deepest first.</param>
    public static FlowValue Output(int index, in Instruction instruction, PlaceRead? read, ReadOnlySpan<FlowEntry> inputs)
    {
        if (read is not null)
            return read.IsStatic ? OfStatic(index, read) : OfMember(index, read, inputs[0].Value);
        if (instruction.Is(OpCodes.Ldfld) || instruction.Is(OpCodes.Ldflda))
            return OfOtherMember(inputs[0].Value);
        if (instruction.Is(OpCodes.Ldind_I) || instruction.Is(OpCodes.Ldobj))
            return OfAddress(index, instruction, inputs[0].Value);
        if (ReadsElement(instruction))
            return OfElement(index, instruction, inputs);
        if (instruction.PushedInt32 is { } number)
            return FlowValue.Number(number);
        return Passes(instruction) ? inputs[0].Value : FlowValue.Plain;
    }

    /// <summary>Whether its outputs are its only input: a copy, or a conversion that keeps a pointer.</summary>
    public static bool Passes(in Instruction instruction) =>
        instruction.Is(OpCodes.Dup) || instruction.Is(OpCodes.Conv_I) || instruction.Is(OpCodes.Conv_U);

    /// <summary>Whether it does nothing but turn a place of the tables into another place or into what its slot holds.</summary>
    /// <param name="instruction">The instruction.</param>
    /// <param name="read">How it reads a field of the tables, if it does.</param>
    public static bool Follows(in Instruction instruction, PlaceRead? read) =>
        read is { IsStatic: false } || instruction.Is(OpCodes.Ldfld) || instruction.Is(OpCodes.Ldflda)
        || instruction.Is(OpCodes.Ldind_I) || instruction.Is(OpCodes.Ldobj) || ReadsElement(instruction);

    /// <summary>Whether it reads an array's element, or takes its address.</summary>
    public static bool ReadsElement(in Instruction instruction) =>
        instruction.Is(OpCodes.Ldelem_I) || instruction.Is(OpCodes.Ldelem) || instruction.Is(OpCodes.Ldelema);

    private static FlowValue OfStatic(int index, PlaceRead read) =>
        read.Root is { } root ? Reached(index, root, read.IsAddress, IndexSet.Of(index)) : FlowValue.Plain;

    private static FlowValue OfMember(int index, PlaceRead read, FlowValue table)
    {
        if (table.Kind == FlowKind.Table)
            return read.Member is { } member && member.Outer == table.Node ? Reached(index, member, read.IsAddress, table.Origins) : FlowValue.Plain;
        if (read.Member is { Op: not null } or { Elements.Count: > 0 })
            return FlowValue.Unproven(table.Reason ?? UnknownTable, IndexSet.Of(index));
        return OfOtherMember(table);
    }

    private static FlowValue OfOtherMember(FlowValue table) =>
        table.Kind == FlowKind.Unproven ? FlowValue.Unproven(table.Reason!, table.Origins) : FlowValue.Plain;

    /// <summary>What it is to have read a place or taken its address.</summary>
    private static FlowValue Reached(int index, SlotNode place, bool isAddress, IndexSet origins)
    {
        if (place.IsReference)
        {
            return isAddress
                ? FlowValue.Unproven("the address of the reference to its table is taken", IndexSet.Of(index))
                : FlowValue.Table(place, place.Elements.Count > 0 ? IndexSet.Of(index) : origins);
        }

        if (place.Op is null)
            return FlowValue.Table(place, origins);
        return isAddress ? FlowValue.Table(place, IndexSet.Of(index)) : FlowValue.Slot(place, index);
    }

    private static FlowValue OfAddress(int index, in Instruction instruction, FlowValue address) => address.Kind switch
    {
        FlowKind.Table when address.Node!.IsReference => FlowValue.Unproven("it is read through a bare pointer to the table", IndexSet.Of(index)),
        FlowKind.Table when address.Node!.Op is not null => FlowValue.Slot(address.Node, index),
        FlowKind.Table when instruction.Is(OpCodes.Ldobj) => address,
        FlowKind.Table => FlowValue.Unproven("it is read through a bare pointer to the table", IndexSet.Of(index)),
        FlowKind.Unproven => FlowValue.Unproven(address.Reason!, IndexSet.Of(index)),
        _ => FlowValue.Plain,
    };

    private static FlowValue OfElement(int index, in Instruction instruction, ReadOnlySpan<FlowEntry> inputs)
    {
        FlowValue array = inputs[0].Value;
        if (array.Kind == FlowKind.Unproven)
            return FlowValue.Unproven(array.Reason!, array.Origins);
        if (array.Kind != FlowKind.Table || array.Node!.Elements.Count == 0)
            return FlowValue.Plain;
        if (inputs[1].Value.Constant is not { } number)
            return FlowValue.Unproven("the index into the array of slots is no constant", array.Origins);
        if (!array.Node.Elements.TryGetValue(number, out SlotNode? element))
            return FlowValue.Plain;
        return instruction.Is(OpCodes.Ldelema) ? FlowValue.Table(element, IndexSet.Of(index)) : FlowValue.Slot(element, index);
    }
}
