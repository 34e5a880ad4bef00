using System.Globalization;
using System.Text;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Diagnosis;

/// <summary>A diagnosis for people: the totals, what limits it, then each method with its sites and bodies, the worst verdict first.</summary>
internal static class DiagnosisText
{
    /// <summary>The report as text, each line ended by a line feed.</summary>
    public static string Of(DiagnosisReport report)
    {
        var text = new StringBuilder();
        string[] totals = [.. report.Totals.OrderBy(t => t.Key).Select(t => $"{t.Value} {Words(t.Key)}")];
        Line(text, $"{report.Methods.Count} {(report.Methods.Count == 1 ? "method" : "methods")} with patched sites{(totals.Length > 0 ? ": " : "")}{string.Join("; ", totals)}");
        foreach (string note in report.Notes)
            Line(text, $"note: {note}");
        foreach (DiagnosedMethod method in report.Methods.Where(m => !IsIdle(m)))
            Add(text, method);
        DiagnosedMethod[] idle = [.. report.Methods.Where(IsIdle)];
        if (idle.Length > 0)
            Line(text, $"\nNot compiled yet");
        foreach (DiagnosedMethod method in idle)
            Line(text, $"  {method.Module}!{method.Method}");
        return text.ToString();
    }

    private static bool IsIdle(DiagnosedMethod method) => method is { Verdict: DiagnosisVerdict.NotCompiled, NotInlinedInto.Count: 0 };

    private static string Words(DiagnosisVerdict verdict) => verdict switch
    {
        DiagnosisVerdict.OldBodyRuns => "an old body runs",
        DiagnosisVerdict.Unknown => "not known what runs",
        DiagnosisVerdict.OldLoopMayRun => "patched, but a thread may be in a loop of an old body",
        DiagnosisVerdict.OldBodyRetired => "patched, an old body is retired",
        DiagnosisVerdict.NotCompiled => "not compiled yet",
        _ => "patched in every body",
    };

    private static void Add(StringBuilder text, DiagnosedMethod method)
    {
        string undone = method.RestoredAt is { } restored ? $", restored at {Milliseconds(restored)}" : "";
        string when = method.PatchedAt is { } written ? $" (patched at {Milliseconds(written)}{undone})" : "";
        Line(text, $"\n{method.Module}!{method.Method}: {Words(method.Verdict)}{when}");
        foreach (PatchedSite site in method.Sites)
            Line(text, $"  site     IL_{site.IlOffset.ToString("x4", CultureInfo.InvariantCulture)} {site.Op}: {site.Replacement}");
        (string Kind, CompiledBody Body)[] bodies = [.. method.Bodies.Select(b => ("body", b)), .. method.InlinedInto.Select(b => ("inlined", b))];
        if (bodies.Length > 0)
        {
            int tier = bodies.Max(b => Tier(b.Body).Length), time = bodies.Max(b => Time(b.Body).Length);
            foreach ((string kind, CompiledBody body) in bodies)
            {
                string place = kind is "body" && string.Equals(Plain(body.Method), method.Method, StringComparison.Ordinal) ? "" : $", in {body.Method}";
                string through = body.Through.Count > 0 ? $" through {string.Join(", ", body.Through)}" : "";
                Line(text, $"  {kind,-7}  {Tier(body).PadRight(tier)}  {Il(body.Il),-8}  {Time(body).PadLeft(time)}  {Place(body),-24}  {Use(body.Use)}{place}{through}");
            }
        }

        if (method.Unseen is { } unseen)
            Line(text, $"  unseen   {unseen}");
        foreach (RefusedInlining refused in method.NotInlinedInto)
            Line(text, $"  not inlined in {refused.Method}: {refused.Reason}");
    }

    private static string Tier(CompiledBody body) => body.IsCopy ? "copy" : body.Tier.ToString();

    private static string Il(BodyIl il) => il switch
    {
        BodyIl.Patched => "patched",
        BodyIl.Original => "original",
        _ => "unknown",
    };

    private static string Time(CompiledBody body) => body.Milliseconds is { } time ? Milliseconds(time) : "before";

    private static string Milliseconds(double time) => string.Create(CultureInfo.InvariantCulture, $"{time:F1} ms");

    private static string Place(CompiledBody body) =>
        (body.Address is { } address ? string.Create(CultureInfo.InvariantCulture, $"0x{address:x12}") : "") + (body.Size is { } size ? string.Create(CultureInfo.InvariantCulture, $" +{size}") : "");

    private static string Use(BodyUse use) => use switch
    {
        BodyUse.Entered => "calls lead here",
        BodyUse.Loop => "a loop may run",
        _ => "retired",
    };

    /// <summary>A method's name without the arguments of its generic type.</summary>
    private static string Plain(string method)
    {
        int open = method.IndexOf('[', StringComparison.Ordinal), close = method.LastIndexOf(']');
        return open > 0 && close > open ? method.Remove(open, close - open + 1) : method;
    }

    private static void Line(StringBuilder text, string line) => text.Append(line).Append('\n');
}
