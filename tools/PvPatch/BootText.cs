using PvPatch.Engine;
using PvPatch.Engine.Ops;
using PvPatch.Engine.Reports;
using Serilog;

namespace PvPatch.Tool;

/// <summary>What <c>boot</c> prints for people. The log, where one was asked for, gets all of it, whatever is printed.</summary>
/// <param name="output">Where to.</param>
/// <param name="ink">With which colours.</param>
/// <param name="options">How much.</param>
internal sealed class BootText(TextWriter output, Ink ink, BootOptions options)
{
    /// <summary>A line of the guest's console.</summary>
    internal void GuestLine(string line)
    {
        Log.Information("guest: {Line}", line);
        if (options.Quiet)
            return;
        int end = line.IndexOf(']', StringComparison.Ordinal) + 1;
        output.WriteLine(ink.Paint(Ink.Dim, line[..end]) + line[end..]);
    }

    /// <summary>Something the user should know.</summary>
    internal void Note(string line)
    {
        Log.Information("{Note}", line);
        if (!options.Quiet)
            output.WriteLine(line);
    }

    /// <summary>What takes a moment now.</summary>
    internal void Progress(string what)
    {
        Log.Information("{Step}", what);
        if (!options.Quiet)
            output.WriteLine(ink.Paint(Ink.Dim, $"... {what}"));
    }

    /// <summary>The patch summary and the figures.</summary>
    internal void Write(BootResult result)
    {
        if (result.Patches is { } patches && !options.Quiet)
            WritePatches(result, patches);

        Log.Information("{Workload}: {Slots:F3} ns/op through the slots, {Patched:F3} patched", options.Workload,
            result.Slots.NanosecondsPer(result.TotalCalls), result.Patched?.NanosecondsPer(result.TotalCalls));
        WriteFigures(result);
        if (result.Diagnosis is { } diagnosis && !options.Quiet)
            output.Write($"\n{diagnosis}");
    }

    private void WritePatches(BootResult result, PatchReport report)
    {
        Dictionary<string, PvTarget> targets = result.Ops.Ops.ToDictionary(op => op.Name, op => result.Ops.TargetOf(op.Name), StringComparer.Ordinal);
        int name = targets.Keys.Max(key => key.Length);
        output.WriteLine();
        output.WriteLine(ink.Paint(Ink.Bold, $"{"op".PadRight(name)}  class  sites      calls  replacement"));
        foreach (PvOp op in result.Ops.Ops)
        {
            PatchedSite[] sites = [.. report.Sites.Where(site => string.Equals(site.Op, op.Name, StringComparison.Ordinal))];
            long calls = result.Calls.GetValueOrDefault(op.Name);
            string what = sites.Length > 0 ? string.Join("; ", sites.Select(Outcome).Distinct(StringComparer.Ordinal)) : Patcher.ReplacementOf(op, targets[op.Name]);
            string line = $"{op.Name.PadRight(name)}  {Class(op.Class),-5}  {sites.Length,5}  {calls,9:N0}  {what}";
            output.WriteLine(Array.TrueForAll(sites, site => site.State == SiteState.Patched) ? line : ink.Paint(Ink.Dim, line));
            if (!options.Verbose)
                continue;
            foreach (PatchedSite site in sites)
            {
                output.WriteLine(ink.Paint(Ink.Dim, $"    {site.Method} IL_{site.IlOffset:x4}"));
                output.WriteLine($"      {site.Before}");
                if (site.After is { } after)
                    output.WriteLine(ink.Paint(Ink.Green, $"      {after}"));
            }
        }

        output.WriteLine();
        PatchedSite[] class2 = [.. report.Sites.Where(site => site.Class.HasFlag(PvOpClass.PatchedCall))];
        int done = class2.Count(site => site.State == SiteState.Patched), deferred = class2.Count(site => site.State == SiteState.Deferred);
        string how = options.Mode switch { BootMode.InPlace => " in place", BootMode.Late => " late", _ => "" };
        string rest = deferred > 0 ? $", {deferred} deferred" : "";
        output.WriteLine($"Patched {done} of {class2.Length} sites of class 2{how}{rest}; {report.Sites.Count - class2.Length} sites of class 1 call through their slots.");
    }

    private void WriteFigures(BootResult result)
    {
        long operations = result.TotalCalls;
        output.WriteLine($"Workload {options.Workload}, seed {options.Seed}, {result.Rounds:N0} rounds, {operations:N0} ops a run, on {result.Platform}:");
        WriteTiming("through the slots", result.Slots, operations);
        if (result.Patched is not { } patched)
            return;
        WriteTiming("patched", patched, operations);
        output.WriteLine(ink.Paint(Ink.Bold, $"  patched is {result.Ratio:F1} times as fast") + (result.ChecksumsEqual ? ink.Paint(Ink.Green, ", checksums equal") : ", CHECKSUMS DIFFER"));
    }

    private void WriteTiming(string name, WorkloadTiming timing, long operations) =>
        output.WriteLine($"  {name,-18} {timing.NanosecondsPer(operations),8:F3} ns/op  checksum {timing.Checksum:x16}");

    private static string Outcome(PatchedSite site) => site.State switch
    {
        SiteState.Patched => site.Replacement!,
        SiteState.Deferred => $"deferred: {site.Reason}",
        _ => $"left: {site.Reason}",
    };

    private static string Class(PvOpClass op) => op switch
    {
        PvOpClass.SimpleIndirectCall => "1",
        PvOpClass.PatchedCall => "2",
        PvOpClass.AssemblyMacro => "3",
        _ => "2, 3",
    };
}
