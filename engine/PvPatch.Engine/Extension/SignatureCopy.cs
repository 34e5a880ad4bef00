namespace PvPatch.Engine.Extension;

/// <summary>Writes a signature for another module: the same but for the types' rows (ECMA-335, partition II, 23.2).</summary>
/// <param name="import">The row in the other module, coded as <c>TypeDefOrRef</c>, for a token of this one.</param>
internal sealed class SignatureCopy(Func<int, uint> import)
{
    private const byte Ptr = 0x0F, ByRef = 0x10, ValueType = 0x11, Class = 0x12, Var = 0x13, Array = 0x14, GenericInst = 0x15,
        FnPtr = 0x1B, SzArray = 0x1D, MVar = 0x1E, CmodReqd = 0x1F, CmodOpt = 0x20, Sentinel = 0x41, Pinned = 0x45; // 23.1.16
    private const byte Generic = 0x10; // 23.2.1

    private readonly List<byte> _copy = [];

    /// <summary>The copy of a method's signature.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public byte[] OfMethod(ReadOnlySpan<byte> signature)
    {
        _copy.Clear();
        CopyMethod(ref signature);
        return [.. _copy];
    }

    /// <summary>The copy of a field's signature (23.2.4).</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public byte[] OfField(ReadOnlySpan<byte> signature)
    {
        _copy.Clear();
        CopyByte(ref signature);
        CopyType(ref signature);
        return [.. _copy];
    }

    private void CopyMethod(ref ReadOnlySpan<byte> from)
    {
        byte header = CopyByte(ref from);
        if ((header & Generic) != 0)
            CopyNumber(ref from);
        int parameters = CopyNumber(ref from);
        for (int i = 0; i <= parameters; i++) // the return type comes first
            CopyType(ref from);
    }

    private void CopyType(ref ReadOnlySpan<byte> from)
    {
        switch (CopyByte(ref from))
        {
            case Ptr or ByRef or SzArray or Sentinel or Pinned:
                CopyType(ref from);
                break;
            case CmodReqd or CmodOpt:
                CopyRow(ref from);
                CopyType(ref from);
                break;
            case ValueType or Class:
                CopyRow(ref from);
                break;
            case Var or MVar:
                CopyNumber(ref from);
                break;
            case FnPtr:
                CopyMethod(ref from);
                break;
            case GenericInst:
                CopyType(ref from);
                for (int arguments = CopyNumber(ref from); arguments > 0; arguments--)
                    CopyType(ref from);
                break;
            case Array:
                CopyType(ref from);
                CopyNumber(ref from); // the rank
                for (int list = 0; list < 2; list++) // sizes, lower bounds
                {
                    for (int items = CopyNumber(ref from); items > 0; items--)
                        CopyNumber(ref from);
                }

                break;
        }
    }

    private byte CopyByte(ref ReadOnlySpan<byte> from)
    {
        byte value = from is [var first, ..] ? first : throw new InvalidDataException("a signature ends too early");
        _copy.Add(value);
        from = from[1..];
        return value;
    }

    private int CopyNumber(ref ReadOnlySpan<byte> from)
    {
        ReadOnlySpan<byte> before = from;
        int value = BlobBytes.ReadCompressed(ref from);
        _copy.AddRange(before[..^from.Length]);
        return value;
    }

    private void CopyRow(ref ReadOnlySpan<byte> from)
    {
        int coded = BlobBytes.ReadCompressed(ref from);
        BlobBytes.AddCompressed(_copy, (int)import(Table.TokenOf(TableColumns.TypeDefOrRef.Tables[Math.Min(coded & 3, 2)], coded >> 2)));
    }
}
