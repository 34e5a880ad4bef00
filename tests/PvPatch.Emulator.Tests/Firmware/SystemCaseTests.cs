using PvPatch.Emulator.Interpreter;

namespace PvPatch.Emulator.Tests.Firmware;

/// <summary>
/// System cases that Bochs judged once, a case a line; they run everywhere, in one ROM for each file, mode and level, those of 64-bit
/// mode in translated code too. What differs is told with its line's number.
/// </summary>
public sealed class SystemCaseTests
{
    private static string Folder => Path.Combine(TestContext.CurrentContext.TestDirectory, "Cases", "System");

    public static IEnumerable<TestCaseData> Groups() =>
        from path in Directory.EnumerateFiles(Folder, "*.txt").Order(StringComparer.Ordinal)
        from start in Lines(path).Select(line => Start(line.Text)).Distinct(StringComparer.Ordinal)
        from tier in EmulatedPc.Tiers(Enum.Parse<SystemMode>(start.Split(' ')[0]))
        select new TestCaseData(path, start, tier).SetArgDisplayNames($"{Path.GetFileNameWithoutExtension(path)}, {start}, {tier}");

    [TestCaseSource(nameof(Groups))]
    public void Recorded_system_cases_end_as_they_did(string path, string start, ExecutionTier tier)
    {
        List<(int Number, string Text)> lines = [.. Lines(path).Where(line => Start(line.Text) == start)];
        SystemCase[] cases = [.. lines.Select(line => SystemCaseText.Parse(line.Text[..line.Text.IndexOf(" => ", StringComparison.Ordinal)]))];
        using var pc = new EmulatedPc(cases, tier);
        List<SystemResult> results = SystemResult.Parse(cases, pc.Run());
        string[] differing =
        [
            .. Enumerable.Range(0, cases.Length)
                .Where(i => SystemCaseText.Format(cases[i], results[i]) != lines[i].Text)
                .Select(i => $"line {lines[i].Number}: {lines[i].Text}\n  now {SystemCaseText.FormatResult(cases[i], results[i])}"),
        ];
        Assert.That(differing, Is.Empty);
    }

    /// <summary>Mode and level, with which a line begins.</summary>
    private static string Start(string line)
    {
        string[] words = line.Split(' ', 3);
        return words[1].StartsWith("cpl=", StringComparison.Ordinal) ? $"{words[0]} {words[1]}" : words[0];
    }

    private static IEnumerable<(int Number, string Text)> Lines(string path) =>
        File.ReadLines(path).Select((text, index) => (index + 1, text)).Where(line => line.text.Length > 0 && line.text[0] != '#');
}
