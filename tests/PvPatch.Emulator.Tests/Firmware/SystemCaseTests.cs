namespace PvPatch.Emulator.Tests.Firmware;

/// <summary>System cases that Bochs judged once, a case a line; they run everywhere. The line's number is in the test's name.</summary>
public sealed class SystemCaseTests
{
    private static readonly Lazy<Dictionary<string, (SystemCase Case, SystemResult Result)>> Ended = new(RunAll);

    public static IEnumerable<TestCaseData> Lines() =>
        AllLines().Select(line => new TestCaseData(line.Text).SetArgDisplayNames($"{line.File} line {line.Number}"));

    [TestCaseSource(nameof(Lines))]
    public void A_recorded_system_case_ends_as_it_did(string line)
    {
        (SystemCase one, SystemResult result) = Ended.Value[line];
        Assert.That(SystemCaseText.Format(one, result), Is.EqualTo(line));
    }

    private static IEnumerable<(string File, int Number, string Text)> AllLines()
    {
        string folder = Path.Combine(TestContext.CurrentContext.TestDirectory, "Cases", "System");
        foreach (string path in Directory.EnumerateFiles(folder, "*.txt").Order(StringComparer.Ordinal))
        {
            int number = 0;
            foreach (string line in File.ReadLines(path))
            {
                number++;
                if (line.Length > 0 && line[0] != '#')
                    yield return (Path.GetFileNameWithoutExtension(path), number, line);
            }
        }
    }

    /// <summary>All lines in one ROM, as a PC would run them.</summary>
    private static Dictionary<string, (SystemCase Case, SystemResult Result)> RunAll()
    {
        string[] lines = [.. AllLines().Select(line => line.Text).Distinct(StringComparer.Ordinal)];
        SystemCase[] cases = [.. lines.Select(line => SystemCaseText.Parse(line[..line.IndexOf(" => ", StringComparison.Ordinal)]))];
        using var pc = new EmulatedPc(cases);
        List<SystemResult> results = SystemResult.Parse(cases, pc.Run());
        return Enumerable.Range(0, lines.Length).ToDictionary(i => lines[i], i => (cases[i], results[i]), StringComparer.Ordinal);
    }
}
