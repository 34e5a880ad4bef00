using System.Text;

namespace PvPatch.Paravirt.Detection.Platform;

/// <summary>
/// Reads the structures of an SMBIOS table (DMTF DSP0134, 6.1 and 7): each is a header (type, length, handle), its
/// formatted part up to that length, then its strings, each ended by a zero byte, and one more zero byte. A table that is
/// cut off or damaged gives what stands before the damage; it never makes the reader fail.
/// </summary>
public static class SmbiosTable
{
    private const int HeaderSize = 4;
    private const byte EndOfTable = 127;
    private const int BiosExtension2 = 0x13;
    private const byte VirtualMachine = 1 << 4;

    /// <summary>Where a string's number stands in the formatted part: structure type, offset, string.</summary>
    private static readonly (byte Type, int Offset, DmiField Field)[] StringOffsets =
    [
        (0, 0x04, DmiField.BiosVendor),
        (0, 0x05, DmiField.BiosVersion),
        (1, 0x04, DmiField.SystemVendor),
        (1, 0x05, DmiField.ProductName),
        (1, 0x06, DmiField.ProductVersion),
        (1, 0x07, DmiField.ProductSerial),
        (1, 0x1a, DmiField.ProductFamily),
        (2, 0x04, DmiField.BoardVendor),
        (2, 0x05, DmiField.BoardName),
        (3, 0x04, DmiField.ChassisVendor),
        (3, 0x08, DmiField.ChassisAssetTag),
    ];

    /// <summary>Takes the strings out of a table. Of several structures of one type the first one counts.</summary>
    /// <param name="table">The structures, without the entry point before them.</param>
    public static DmiStrings Parse(ReadOnlySpan<byte> table)
    {
        var dmi = new DmiStrings();
        while (table.Length >= HeaderSize)
        {
            byte type = table[0];
            int length = table[1];
            if (length < HeaderSize || length > table.Length || type == EndOfTable)
                break;

            ReadOnlySpan<byte> formatted = table[..length];
            ReadOnlySpan<byte> strings = StringsAt(table[length..]);
            foreach ((byte ofType, int offset, DmiField field) in StringOffsets)
            {
                if (ofType == type && offset < length)
                    dmi[field] ??= StringNumber(strings, formatted[offset]);
            }

            if (type == 0 && BiosExtension2 < length && dmi.VirtualMachineBit is null)
                dmi.SetVirtualMachineBit((formatted[BiosExtension2] & VirtualMachine) != 0);

            int next = length + strings.Length + 2;
            if (next > table.Length)
                break;
            table = table[next..];
        }

        return dmi;
    }

    // The strings up to, not with, the two zero bytes that end them; everything when these are missing.
    private static ReadOnlySpan<byte> StringsAt(ReadOnlySpan<byte> rest)
    {
        int end = rest.IndexOf((ReadOnlySpan<byte>)[0, 0]);
        return end < 0 ? rest : rest[..end];
    }

    // Strings are counted from 1; number 0 means there is none.
    private static string? StringNumber(ReadOnlySpan<byte> strings, int number)
    {
        if (number == 0)
            return null;
        foreach (Range range in strings.Split((byte)0))
        {
            if (--number != 0)
                continue;
            string text = Encoding.UTF8.GetString(strings[range]).Trim();
            return text.Length == 0 ? null : text;
        }

        return null;
    }
}
