using System.Text.Json;
using PvPatch.Engine.Diagnosis;
using PvPatch.Engine.RuntimeEvents;

namespace PvPatch.Engine.Tests.Diagnosis;

/// <summary>A body in the JSON of a diagnosis.</summary>
internal sealed record PrintedBody(string Method, CodeTier Tier, bool IsCopy, BodyIl Il, BodyUse Use, double? Milliseconds, int? Size, string[] Through);

/// <summary>A method in the JSON of a diagnosis.</summary>
internal sealed record PrintedMethod(string Method, DiagnosisVerdict Verdict, double? PatchedAt, double? RestoredAt, string? Unseen, PrintedBody[] Bodies, PrintedBody[] InlinedInto, RefusedInlining[] NotInlinedInto);

/// <summary>What <see cref="DiagnosedProgram"/> prints, read by what the documents say of its form.</summary>
internal sealed class PrintedDiagnosis
{
    private const string Fixtures = "PvPatch.Engine.Fixtures.";

    private static readonly Dictionary<string, Task<PrintedDiagnosis>> Printed = new(StringComparer.Ordinal);
    private static readonly JsonSerializerOptions Form = new(JsonSerializerDefaults.Web);

    private PrintedDiagnosis(string output)
    {
        string[] parts = output.Split($"{DiagnosedProgram.Rule}\n");
        Assert.That(parts, Has.Length.EqualTo(3), output);
        Text = parts[0];
        Json = JsonDocument.Parse(parts[1]).RootElement;
        Methods = Json.GetProperty("methods").Deserialize<PrintedMethod[]>(Form)!;
        Calls = parts[2].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ')).ToDictionary(w => w[0], w => int.Parse(w[1]), StringComparer.Ordinal);
    }

    /// <summary>The report as text.</summary>
    public string Text { get; }

    /// <summary>The whole of the JSON.</summary>
    public JsonElement Json { get; }

    /// <summary>The methods in it.</summary>
    public PrintedMethod[] Methods { get; }

    /// <summary>How many calls each function made through slots when the report was made.</summary>
    public IReadOnlyDictionary<string, int> Calls { get; }

    /// <summary>A method, by its name without the namespace.</summary>
    public PrintedMethod this[string name] => Methods.Single(m => m.Method == Fixtures + name);

    /// <summary>Runs the program in a process of its own, once for all tests that ask for the same.</summary>
    /// <param name="state">What has run when the patch is applied.</param>
    /// <param name="settings">Environment variables.</param>
    public static Task<PrintedDiagnosis> Of(string state, params string[] settings)
    {
        string asked = string.Join(' ', [state, .. settings]);
        lock (Printed)
        {
            if (!Printed.TryGetValue(asked, out Task<PrintedDiagnosis>? printed))
                Printed[asked] = printed = Run(state, settings);
            return printed;
        }
    }

    /// <summary>Full name of a method of the fixtures.</summary>
    public static string Full(string name) => Fixtures + name;

    private static async Task<PrintedDiagnosis> Run(string state, string[] settings)
    {
        for (int again = 3; ; again--)
        {
            (int exitCode, string output) = await ChildProcess.RunAsync(["diagnosis", state], settings, TestContext.CurrentContext.CancellationToken);
            if (exitCode == 0)
                return new PrintedDiagnosis(output);
            Assert.That(again > 0 && Array.Exists(settings, IsListOfTheJit), Is.True, output);
            Array.ForEach(Array.FindAll(settings, IsListOfTheJit), s => File.Delete(s.Split('=')[1])); // the JIT adds to it
            TestContext.Out.WriteLine($"The process ended with {exitCode} while the JIT wrote its list; it runs again.");
        }
    }

    /// <summary>Whether the JIT writes a list to a file. Of programs that do nothing else, two in a hundred crash at their end then, when it closes the file under a thread that compiles.</summary>
    private static bool IsListOfTheJit(string setting) => setting.StartsWith("DOTNET_JitStdOutFile=", StringComparison.Ordinal);
}
