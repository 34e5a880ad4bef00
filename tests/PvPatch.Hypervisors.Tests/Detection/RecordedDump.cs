using System.Globalization;
using PvPatch.Paravirt.Detection.Cpuid;

namespace PvPatch.Hypervisors.Tests.Detection;

/// <summary>A file of Dumps/: the comment lines at its head say what must come out.</summary>
internal sealed class RecordedDump
{
    private readonly Dictionary<string, string> _expectations = new(StringComparer.Ordinal);

    private RecordedDump(string path)
    {
        Name = Path.GetFileNameWithoutExtension(path);
        Text = File.ReadAllText(path);
        foreach (string line in Text.Split('\n').TakeWhile(line => line.StartsWith('#')))
        {
            string[] parts = line[1..].Split(':', 2, StringSplitOptions.TrimEntries);
            _expectations[parts[0]] = parts[1];
        }
    }

    internal static string Folder { get; } = Path.Combine(TestContext.CurrentContext.TestDirectory, "Detection", "Dumps");

    internal string Name { get; }

    internal string Text { get; }

    internal HypervisorKind Kind => Enum.Parse<HypervisorKind>(_expectations["kind"]);

    internal bool PickedByLinux => _expectations["picked by Linux"] is "yes";

    internal uint Base => uint.Parse(_expectations["base"][2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    internal bool HypervisorBit => _expectations["hypervisor bit"] is "set";

    /// <summary>The names of the offered features; null when the dump doesn't say.</summary>
    internal string? Offers => _expectations.GetValueOrDefault("offers");

    internal static RecordedDump Load(string name) => new(Path.Combine(Folder, name + ".txt"));

    internal static IEnumerable<RecordedDump> All() =>
        Directory.GetFiles(Folder, "*.txt").Order(StringComparer.Ordinal).Select(path => new RecordedDump(path));

    internal TestCaseData AsTestCase() => new TestCaseData(this).SetArgDisplayNames(Name);

    public override string ToString() => Name;
}
