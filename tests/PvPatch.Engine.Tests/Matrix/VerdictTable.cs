using System.Text;

namespace PvPatch.Engine.Tests.Matrix;

/// <summary>The verdicts that are expected: Verdicts.txt, a table a way, a line a kind, a column a state.</summary>
internal static class VerdictTable
{
    public static readonly string[] Ways = ["image", "in-place", "late"];
    public static readonly string[] States = ["cold", "tier-0", "tier-1"];

    private static readonly string Source = Path.Combine(Repository.Root, "tests/PvPatch.Engine.Tests/Matrix/Verdicts.txt");

    private const int KindWidth = 36, VerdictWidth = 34;

    /// <summary>Whether the file is to be written anew, for a person to read the difference.</summary>
    public static bool IsRewritten => Environment.GetEnvironmentVariable("PVPATCH_REWRITE_VERDICTS") is "1";

    /// <summary>Every verdict expected.</summary>
    public static IReadOnlyList<(string Way, string State, string Kind, string Verdict)> Rows { get; } = [.. Read()];

    /// <summary>Writes the table.</summary>
    public static void Write(IReadOnlyDictionary<(string Way, string State), IReadOnlyList<KindResult>> results)
    {
        var text = new StringBuilder();
        foreach (string line in File.ReadLines(Source).TakeWhile(l => l.StartsWith('#')))
            text.Append(line).Append('\n');
        foreach (string way in Ways)
        {
            text.Append('\n').Append(Line(way, States));
            foreach (string kind in results[(way, States[0])].Select(r => r.Kind).Distinct(StringComparer.Ordinal))
                text.Append(Line(kind, [.. States.Select(s => results[(way, s)].First(r => r.Kind == kind).Verdict)]));
        }

        File.WriteAllText(Source, text.ToString());
    }

    private static string Line(string first, string[] columns) =>
        $"{first,-KindWidth}  {string.Join("  ", columns.Select(c => c.PadRight(VerdictWidth)))}".TrimEnd() + "\n";

    private static IEnumerable<(string Way, string State, string Kind, string Verdict)> Read()
    {
        string way = "";
        foreach (string line in File.ReadLines(Source).Where(l => l.Length > 0 && !l.StartsWith('#')))
        {
            string[] columns = line.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (Array.IndexOf(Ways, columns[0]) >= 0)
            {
                way = columns[0];
                continue;
            }

            for (int s = 0; s < States.Length; s++)
                yield return (way, States[s], columns[0], columns[s + 1]);
        }
    }
}
