using System.Buffers.Binary;

namespace PvPatch.Engine.Extension;

/// <summary>Debugging records of methods whose code has moved (Portable PDB format).</summary>
internal static class MovedSymbols
{
    private static readonly Guid
        HoistedLocalScopes = new("6DA9A61E-F8C7-4874-BE62-68BC5630DF71"),
        AsyncSteppingInformation = new("54FD2AC5-E925-401A-9C2A-F94F171072F8");

    /// <summary>Moves the records of some methods: lines, scopes, and what a debugger needs to step through <c>await</c>.</summary>
    /// <param name="pdb">The PDB's metadata; rows and blobs are added.</param>
    /// <param name="moves">By row of the method: the new offset for an old one, never descending.</param>
    /// <exception cref="InvalidDataException">The PDB is damaged.</exception>
    public static void Move(MetadataRoot pdb, IReadOnlyDictionary<int, Func<int, int>> moves)
    {
        TableRows lines = pdb.Rows(Table.MethodDebugInformation);
        foreach ((int method, Func<int, int> move) in moves)
        {
            if (method <= lines.Count && lines[method, 1] != 0)
                lines[method, 1] = pdb.AddBlob(SequencePoints.Moved(pdb.BlobAt(lines[method, 1]), lines[method, 0] != 0, move));
        }

        TableRows scopes = pdb.Rows(Table.LocalScope);
        for (int row = 1; row <= scopes.Count; row++)
        {
            const int Start = 4, Length = 5;
            if (moves.TryGetValue((int)scopes[row, 0], out Func<int, int>? move))
                (scopes[row, Start], scopes[row, Length]) = MovedRange(scopes[row, Start], scopes[row, Length], move);
        }

        TableRows more = pdb.Rows(Table.CustomDebugInformation);
        for (int row = 1; row <= more.Count; row++)
        {
            const int TagBits = 5, MethodTag = 0;
            uint parent = more[row, 0];
            if ((parent & ((1 << TagBits) - 1)) == MethodTag && moves.TryGetValue((int)(parent >> TagBits), out Func<int, int>? move)
                && Moved(pdb.GuidAt(more[row, 1]), pdb.BlobAt(more[row, 2]), move) is { } moved)
            {
                more[row, 2] = pdb.AddBlob(moved);
            }
        }
    }

    /// <summary>A record of a kind that has offsets; <see langword="null"/> for one that has none.</summary>
    private static byte[]? Moved(Guid kind, ReadOnlySpan<byte> blob, Func<int, int> move) =>
        kind == HoistedLocalScopes ? MovedScopes(blob, move)
        : kind == AsyncSteppingInformation ? MovedSteps(blob, move)
        : null;

    /// <summary>Pairs of start and length; both are zero for a variable that is nowhere in scope.</summary>
    private static byte[] MovedScopes(ReadOnlySpan<byte> blob, Func<int, int> move)
    {
        var output = new List<byte>();
        for (; blob.Length >= 8; blob = blob[8..])
        {
            uint start = BinaryPrimitives.ReadUInt32LittleEndian(blob), length = BinaryPrimitives.ReadUInt32LittleEndian(blob[4..]);
            if (length != 0)
                (start, length) = MovedRange(start, length, move);
            output.AddRange(BitConverter.GetBytes(start));
            output.AddRange(BitConverter.GetBytes(length));
        }

        return [.. output];
    }

    /// <summary>The offset of the catch handler plus one, or zero; then triples: where it yields, where it resumes, in which method.</summary>
    private static byte[] MovedSteps(ReadOnlySpan<byte> blob, Func<int, int> move)
    {
        uint handler = Read(ref blob);
        var output = new List<byte>(BitConverter.GetBytes(handler == 0 ? 0 : move((int)handler - 1) + 1));
        while (!blob.IsEmpty)
        {
            output.AddRange(BitConverter.GetBytes(move((int)Read(ref blob))));
            output.AddRange(BitConverter.GetBytes(move((int)Read(ref blob))));
            BlobBytes.AddCompressed(output, BlobBytes.ReadCompressed(ref blob));
        }

        return [.. output];
    }

    private static (uint Start, uint Length) MovedRange(uint start, uint length, Func<int, int> move)
    {
        int from = move((int)start);
        return ((uint)from, (uint)(move(checked((int)(start + length))) - from));
    }

    private static uint Read(ref ReadOnlySpan<byte> blob)
    {
        if (blob.Length < 4)
            throw new InvalidDataException("a blob ends within a number");
        uint value = BinaryPrimitives.ReadUInt32LittleEndian(blob);
        blob = blob[4..];
        return value;
    }
}
