using System.Buffers.Binary;
using System.Reflection.Metadata.Ecma335;
using PvPatch.Engine.Extension;
using PvPatch.Engine.Il;
using PvPatch.Engine.PatchedCalls.Growth;
using PvPatch.Engine.PatchedCalls.References;

namespace PvPatch.Engine.PatchedCalls.Image;

/// <summary>Gives methods that outgrow their bytes a new body behind the image's sections (ECMA-335, partition II, 25.4).</summary>
/// <param name="tokens">What the module gets.</param>
/// <param name="keepsMoves">Whether someone will ask for <see cref="Moves"/>.</param>
internal sealed class GrownBodies(AddedTokens tokens, bool keepsMoves)
{
    private readonly Dictionary<int, Func<int, int>> _moves = [];
    private readonly IlGrower _grower = new();
    private byte[] _body = [];

    /// <summary>By row of the method: the new offset of an instruction for its old one.</summary>
    public IReadOnlyDictionary<int, Func<int, int>> Moves => _moves;

    /// <summary>Writes the new body of a method.</summary>
    /// <returns>The method with its whole new IL.</returns>
    public RewrittenMethod Add(RewrittenMethod method, MethodGrowth growth)
    {
        GrownMethod grown = _grower.GrowNext(method.Body, method.Il, growth);
        foreach (TokenFixup fixup in grown.Fixups)
            BinaryPrimitives.WriteInt32LittleEndian(grown.Il.AsSpan(fixup.Offset), TokenFor(fixup.Instruction));

        ExtendedImage image = tokens.Extended!;
        int row = MetadataTokens.GetRowNumber(MetadataTokens.EntityHandle(method.Body.Token));
        ReadOnlySpan<byte> body = Bytes(grown, tokens.TokenOf(method.Body.LocalSignature, growth.Locals), method.Body.InitLocals);
        image.Metadata.Rows(Table.MethodDef)[row, 0] = (uint)image.Section.Add(body);
        if (keepsMoves)
            _moves[row] = _grower.MovesOfLast().At;
        return method with { Il = grown.Il, Growth = null };
    }

    private int TokenFor(MovableInstruction instruction) => instruction switch
    {
        { Text: { } text } => tokens.TokenOf(text),
        { Member: { } member } => tokens.TokenOf(member),
        _ => throw new InvalidOperationException($"{instruction.Code.Name} needs no token"),
    };

    /// <summary>A body in the fat format (25.4.3), its protected regions in the fat form (25.4.6).</summary>
    private ReadOnlySpan<byte> Bytes(GrownMethod grown, int locals, bool initLocals)
    {
        const int Fat = 0x3, MoreSections = 0x8, InitLocals = 0x10, HeaderSize = 12, HeaderSizeFlags = 3 << 12;
        const int Regions = 0x1, FatRegions = 0x40, RegionSize = 24;
        bool hasRegions = !grown.Regions.IsEmpty;
        int regionsAt = (HeaderSize + grown.Il.Length + 3) & ~3, regionsSize = 4 + (RegionSize * grown.Regions.Length);
        int size = hasRegions ? regionsAt + regionsSize : HeaderSize + grown.Il.Length;
        Room.ForEmpty(ref _body, size);
        Span<byte> body = _body.AsSpan(0, size);
        BinaryPrimitives.WriteUInt16LittleEndian(body, (ushort)(Fat | HeaderSizeFlags | (hasRegions ? MoreSections : 0) | (initLocals ? InitLocals : 0)));
        BinaryPrimitives.WriteUInt16LittleEndian(body[2..], checked((ushort)grown.MaxStack));
        BinaryPrimitives.WriteInt32LittleEndian(body[4..], grown.Il.Length);
        BinaryPrimitives.WriteInt32LittleEndian(body[8..], locals);
        grown.Il.CopyTo(body[HeaderSize..]);
        if (!hasRegions)
            return body;

        BinaryPrimitives.WriteInt32LittleEndian(body[regionsAt..], (regionsSize << 8) | Regions | FatRegions);
        for (int r = 0; r < grown.Regions.Length; r++)
            Write(grown.Regions[r], body[(regionsAt + 4 + (RegionSize * r))..]);
        return body;
    }

    private static void Write(GrownRegion region, Span<byte> place)
    {
        BinaryPrimitives.WriteInt32LittleEndian(place, (int)region.Kind); // the flags are the enumeration's values
        BinaryPrimitives.WriteInt32LittleEndian(place[4..], region.TryOffset);
        BinaryPrimitives.WriteInt32LittleEndian(place[8..], region.TryLength);
        BinaryPrimitives.WriteInt32LittleEndian(place[12..], region.HandlerOffset);
        BinaryPrimitives.WriteInt32LittleEndian(place[16..], region.HandlerLength);
        BinaryPrimitives.WriteInt32LittleEndian(place[20..], region.Last);
    }
}
