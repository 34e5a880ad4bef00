using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace PvPatch.Paravirt.Detection.Platform;

/// <summary>Windows' way to the firmware's tables.</summary>
[SupportedOSPlatform("windows")]
internal static partial class WindowsFirmware
{
    private const uint RawSmbios = 0x52534d42; // 'RSMB'
    private const int HeaderSize = 8;          // RawSMBIOSData: four bytes of version, then the length of what follows

    /// <summary>The SMBIOS structures; null when Windows doesn't give them.</summary>
    internal static unsafe byte[]? ReadSmbiosStructures()
    {
        // SAFETY: with a null buffer of size 0 the function writes nothing and returns the size it needs.
        uint size = GetSystemFirmwareTable(RawSmbios, 0, null, 0);
        if (size is <= HeaderSize or > 16 * 1024 * 1024)
            return null;

        byte[] data = new byte[size];
        uint written;
        fixed (byte* start = data)
        {
            // SAFETY: the buffer is pinned for the call and has the size that is passed with it.
            written = GetSystemFirmwareTable(RawSmbios, 0, start, size);
        }

        return StructuresIn(data.AsSpan(0, (int)Math.Min(written, size)));
    }

    private static byte[]? StructuresIn(ReadOnlySpan<byte> data)
    {
        if (data.Length <= HeaderSize)
            return null;
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(data[4..]);
        ReadOnlySpan<byte> structures = data[HeaderSize..];
        return structures[..(int)Math.Min(length, (uint)structures.Length)].ToArray();
    }

    // SAFETY: the signature is that of sysinfoapi.h; the callee writes at most bufferSize bytes.
    [LibraryImport("kernel32.dll")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static unsafe partial uint GetSystemFirmwareTable(uint provider, uint tableId, byte* buffer, uint bufferSize);
}
