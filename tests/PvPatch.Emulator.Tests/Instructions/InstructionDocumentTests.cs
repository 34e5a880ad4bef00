using System.Text;
using Iced.Intel;
using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Tests.Instructions;

/// <summary>docs/instructions.md says what the table says.</summary>
public sealed class InstructionDocumentTests
{
    private const string Start = "<!-- the table -->\n";

    [Test]
    public void The_document_lists_what_the_table_has()
    {
        string path = Path.Combine(Root(), "docs", "instructions.md");
        string document = File.ReadAllText(path).ReplaceLineEndings("\n");
        int start = document.IndexOf(Start, StringComparison.Ordinal) + Start.Length;
        string listed = Listed();
        if (Environment.GetEnvironmentVariable("PVPATCH_APPROVE") is "1")
            File.WriteAllText(path, document = document[..start] + listed);
        Assert.That(document[start..], Is.EqualTo(listed), "PVPATCH_APPROVE=1 writes it, for you to review.");
    }

    private static string Listed()
    {
        var text = new StringBuilder("\n| CPUID feature, as Iced names it | all of it | instructions |\n| --- | --- | --- |\n");
        foreach (IGrouping<string, Code> group in InstructionTable.Supported.GroupBy(FeaturesOf, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            bool whole = Enum.GetValues<Code>().Where(code => FeaturesOf(code) == group.Key && IsPromised(code)).All(InstructionTable.IsSupported);
            IEnumerable<string> names = group.Select(code => $"{code.Mnemonic()}".ToUpperInvariant()).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
            text.Append($"| {group.Key} | {(whole ? "yes" : "no")} | {string.Join(' ', names)} |\n");
        }

        return text.ToString();
    }

    /// <summary>WAIT with another instruction behind it is two.</summary>
    private static bool IsPromised(Code code) => code.ToOpCode() is { IsInstruction: true, Fwait: false, Mode64: true };

    private static string FeaturesOf(Code code) => string.Join(" + ", code.CpuidFeatures());

    private static string Root()
    {
        string folder = TestContext.CurrentContext.TestDirectory;
        while (!File.Exists(Path.Combine(folder, "PvPatch.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("The tests run outside the repository.");
        return folder;
    }
}
