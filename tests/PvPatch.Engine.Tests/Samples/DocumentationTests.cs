using System.Text.RegularExpressions;

namespace PvPatch.Engine.Tests.Samples;

/// <summary>The C# that documents show is compiled: each piece stands in the file that is named above it.</summary>
internal sealed partial class DocumentationTests
{
    private static readonly string[] Documents = ["README.md", "docs/engine.md", "docs/diagnosis.md", "engine/PvPatch.Engine/README.md"];

    [TestCaseSource(nameof(Documents))]
    public void A_piece_of_code_is_a_piece_of_the_file_above_it(string document)
    {
        string text = Repository.Text(document);
        MatchCollection pieces = Piece().Matches(text);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(pieces, Has.Count.EqualTo(Regex.Count(text, "^```csharp$", RegexOptions.Multiline)), "each has a comment above it that names its file");
            foreach (Match piece in pieces)
                Assert.That(Outdented(Repository.Text(piece.Groups["file"].Value)), Does.Contain(Outdented(piece.Groups["code"].Value)), piece.Groups["file"].Value);
        }
    }

    [Test]
    public void Every_sample_is_shown()
    {
        string engine = Repository.Text("docs/engine.md");
        string[] samples = [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "engine/samples"), "Program.cs", SearchOption.AllDirectories).Select(f => Path.GetFileName(Path.GetDirectoryName(f)!))];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(samples, Has.Length.GreaterThanOrEqualTo(3));
            foreach (string sample in samples)
                Assert.That(engine, Does.Contain($"<!-- engine/samples/{sample}/"));
        }
    }

    /// <summary>A document may show the inside of a block at its margin.</summary>
    private static string Outdented(string code) => string.Join('\n', code.Split('\n').Select(line => line.TrimStart()));

    [GeneratedRegex("^<!-- (?<file>\\S+) -->\n```csharp\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Piece();
}
