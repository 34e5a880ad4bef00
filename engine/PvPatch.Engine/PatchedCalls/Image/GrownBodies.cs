using System.Buffers.Binary;
using System.Reflection.Metadata.Ecma335;
using PvPatch.Engine.Extension;
using PvPatch.Engine.PatchedCalls.Growth;
using PvPatch.Engine.PatchedCalls.References;

namespace PvPatch.Engine.PatchedCalls.Image;

/// <summary>Gives methods that outgrow their bytes a new body behind the image's sections (ECMA-335, partition II, 25.4).</summary>
/// <param name="tokens">What the module gets.</param>
internal sealed class GrownBodies(AddedTokens tokens)
{
    private readonly Dictionary<int, Func<int, int>> _moves = [];

    /// <summary>By row of the method: the new offset of an instruction for its old one.</summary>
    public IReadOnlyDictionary<int, Func<int, int>> Moves => _moves;

    /// <summary>Writes the new body of a method.</summary>
    /// <returns>The method with its whole new IL.</returns>
    public RewrittenMethod Add(RewrittenMethod method, MethodGrowth growth)
    {
        GrownMethod grown = IlGrower.Grow(method.Body, method.Il, growth);
        foreach (TokenFixup fixup in grown.Fixups)
            BinaryPrimitives.WriteInt32LittleEndian(grown.Il.AsSpan(fixup.Offset), TokenFor(fixup.Instruction));

        ExtendedImage image = tokens.Extended!;
        int row = MetadataTokens.GetRowNumber(MetadataTokens.EntityHandle(method.Body.Token));
        byte[] body = Bytes(grown, tokens.TokenOf(method.Body.LocalSignature, growth.Locals), method.Body.InitLocals);
        image.Metadata.Rows(Table.MethodDef)[row, 0] = (uint)image.Section.Add(body);
        _moves[row] = MoveOf(grown.Moves);
        return method with { Il = grown.Il, Growth = null };
    }

    private int TokenFor(MovableInstruction instruction) => instruction switch
    {
        { Text: { } text } => tokens.TokenOf(text),
        { Member: { } member } => tokens.TokenOf(member),
        _ => throw new InvalidOperationException($"{instruction.Code.Name} needs no token"),
    };

    /// <summary>Records may name an offset within an instruction; they go where the instruction goes.</summary>
    private static Func<int, int> MoveOf(IReadOnlyDictionary<int, int> moves)
    {
        int[] olds = [.. moves.Keys.Order()], news = [.. olds.Select(old => moves[old])];
        return old =>
        {
            int at = Array.BinarySearch(olds, old);
            return news[Math.Max(at < 0 ? ~at - 1 : at, 0)];
        };
    }

    /// <summary>A body in the fat format (25.4.3), its protected regions in the fat form (25.4.6).</summary>
    private static byte[] Bytes(GrownMethod grown, int locals, bool initLocals)
    {
        const ushort Fat = 0x3, MoreSections = 0x8, InitLocals = 0x10, HeaderSize = 3 << 12;
        const byte Regions = 0x1, FatRegions = 0x40;
        var output = new MemoryStream();
        var writer = new BinaryWriter(output);
        writer.Write((ushort)(Fat | HeaderSize | (grown.Regions.IsEmpty ? 0 : MoreSections) | (initLocals ? InitLocals : 0)));
        writer.Write(checked((ushort)grown.MaxStack));
        writer.Write(grown.Il.Length);
        writer.Write(locals);
        writer.Write(grown.Il);
        if (grown.Regions.IsEmpty)
            return output.ToArray();

        while (output.Length % 4 != 0)
            writer.Write((byte)0);
        writer.Write(((4 + (24 * grown.Regions.Length)) << 8) | Regions | FatRegions);
        foreach (GrownRegion region in grown.Regions)
        {
            writer.Write((int)region.Kind); // the flags are the enumeration's values
            writer.Write(region.TryOffset);
            writer.Write(region.TryLength);
            writer.Write(region.HandlerOffset);
            writer.Write(region.HandlerLength);
            writer.Write(region.Last);
        }

        return output.ToArray();
    }
}
