using PvPatch.Emulator.Interpreter;
using PvPatch.Oracle.Cases;
using PvPatch.Oracle.Emulation;
using PvPatch.Oracle.Judgement;

namespace PvPatch.Emulator.Tests.Oracle;

/// <summary>Cases that the host CPU judged once, a case a line; they run on every host. The line's number is in the test's name.</summary>
[TestFixture(ExecutionTier.Interpreted)]
[TestFixture(ExecutionTier.Translated)]
public sealed class CaseFileTests : IDisposable
{
    private readonly EmulatedOracle _emulator;

    public CaseFileTests(ExecutionTier tier) => _emulator = new EmulatedOracle(tier);

    public static IEnumerable<TestCaseData> Lines()
    {
        foreach (string path in Directory.EnumerateFiles(Path.Combine(TestContext.CurrentContext.TestDirectory, "Cases"), "*.txt").Order(StringComparer.Ordinal))
        {
            int number = 0;
            foreach (string line in File.ReadLines(path))
            {
                number++;
                if (line.Length > 0 && line[0] != '#')
                    yield return new TestCaseData(line).SetArgDisplayNames($"{Path.GetFileNameWithoutExtension(path)} line {number}");
            }
        }
    }

    [TestCaseSource(nameof(Lines))]
    public void A_recorded_case_gives_what_the_host_gave(string line)
    {
        (MachineCase given, MachineCase host) = CaseLine.Parse(line);
        Assert.That(CaseComparison.Difference(given, host, _emulator.Run(given)), Is.Null, string.Join("; ", given.Instructions));
    }

    public void Dispose() => _emulator.Dispose();
}
