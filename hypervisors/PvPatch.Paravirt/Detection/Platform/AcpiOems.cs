using System.Text;

namespace PvPatch.Paravirt.Detection.Platform;

/// <summary>
/// The OEM ids in the headers of the ACPI tables under /sys/firmware/acpi/tables (on Linux only root may read them). A
/// small machine monitor that builds no DMI table still signs these.
/// </summary>
public static class AcpiOems
{
    private const string Folder = "sys/firmware/acpi/tables";
    private const int HeaderSize = 36; // ACPI 6.5, 5.2.6: signature 0, length 4, revision 8, checksum 9, OEM id 10 to 15
    private const int OemOffset = 10;
    private const int OemSize = 6;

    /// <summary>Every OEM id once, in ordinal order, without spaces at the end.</summary>
    /// <param name="files">The system.</param>
    public static IReadOnlyList<string> Read(PlatformFiles files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var oems = new List<string>();
        if (!files.MayReadFilesOfRoot)
            return oems;

        foreach (string name in files.NamesIn(Folder))
        {
            if (files.ReadBytes($"{Folder}/{name}", HeaderSize) is not { Length: HeaderSize } header)
                continue;

            string oem = Encoding.Latin1.GetString(header, OemOffset, OemSize).TrimEnd(' ', '\0');
            if (oem.Length > 0 && !oems.Contains(oem))
                oems.Add(oem);
        }

        if (oems.Count > 1)
            oems.Sort(StringComparer.Ordinal);
        return oems;
    }
}
