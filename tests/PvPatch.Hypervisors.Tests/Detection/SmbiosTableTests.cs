using System.Text;
using PvPatch.Paravirt.Detection.Platform;

namespace PvPatch.Hypervisors.Tests.Detection;

[TestFixture]
public sealed class SmbiosTableTests
{
    [Test]
    public void Strings_come_from_their_structures()
    {
        DmiStrings dmi = SmbiosTable.Parse(SampleTable());
        using (Assert.EnterMultipleScope())
        {
            Assert.That(dmi[DmiField.BiosVendor], Is.EqualTo("SeaBIOS"));
            Assert.That(dmi[DmiField.BiosVersion], Is.EqualTo("1.16.2"));
            Assert.That(dmi[DmiField.SystemVendor], Is.EqualTo("QEMU"));
            Assert.That(dmi[DmiField.ProductName], Is.EqualTo("Standard PC"));
            Assert.That(dmi[DmiField.ProductSerial], Is.Null);
            Assert.That(dmi[DmiField.ChassisAssetTag], Is.EqualTo("tag"));
            Assert.That(dmi.VirtualMachineBit, Is.True);
        }
    }

    [Test]
    public void A_structure_without_strings_ends_with_two_zeros()
    {
        byte[] table = [126, 4, 0, 0, 0, 0, .. Structure(1, [1, 0], "ACME")];
        Assert.That(SmbiosTable.Parse(table)[DmiField.SystemVendor], Is.EqualTo("ACME"));
    }

    [Test]
    public void The_first_structure_of_a_type_counts()
    {
        byte[] table = [.. Structure(1, [1], "first"), .. Structure(1, [1], "second")];
        Assert.That(SmbiosTable.Parse(table)[DmiField.SystemVendor], Is.EqualTo("first"));
    }

    [Test]
    public void Nothing_behind_the_end_of_the_table_is_read()
    {
        byte[] table = [.. Structure(127, []), .. Structure(1, [1], "late")];
        Assert.That(SmbiosTable.Parse(table)[DmiField.SystemVendor], Is.Null);
    }

    [Test]
    public void A_string_number_beyond_the_last_string_is_no_string()
    {
        Assert.That(SmbiosTable.Parse(Structure(1, [9], "only"))[DmiField.SystemVendor], Is.Null);
    }

    [Test]
    public void Every_truncation_is_survived_and_gives_nothing_new()
    {
        byte[] table = SampleTable();
        DmiStrings whole = SmbiosTable.Parse(table);
        for (int length = 0; length < table.Length; length++)
        {
            DmiStrings part = SmbiosTable.Parse(table.AsSpan(0, length));
            foreach (DmiField field in Enum.GetValues<DmiField>())
                Assert.That(part[field], Is.Null.Or.EqualTo(whole[field]).Or.Matches<string?>(s => whole[field]!.StartsWith(s!, StringComparison.Ordinal)), $"{field} at {length}");
        }
    }

    [Test]
    public void Flipped_bits_are_survived([Range(1, 20)] int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 200; round++)
        {
            byte[] table = SampleTable();
            for (int i = 0; i < 1 + random.Next(6); i++)
                table[random.Next(table.Length)] ^= (byte)(1 << random.Next(8));
            Assert.That(() => SmbiosTable.Parse(table.AsSpan(0, random.Next(table.Length + 1))), Throws.Nothing);
        }
    }

    internal static byte[] SampleTable() =>
    [
        .. Structure(0, [1, 2, 0, 0xe8, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 << 4], "SeaBIOS", "1.16.2", "04/01/2014"),
        .. Structure(1, [1, 2, 3, 0], "QEMU", "Standard PC", "pc-q35"),
        .. Structure(3, [1, 1, 0, 0, 2], "QEMU", "tag"),
        .. Structure(127, []),
    ];

    private static byte[] Structure(byte type, byte[] formatted, params string[] strings)
    {
        var bytes = new List<byte> { type, (byte)(4 + formatted.Length), 0, 0 };
        bytes.AddRange(formatted);
        foreach (string text in strings)
        {
            bytes.AddRange(Encoding.ASCII.GetBytes(text));
            bytes.Add(0);
        }

        bytes.Add(0);
        if (strings.Length == 0)
            bytes.Add(0);
        return [.. bytes];
    }
}
