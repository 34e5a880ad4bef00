using System.ComponentModel;
using System.Text.Json;

namespace PvPatch.Perf.Yardsticks;

/// <summary>
/// <c>emulator</c>: what of the emulator's speed is no ratio of a program's work (these are the lab's EmulatorPrograms). <c>--start-up</c>,
/// <c>--cold</c>, <c>--threads</c> and <c>--growth</c> choose what is measured, none of them means all but <c>--growth</c>; <c>--quick</c> measures
/// shorter, <c>--tool FILE</c> takes a published PvPatch, <c>--json FILE</c> writes the figures too.
/// </summary>
internal static class EmulatorCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };
    private static readonly string[] Subjects = ["--start-up", "--cold", "--threads", "--growth"];

    /// <summary>Measures, prints; the exit code.</summary>
    public static int Run(ReadOnlySpan<string> args)
    {
        var chosen = new HashSet<string>(StringComparer.Ordinal);
        string? tool = null, json = null;
        bool quick = false;
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] is "--quick")
                quick = true;
            else if (args[i] is "--tool" && i + 1 < args.Length)
                tool = args[++i];
            else if (args[i] is "--json" && i + 1 < args.Length)
                json = args[++i];
            else if (Subjects.Contains(args[i], StringComparer.Ordinal))
                chosen.Add(args[i]);
            else
                return Fail($"'{args[i]}' is none of {string.Join(", ", Subjects)}, --quick, --tool FILE, --json FILE.");
        }

        if (!OperatingSystem.IsLinux())
            return Fail("The yardsticks are Linux programs: they are measured on Linux only.");
        if (chosen.Count == 0)
            chosen.UnionWith(Subjects[..^1]);
        try
        {
            Measure(tool, chosen, quick, json);
            return 0;
        }
        catch (Exception e) when (e is InvalidOperationException or PlatformNotSupportedException or Win32Exception)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private static void Measure(string? tool, HashSet<string> chosen, bool quick, string? json)
    {
        using var installation = new Installation(tool);
        var figures = new Dictionary<string, object>(StringComparer.Ordinal);
        if (chosen.Contains("--start-up"))
            figures["startUp"] = StartUp.Measure(installation, quick ? 5 : 15);
        if (chosen.Contains("--cold"))
            figures["cold"] = ColdCode.Measure(installation, quick ? 3 : 7);
        if (chosen.Contains("--threads"))
            figures["threads"] = TwoMachines.Measure(quick ? 3 : 7);
        if (chosen.Contains("--growth"))
            figures["growth"] = Growth.Measure(installation, quick);
        if (json is not null)
            File.WriteAllText(json, JsonSerializer.Serialize(figures, Json));
    }

    private static int Fail(string sentence)
    {
        Console.Error.WriteLine(sentence);
        return 2;
    }
}
