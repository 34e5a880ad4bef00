namespace PvPatch.Engine.Extension;

/// <summary>The lines of a method: the blob of a PDB's <c>MethodDebugInformation</c> (Portable PDB format, "Sequence Points Blob").</summary>
internal static class SequencePoints
{
    private const int Hidden = 0xFEEFEE; // the line of a point that no source stands for

    /// <summary>The blob with every point where its instruction is now.</summary>
    /// <param name="blob">The blob as it was.</param>
    /// <param name="hasDocument">Whether the row names the method's one document, which the blob then does not.</param>
    /// <param name="move">The new offset for an old one; never descending.</param>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static byte[] Moved(ReadOnlySpan<byte> blob, bool hasDocument, Func<int, int> move)
    {
        if (blob.IsEmpty)
            return [];
        int locals = BlobBytes.ReadCompressed(ref blob);
        int document = hasDocument ? 0 : BlobBytes.ReadCompressed(ref blob);
        var output = new List<byte>();
        BlobBytes.AddCompressed(output, locals);
        if (!hasDocument)
            BlobBytes.AddCompressed(output, document);

        var written = new Writer(output, document);
        Point[] points = [.. Read(blob, document)];
        for (int i = 0; i < points.Length; i++)
        {
            int offset = move(points[i].Offset);
            if (i + 1 < points.Length && move(points[i + 1].Offset) <= offset)
                continue; // its instructions are gone
            written.Add(points[i] with { Offset = offset });
        }

        return [.. output];
    }

    private static List<Point> Read(ReadOnlySpan<byte> blob, int document)
    {
        var points = new List<Point>();
        int offset = 0, line = -1, column = 0;
        while (!blob.IsEmpty)
        {
            int step = BlobBytes.ReadCompressed(ref blob);
            if (step == 0 && points.Count > 0)
            {
                document = BlobBytes.ReadCompressed(ref blob);
                continue;
            }

            offset = checked(offset + step);
            int lines = BlobBytes.ReadCompressed(ref blob);
            int columns = lines == 0 ? BlobBytes.ReadCompressed(ref blob) : BlobBytes.ReadCompressedSigned(ref blob);
            if (lines == 0 && columns == 0)
            {
                points.Add(new Point(offset, document, Hidden, 0, 0, 0));
                continue;
            }

            bool isFirst = line < 0;
            line = isFirst ? BlobBytes.ReadCompressed(ref blob) : line + BlobBytes.ReadCompressedSigned(ref blob);
            column = isFirst ? BlobBytes.ReadCompressed(ref blob) : column + BlobBytes.ReadCompressedSigned(ref blob);
            points.Add(new Point(offset, document, line, column, lines, columns));
        }

        return points;
    }

    private readonly record struct Point(int Offset, int Document, int Line, int Column, int Lines, int Columns);

    private sealed class Writer(List<byte> output, int document)
    {
        private int _document = document;
        private int _offset = -1, _line = -1, _column;

        public void Add(Point point)
        {
            if (point.Document != _document)
            {
                _document = point.Document;
                BlobBytes.AddCompressed(output, 0);
                BlobBytes.AddCompressed(output, _document);
            }

            BlobBytes.AddCompressed(output, _offset < 0 ? point.Offset : point.Offset - _offset);
            _offset = point.Offset;
            BlobBytes.AddCompressed(output, point.Lines);
            if (point.Lines == 0)
                BlobBytes.AddCompressed(output, point.Columns);
            else
                BlobBytes.AddCompressedSigned(output, point.Columns);
            if (point.Line == Hidden)
                return;
            if (_line < 0)
            {
                BlobBytes.AddCompressed(output, point.Line);
                BlobBytes.AddCompressed(output, point.Column);
            }
            else
            {
                BlobBytes.AddCompressedSigned(output, point.Line - _line);
                BlobBytes.AddCompressedSigned(output, point.Column - _column);
            }

            (_line, _column) = (point.Line, point.Column);
        }
    }
}
