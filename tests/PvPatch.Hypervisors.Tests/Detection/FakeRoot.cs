using System.Text;
using PvPatch.Paravirt.Detection.Platform;

namespace PvPatch.Hypervisors.Tests.Detection;

/// <summary>A folder that stands for the root of a system's files; it goes away with the test.</summary>
internal sealed class FakeRoot : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("pvpatch-root-");
    private readonly Dictionary<string, string> _variables = new(StringComparer.Ordinal);

    internal PlatformFiles Files => new(_folder.FullName, _variables);

    /// <summary>Fills a root from rows: <c>path=text</c>, <c>acpi:NAME=OEM id</c>, <c>env:NAME=text</c>; <c>\0</c> is a zero byte.</summary>
    internal static FakeRoot With(params string[] rows)
    {
        var root = new FakeRoot();
        foreach (string row in rows)
        {
            string[] parts = row.Split('=', 2);
            string text = parts[1].Replace(@"\0", "\0", StringComparison.Ordinal);
            if (parts[0].StartsWith("env:", StringComparison.Ordinal))
                root._variables[parts[0]["env:".Length..]] = text;
            else if (parts[0].StartsWith("acpi:", StringComparison.Ordinal))
                root.Write("sys/firmware/acpi/tables/" + parts[0]["acpi:".Length..], AcpiTable(text));
            else
                root.Write(parts[0], Encoding.UTF8.GetBytes(text));
        }

        return root;
    }

    internal void Write(string path, byte[] bytes)
    {
        string full = Path.Combine(_folder.FullName, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllBytes(full, bytes);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static byte[] AcpiTable(string oem)
    {
        byte[] table = new byte[60];
        Encoding.ASCII.GetBytes(oem.PadRight(6)).CopyTo(table, 10);
        return table;
    }
}
