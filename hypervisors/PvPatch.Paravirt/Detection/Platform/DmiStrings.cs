namespace PvPatch.Paravirt.Detection.Platform;

/// <summary>The strings of the machine's SMBIOS (DMI) table that tell one machine from another. The names are Linux's, from /sys/class/dmi/id.</summary>
public enum DmiField
{
    /// <summary>SMBIOS type 1, manufacturer.</summary>
    SystemVendor,

    /// <summary>SMBIOS type 1, product name.</summary>
    ProductName,

    /// <summary>SMBIOS type 1, version.</summary>
    ProductVersion,

    /// <summary>SMBIOS type 1, serial number. On Linux only root may read it.</summary>
    ProductSerial,

    /// <summary>SMBIOS type 1, family.</summary>
    ProductFamily,

    /// <summary>SMBIOS type 0, vendor.</summary>
    BiosVendor,

    /// <summary>SMBIOS type 0, version.</summary>
    BiosVersion,

    /// <summary>SMBIOS type 2, manufacturer.</summary>
    BoardVendor,

    /// <summary>SMBIOS type 2, product.</summary>
    BoardName,

    /// <summary>SMBIOS type 3, manufacturer.</summary>
    ChassisVendor,

    /// <summary>SMBIOS type 3, asset tag.</summary>
    ChassisAssetTag,
}

/// <summary>The DMI strings of one machine; any may be missing.</summary>
public sealed class DmiStrings
{
    private const string SysfsFolder = "sys/class/dmi/id";
    private const string RawTable = "sys/firmware/dmi/tables/DMI";
    private const int LargestRawTable = 1024 * 1024;

    private static readonly string[] SysfsNames =
    [
        "sys_vendor", "product_name", "product_version", "product_serial", "product_family",
        "bios_vendor", "bios_version", "board_vendor", "board_name", "chassis_vendor", "chassis_asset_tag",
    ];

    private readonly string?[] _strings = new string?[SysfsNames.Length];

    /// <summary>Where the strings were found: the folder or table; null when there are none.</summary>
    public string? Source { get; private set; }

    /// <summary>The firmware says that the machine is virtual (SMBIOS type 0, extension byte 2, bit 4); null when it isn't known.</summary>
    public bool? VirtualMachineBit { get; private set; }

    /// <summary>One string, or null.</summary>
    /// <param name="field">Which one.</param>
    public string? this[DmiField field]
    {
        get => _strings[(int)field];
        internal set => _strings[(int)field] = value;
    }

    /// <summary>The name Linux gives a string in /sys/class/dmi/id.</summary>
    /// <param name="field">Which string.</param>
    public static string NameOf(DmiField field) => SysfsNames[(int)field];

    /// <summary>Reads what the system shows: /sys/class/dmi/id, else the raw table, else (on Windows) the firmware table.</summary>
    /// <param name="files">The system.</param>
    public static DmiStrings Read(PlatformFiles files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var dmi = new DmiStrings();
        if (files.Exists(SysfsFolder))
        {
            dmi.Source = "/" + SysfsFolder;
            for (int i = 0; i < SysfsNames.Length; i++)
            {
                string path = $"{SysfsFolder}/{SysfsNames[i]}";
                dmi._strings[i] = i == (int)DmiField.ProductSerial ? files.ReadTextOfRoot(path) : files.ReadText(path);
            }
        }

        if (files.MayReadFilesOfRoot && files.ReadBytes(RawTable, LargestRawTable) is { } table)
            dmi.Take(table, "/" + RawTable);
        else if (files.IsThisMachine && OperatingSystem.IsWindows() && WindowsFirmware.ReadSmbiosStructures() is { } structures)
            dmi.Take(structures, "SMBIOS firmware table");
        return dmi;
    }

    // Strings that sysfs already gave are kept; the table adds the rest and the virtual machine bit.
    private void Take(ReadOnlySpan<byte> structures, string source)
    {
        DmiStrings table = SmbiosTable.Parse(structures);
        VirtualMachineBit = table.VirtualMachineBit;
        for (int i = 0; i < _strings.Length; i++)
        {
            if (_strings[i] is not null || table._strings[i] is null)
                continue;
            _strings[i] = table._strings[i];
            Source ??= source;
        }
    }

    internal void SetVirtualMachineBit(bool value) => VirtualMachineBit = value;
}
