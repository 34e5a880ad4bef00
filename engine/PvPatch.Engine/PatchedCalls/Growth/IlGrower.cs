using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls.Growth;

/// <summary>New code in the place of some whole instructions of a method, of any size.</summary>
/// <param name="Start">Offset of the first instruction that goes.</param>
/// <param name="End">Offset behind the last one.</param>
/// <param name="Code">What stands there instead; control falls out of its end.</param>
internal sealed record IlEdit(int Start, int End, IReadOnlyList<MovableInstruction> Code);

/// <summary>Everything by which a method outgrows its old body.</summary>
/// <param name="Edits">The edits, ascending.</param>
/// <param name="Locals">Types of the local variables that are added behind the method's own; the edits' code counts on that order.</param>
/// <param name="ExtraStack">How many entries more the evaluation stack may hold.</param>
internal sealed record MethodGrowth(IReadOnlyList<IlEdit> Edits, IReadOnlyList<Type> Locals, int ExtraStack);

/// <summary>A protected region with its handler, after growing; offsets and lengths in bytes.</summary>
/// <param name="Kind">Catch, filter, finally or fault.</param>
/// <param name="TryOffset">Where the protected code starts.</param>
/// <param name="TryLength">Its length.</param>
/// <param name="HandlerOffset">Where the handler starts.</param>
/// <param name="HandlerLength">Its length.</param>
/// <param name="Last">Of a catch, the type's token in the method's module; of a filter, its offset; else 0 (ECMA-335, partition II, 25.4.6).</param>
internal sealed record GrownRegion(
    ExceptionRegionKind Kind, int TryOffset, int TryLength, int HandlerOffset, int HandlerLength, int Last);

/// <summary>A method's body that has grown.</summary>
/// <param name="Il">Its IL. Tokens are those of its module; the ones that the fix-ups name are still zero.</param>
/// <param name="Fixups">The tokens to find.</param>
/// <param name="MaxStack">The most entries that the evaluation stack may hold.</param>
/// <param name="Regions">Its protected regions.</param>
/// <param name="Moves">Where each instruction of the old body, and its end, is now: old offset to new. Those that went are where their edit starts.</param>
internal sealed record GrownMethod(
    byte[] Il, IReadOnlyList<TokenFixup> Fixups, int MaxStack, ImmutableArray<GrownRegion> Regions, IReadOnlyDictionary<int, int> Moves);

/// <summary>
/// Replaces instructions of a method by code of any size: what stands behind moves, branches, switch tables and protected
/// regions follow, and branches that no longer reach get their long form.
/// </summary>
internal static class IlGrower
{
    /// <summary>Grows a method.</summary>
    /// <param name="body">The method as it was.</param>
    /// <param name="il">Its IL with all edits of the same size done.</param>
    /// <param name="growth">The edits that are not of the same size.</param>
    /// <exception cref="ArgumentException">
    /// An edit overlaps another, or starts or ends within an instruction, or something leads into its middle.
    /// </exception>
    public static GrownMethod Grow(MethodBody body, byte[] il, MethodGrowth growth)
    {
        Instruction[] old = IlReader.Decode(il);
        var numberAt = new Dictionary<int, int>(old.Length + 1); // by old offset; nothing may lead to others
        var code = new List<MovableInstruction>(old.Length);
        var moved = new List<(int First, IlEdit Edit)>();
        var gone = new Dictionary<int, int>();
        int next = 0;
        for (int i = 0; i < old.Length; i++)
        {
            numberAt[old[i].Offset] = code.Count;
            if (next == growth.Edits.Count || old[i].Offset < growth.Edits[next].Start)
            {
                code.Add(Movable(old[i]));
                continue;
            }

            IlEdit edit = growth.Edits[next++];
            if (edit.Start != old[i].Offset || edit.End <= edit.Start)
                throw new ArgumentException($"The edit at {edit.Start} does not start with an instruction.", nameof(growth));
            moved.Add((code.Count, edit));
            for (; i + 1 < old.Length && old[i].End < edit.End; i++)
                gone[old[i + 1].Offset] = edit.Start;
            if (old[i].End != edit.End)
                throw new ArgumentException($"The edit at {edit.Start} does not end with an instruction.", nameof(growth));
            code.AddRange(edit.Code);
        }

        if (next < growth.Edits.Count)
            throw new ArgumentException($"The edit at {growth.Edits[next].Start} is behind the method's end or within another one.", nameof(growth));
        numberAt[il.Length] = code.Count;
        Retarget(code, moved, numberAt);

        AssembledIl done = IlAssembler.Assemble(code);
        var moves = numberAt.ToDictionary(m => m.Key, m => done.Offsets[m.Value]);
        foreach ((int offset, int start) in gone)
            moves[offset] = moves[start];
        return new GrownMethod(
            done.Il, done.Fixups, body.MaxStack + growth.ExtraStack, [.. body.Regions.Select(r => Moved(r, At))], moves);

        int At(int offset) => numberAt.TryGetValue(offset, out int number) ? done.Offsets[number] : throw Inside(offset);
    }

    /// <summary>The old instructions lead to offsets, those of an edit to numbers within it.</summary>
    private static void Retarget(List<MovableInstruction> code, List<(int First, IlEdit Edit)> moved, Dictionary<int, int> numberAt)
    {
        int next = 0;
        for (int i = 0; i < code.Count; i++)
        {
            while (next < moved.Count && moved[next].First + moved[next].Edit.Code.Count <= i)
                next++;
            code[i] = next < moved.Count && i >= moved[next].First
                ? code[i].Retargeted(number => moved[next].First + number)
                : code[i].Retargeted(offset => numberAt.TryGetValue(offset, out int number) ? number : throw Inside(offset));
        }
    }

    private static MovableInstruction Movable(Instruction instruction) =>
        new(instruction.Code, instruction.Operand) { Targets = instruction.Targets };

    private static GrownRegion Moved(ExceptionRegion region, Func<int, int> at)
    {
        int start = at(region.TryOffset), handler = at(region.HandlerOffset);
        int last = region.Kind switch
        {
            ExceptionRegionKind.Catch => MetadataTokens.GetToken(region.CatchType),
            ExceptionRegionKind.Filter => at(region.FilterOffset),
            _ => 0,
        };
        return new GrownRegion(
            region.Kind, start, at(region.TryOffset + region.TryLength) - start,
            handler, at(region.HandlerOffset + region.HandlerLength) - handler, last);
    }

    private static ArgumentException Inside(int offset) => new($"Something leads to {offset}, in the middle of an edit.", nameof(offset));
}
