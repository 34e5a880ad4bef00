using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls.Growth;

/// <summary>New code in the place of some whole instructions of a method, of any size.</summary>
/// <param name="Start">Offset of the first instruction that goes.</param>
/// <param name="End">Offset behind the last one.</param>
/// <param name="Code">What stands there instead; control falls out of its end.</param>
internal sealed record IlEdit(int Start, int End, IReadOnlyList<MovableInstruction> Code)
{
    /// <summary>The code as bytes, which are the same wherever it stands.</summary>
    public AssembledIl Assembled { get => field ??= IlAssembler.Assemble(Code); init; }
}

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
internal sealed record GrownMethod(byte[] Il, List<TokenFixup> Fixups, int MaxStack, ImmutableArray<GrownRegion> Regions);

/// <summary>Where the instructions of a method that has grown are now. Those that went are where their edit starts.</summary>
/// <param name="olds">Offsets that they had, ascending; last the method's end.</param>
/// <param name="news">Their new ones.</param>
internal sealed class OffsetMoves(int[] olds, int[] news)
{
    /// <summary>The new offset for an old one; within an instruction, that of the instruction.</summary>
    public int At(int old)
    {
        int at = Array.BinarySearch(olds, old);
        return news[Math.Max(at < 0 ? ~at - 1 : at, 0)];
    }
}

/// <summary>
/// Replaces instructions of methods, one after another, by code of any size: what stands behind moves, branches, switch tables
/// and protected regions follow, and branches that no longer reach get their long form.
/// </summary>
internal sealed class IlGrower
{
    private const int LongBranch = 5;

    private readonly DecodedIl _old = new();
    private AssembledIl?[] _edits = []; // by instruction: what stands there instead
    private bool[] _isGone = [];        // by instruction: an edit that starts before it took it
    private bool[] _isLong = [];        // by instruction: its branch needs the long form
    private int[] _offsets = [];        // by instruction, and that of the end: the new ones

    /// <summary>Grows a method.</summary>
    /// <param name="body">The method as it was.</param>
    /// <param name="il">Its IL with all edits of the same size done.</param>
    /// <param name="growth">The edits that are not of the same size.</param>
    /// <exception cref="ArgumentException">
    /// An edit overlaps another, or starts or ends within an instruction, or something leads into its middle.
    /// </exception>
    public static GrownMethod Grow(MethodBody body, byte[] il, MethodGrowth growth) => new IlGrower().GrowNext(body, il, growth);

    /// <summary>As <see cref="Grow"/>, in the memory of the method before.</summary>
    public GrownMethod GrowNext(MethodBody body, byte[] il, MethodGrowth growth)
    {
        _old.Decode(il);
        Room.ForEmpty(ref _edits, _old.Length);
        Room.ForEmpty(ref _isGone, _old.Length);
        Room.ForEmpty(ref _isLong, _old.Length);
        Room.For(ref _offsets, _old.Length + 1);
        foreach (IlEdit edit in growth.Edits)
            Enter(edit);
        do
            Place();
        while (Widen()); // a widened branch may put another one out of reach

        var fixups = new List<TokenFixup>(1);
        byte[] grown = Written(il, fixups);
        return new GrownMethod(grown, fixups, body.MaxStack + growth.ExtraStack, Moved(body.Regions, il.Length));
    }

    /// <summary>Where everything is now of the method that was grown last.</summary>
    public OffsetMoves MovesOfLast()
    {
        var olds = new int[_old.Length + 1];
        for (int i = 0; i < _old.Length; i++)
            olds[i] = _old[i].Offset;
        olds[^1] = _old.Length == 0 ? 0 : _old[_old.Length - 1].End;
        return new OffsetMoves(olds, _offsets.AsSpan(0, olds.Length).ToArray());
    }

    private void Enter(IlEdit edit)
    {
        int first = _old.IndexAt(edit.Start);
        if (first == _old.Length || _isGone[first])
            throw new ArgumentException($"The edit at {edit.Start} is behind the method's end or within another one.", nameof(edit));
        if (_old[first].Offset != edit.Start || edit.End <= edit.Start)
            throw new ArgumentException($"The edit at {edit.Start} does not start with an instruction.", nameof(edit));
        _edits[first] = edit.Assembled;
        int last = first;
        while (last + 1 < _old.Length && _old[last].End < edit.End)
            _isGone[++last] = true;
        if (_old[last].End != edit.End)
            throw new ArgumentException($"The edit at {edit.Start} does not end with an instruction.", nameof(edit));
    }

    private int SizeOf(int index) =>
        _edits[index] is { } edit ? edit.Il.Length : _isGone[index] ? 0 : _isLong[index] ? LongBranch : _old[index].Size;

    private void Place()
    {
        int offset = 0;
        for (int i = 0; i < _old.Length; i++)
        {
            _offsets[i] = _isGone[i] ? _offsets[i - 1] : offset;
            offset += SizeOf(i);
        }

        _offsets[_old.Length] = offset;
    }

    private bool Widen()
    {
        bool isAnyNew = false;
        for (int i = 0; i < _old.Length; i++)
        {
            if (_old[i].Code.OperandType != OperandType.ShortInlineBrTarget || _isLong[i] || _isGone[i] || _edits[i] is not null)
                continue;
            _isLong[i] = NewOffset((int)_old[i].Operand) - (_offsets[i] + _old[i].Size) is < sbyte.MinValue or > sbyte.MaxValue;
            isAnyNew |= _isLong[i];
        }

        return isAnyNew;
    }

    private byte[] Written(ReadOnlySpan<byte> il, List<TokenFixup> fixups)
    {
        var grown = new byte[_offsets[_old.Length]];
        for (int i = 0; i < _old.Length; i++)
        {
            Span<byte> place = grown.AsSpan(_offsets[i]);
            if (_edits[i] is { } edit)
            {
                edit.Il.CopyTo(place);
                foreach (TokenFixup fixup in edit.Fixups)
                    fixups.Add(new TokenFixup(_offsets[i] + fixup.Offset, fixup.Instruction));
            }
            else if (!_isGone[i])
            {
                il[_old[i].Offset.._old[i].End].CopyTo(place);
                Retarget(i, place);
            }
        }

        return grown;
    }

    /// <summary>Lets a branch or a switch lead to where its targets are now.</summary>
    private void Retarget(int index, Span<byte> place)
    {
        ref readonly Instruction instruction = ref _old[index];
        int end = _offsets[index] + SizeOf(index), size = instruction.Code.Size;
        for (int k = 0; k < instruction.Targets.Length; k++)
            BinaryPrimitives.WriteInt32LittleEndian(place[(size + sizeof(int) + (sizeof(int) * k))..], NewOffset(instruction.Targets[k]) - end);
        if (!IlReader.IsBranch(instruction))
            return;
        int distance = NewOffset((int)instruction.Operand) - end;
        if (instruction.Code.OperandType == OperandType.ShortInlineBrTarget && !_isLong[index])
        {
            place[size] = unchecked((byte)distance);
            return;
        }

        if (_isLong[index])
            place[0] = (byte)IlReader.LongFormOf(instruction.Code).Value;
        BinaryPrimitives.WriteInt32LittleEndian(place[size..], distance);
    }

    /// <summary>Where an instruction is now that something leads to.</summary>
    private int NewOffset(int old)
    {
        int index = _old.IndexAt(old);
        return index < _old.Length && (_isGone[index] || _old[index].Offset != old)
            ? throw new ArgumentException($"Something leads to {old}, in the middle of an edit.", nameof(old))
            : _offsets[index];
    }

    private ImmutableArray<GrownRegion> Moved(ImmutableArray<ExceptionRegion> regions, int length) =>
        regions.IsEmpty ? [] : [.. regions.Select(r => Moved(r, length))];

    private GrownRegion Moved(ExceptionRegion region, int length)
    {
        int start = At(region.TryOffset), handler = At(region.HandlerOffset);
        int last = region.Kind switch
        {
            ExceptionRegionKind.Catch => MetadataTokens.GetToken(region.CatchType),
            ExceptionRegionKind.Filter => At(region.FilterOffset),
            _ => 0,
        };
        return new GrownRegion(
            region.Kind, start, At(region.TryOffset + region.TryLength) - start,
            handler, At(region.HandlerOffset + region.HandlerLength) - handler, last);

        int At(int offset) => offset <= length ? NewOffset(offset) : throw new ArgumentException($"A protected region reaches to {offset}, beyond the method.", nameof(region));
    }
}
