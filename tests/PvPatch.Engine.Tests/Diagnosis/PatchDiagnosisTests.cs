using System.Diagnostics.Tracing;
using System.Globalization;
using System.Text.RegularExpressions;
using PvPatch.Engine.Diagnosis;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.RuntimeEvents;
using PvPatch.Engine.Tests.PatchedCalls;
using PvPatch.Engine.Tests.PatchedCalls.InPlace;

namespace PvPatch.Engine.Tests.Diagnosis;

/// <summary>What a diagnosis tells of a program in each state. Each is a process of its own.</summary>
[CancelAfter(Patience.Milliseconds)]
internal sealed partial class PatchDiagnosisTests
{
    private const string CountAtOnce = "DOTNET_TC_CallCountingDelayMs=0";

    private static readonly string[] Wrappers = ["Plain", "DeepInner", "Looped", "InVirtual", "InGeneric", "InDelegate"];

    [Test]
    public async Task Cold_methods_are_patched_in_every_body_of_every_tier()
    {
        PrintedDiagnosis told = await PrintedDiagnosis.Of("cold", CountAtOnce);
        PrintedMethod leaf = told["HotPlaces.Leaf_Direct"];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(leaf.Verdict, Is.EqualTo(DiagnosisVerdict.Patched));
            Assert.That(leaf.Bodies.Select(b => b.Tier), Is.EqualTo(new[] { CodeTier.Tier0, CodeTier.InstrumentedTier0, CodeTier.Tier1 }));
            Assert.That(leaf.Bodies.Select(b => b.Use), Is.EqualTo(new[] { BodyUse.Retired, BodyUse.Retired, BodyUse.Entered }));
            Assert.That(leaf.Bodies.Select(b => b.Milliseconds), Is.Ordered.And.All.GreaterThan(leaf.PatchedAt!));
            Assert.That(told.Methods.Where(m => m.Verdict is not (DiagnosisVerdict.Patched or DiagnosisVerdict.NotCompiled)), Is.Empty);
            Assert.That(told["Flights.Until"].Verdict, Is.EqualTo(DiagnosisVerdict.NotCompiled));
        }
    }

    [Test]
    public async Task Hot_methods_that_are_patched_in_place_run_old_bodies()
    {
        PrintedDiagnosis told = await PrintedDiagnosis.Of("hot", CountAtOnce);
        PrintedMethod leaf = told["HotPlaces.Leaf_Direct"];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(leaf.Verdict, Is.EqualTo(DiagnosisVerdict.OldBodyRuns));
            Assert.That(leaf.Bodies.Single(b => b.Use == BodyUse.Entered), Is.EqualTo(leaf.Bodies[^1]));
            Assert.That(leaf.Bodies, Has.All.Matches<PrintedBody>(b => b is { Il: BodyIl.Original, Milliseconds: { } time } && time < leaf.PatchedAt));
        }
    }

    [Test]
    public async Task Callers_that_have_inlined_a_site_are_named_with_the_way_there()
    {
        PrintedDiagnosis told = await PrintedDiagnosis.Of("hot", CountAtOnce);
        PrintedBody plain = Last(told["Inliners+Wrappers.Plain"], "Inliners.Plain_Direct"), deep = Last(told["Inliners+Wrappers.DeepInner"], "Inliners.Deep_Direct");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(plain, Has.Property(nameof(PrintedBody.Tier)).EqualTo(CodeTier.Tier1).And.Property(nameof(PrintedBody.Il)).EqualTo(BodyIl.Original));
            Assert.That(plain.Through, Is.Empty);
            Assert.That(deep.Through, Is.EqualTo(new[] { PrintedDiagnosis.Full("Inliners+Wrappers.DeepOuter") }));
            Assert.That(told["Inliners+Wrappers.InGeneric"].InlinedInto.Select(b => b.Method), Has.All.EqualTo(PrintedDiagnosis.Full("Inliners+Kind.InGeneric")).And.Not.Empty);
            Assert.That(told["Inliners+Wrappers.Kept"].NotInlinedInto, Has.One.Matches<RefusedInlining>(r => r is { Reason.Length: > 0 } && r.Method == PrintedDiagnosis.Full("Inliners+Kind.Keeps")));
        }
    }

    [Test]
    public async Task The_late_way_retires_old_bodies_and_leads_calls_to_copies()
    {
        PrintedDiagnosis told = await PrintedDiagnosis.Of("late", CountAtOnce);
        PrintedMethod leaf = told["HotPlaces.Leaf_Direct"], deep = told["Inliners+Wrappers.DeepInner"];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(leaf.Verdict, Is.EqualTo(DiagnosisVerdict.OldBodyRetired));
            Assert.That(leaf.Bodies.Where(b => b.Use == BodyUse.Entered), Has.One.Matches<PrintedBody>(b => b is { IsCopy: true, Il: BodyIl.Patched }));
            Assert.That(leaf.Bodies.Where(b => !b.IsCopy), Has.All.Matches<PrintedBody>(b => b is { Use: BodyUse.Retired, Il: BodyIl.Original }));
            Assert.That(told["HotPlaces.Loop_Direct"].Verdict, Is.EqualTo(DiagnosisVerdict.OldLoopMayRun), "a thread may be in the loop");
            Assert.That(told["HotPlaces+Kinds.Virtual"].Verdict, Is.EqualTo(DiagnosisVerdict.OldBodyRuns), "it is refused");
            Assert.That(deep.Verdict, Is.EqualTo(DiagnosisVerdict.OldBodyRetired));
            Assert.That(deep.InlinedInto, Has.One.Matches<PrintedBody>(b => b is { IsCopy: true, Il: BodyIl.Patched, Use: BodyUse.Entered } && b.Method == PrintedDiagnosis.Full("Inliners.Deep_Direct")));
        }
    }

    [TestCase("cold")]
    [TestCase("hot")]
    [TestCase("late")]
    public async Task A_wrapper_runs_an_old_body_where_its_caller_calls_through_the_slot_and_nowhere_else(string state)
    {
        PrintedDiagnosis told = await PrintedDiagnosis.Of(state, CountAtOnce);
        using (Assert.EnterMultipleScope())
        {
            foreach (string wrapper in Wrappers)
            {
                string subject = wrapper is "DeepInner" ? "Deep" : wrapper;
                int calls = told.Calls.Single(c => c.Key.StartsWith($"Inliners.{subject}_", StringComparison.Ordinal)).Value;
                Assert.That(told[$"Inliners+Wrappers.{wrapper}"].Verdict == DiagnosisVerdict.OldBodyRuns, Is.EqualTo(calls > 0), $"{wrapper}: {calls} calls");
            }
        }
    }

    [Test]
    public async Task A_thread_in_a_loop_stays_in_the_body_that_was_put_under_it()
    {
        PrintedMethod until = (await PrintedDiagnosis.Of("flight"))["Flights.Until"];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(until.Verdict, Is.EqualTo(DiagnosisVerdict.OldBodyRuns));
            Assert.That(until.Bodies.Select(b => (b.Tier, b.Use, b.Il)), Is.EqualTo(new[]
            {
                (CodeTier.Tier0, BodyUse.Entered, BodyIl.Original),
                (CodeTier.Osr, BodyUse.Loop, BodyIl.Original),
            }));
        }
    }

    [Test]
    public async Task Bodies_older_than_the_diagnosis_are_found_where_calls_lead()
    {
        PrintedDiagnosis told = await PrintedDiagnosis.Of("older", CountAtOnce);
        PrintedBody leaf = told["HotPlaces.Leaf_Direct"].Bodies.Single();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(leaf, Is.EqualTo(new PrintedBody(PrintedDiagnosis.Full("HotPlaces.Leaf_Direct"), CodeTier.Unknown, false, BodyIl.Original, BodyUse.Entered, null, leaf.Size, leaf.Through)));
            Assert.That(leaf.Size, Is.Positive);
            Assert.That(told["Inliners+Wrappers.Plain"].InlinedInto, Has.One.Matches<PrintedBody>(b => b is { Il: BodyIl.Unknown, Use: BodyUse.Entered }), "it may have been inlined");
            Assert.That(told["HotPlaces+Kinds.Generic"], Has.Property(nameof(PrintedMethod.Verdict)).EqualTo(DiagnosisVerdict.Unknown).And.Property(nameof(PrintedMethod.Unseen)).Contains("generic"));
        }
    }

    [Test]
    public async Task What_is_compiled_after_a_patch_was_taken_back_is_original()
    {
        PrintedMethod leaf = (await PrintedDiagnosis.Of("restored"))["HotPlaces.Leaf_Direct"];
        Assert.That((leaf.Verdict, leaf.Bodies.Single().Il, leaf.Bodies[0].Milliseconds > leaf.RestoredAt), Is.EqualTo((DiagnosisVerdict.OldBodyRuns, BodyIl.Original, true)));
    }

    [Test]
    public async Task A_copy_of_the_program_in_another_load_context_is_not_taken_for_it()
    {
        PrintedDiagnosis told = await PrintedDiagnosis.Of("copies", CountAtOnce);
        Assert.That(told.Methods.Where(m => m.Verdict != DiagnosisVerdict.NotCompiled || m.InlinedInto.Length > 0 || m.NotInlinedInto.Length > 0), Is.Empty);
    }

    [Test]
    public async Task Switched_methods_run_the_copies_of_the_last_targets()
    {
        PrintedBody[] copies = [.. (await PrintedDiagnosis.Of("switch", CountAtOnce))["HotPlaces.StackAlloc_Direct"].Bodies.Where(b => b.IsCopy)];
        Assert.That(copies.Select(c => c.Use), Is.EquivalentTo(new[] { BodyUse.Retired, BodyUse.Entered }));
    }

    [Test]
    public async Task Images_that_were_patched_before_they_were_loaded_have_no_old_body()
    {
        PrintedDiagnosis told = await PrintedDiagnosis.Of("image");
        Assert.That(told["HotPlaces.Leaf_Direct"], Has.Property(nameof(PrintedMethod.Verdict)).EqualTo(DiagnosisVerdict.Patched).And.Property(nameof(PrintedMethod.PatchedAt)).Null);
    }

    [Test]
    public async Task Precompiled_bodies_are_told_from_those_compiled_here()
    {
        string file = await ReadyToRunFile.Of(FixtureProgram.FileOf(FixtureProgram.Names[1]), TestContext.CurrentContext.CancellationToken);
        PrintedDiagnosis told = await PrintedDiagnosis.Of(file);
        PrintedMethod[] precompiled = [.. told.Methods.Where(m => m.Bodies is [{ Tier: CodeTier.ReadyToRun }])];
        TestContext.Out.WriteLine($"{precompiled.Length} methods run precompiled code");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(precompiled, Is.Not.Empty);
            Assert.That(precompiled, Has.All.Matches<PrintedMethod>(m => m is { Verdict: DiagnosisVerdict.OldBodyRuns, Bodies: [{ Il: BodyIl.Original, Use: BodyUse.Entered }] }));
            Assert.That(told.Methods.Where(m => m.Bodies is [{ Tier: CodeTier.Tier0 }, ..]), Has.All.Matches<PrintedMethod>(m => m is { Verdict: DiagnosisVerdict.Patched }));
        }
    }

    [Test]
    public async Task Without_tiers_one_body_is_compiled_for_all()
    {
        PrintedMethod leaf = (await PrintedDiagnosis.Of("cold", "DOTNET_TieredCompilation=0"))["HotPlaces.Leaf_Direct"];
        Assert.That(leaf.Bodies.Select(b => (b.Tier, b.Use, b.Il)), Is.EqualTo(new[] { (CodeTier.FullOpts, BodyUse.Entered, BodyIl.Patched) }));
    }

    /// <summary>The JIT's own list of what it compiled is the judge.</summary>
    [TestCase("cold", CountAtOnce)]
    [TestCase("hot", CountAtOnce)]
    [TestCase("flight", CountAtOnce)]
    [TestCase("cold", "DOTNET_TieredPGO=0")]
    [TestCase("cold", "DOTNET_TieredCompilation=0")]
    public async Task Bodies_are_those_that_the_JIT_lists(string state, string setting)
    {
        string file = Path.Combine(AppContext.BaseDirectory, $"jit-{Environment.ProcessId}-{TestContext.CurrentContext.Test.ID}.txt");
        PrintedDiagnosis told = await PrintedDiagnosis.Of(state, setting, $"DOTNET_JitStdOutFile={file}", "DOTNET_JitDisasmSummary=1");
        ILookup<string, string> listed = (await File.ReadAllLinesAsync(file)).Select(l => JitLine().Match(l)).Where(m => m.Success)
            .ToLookup(m => m.Groups["method"].Value.Replace(':', '.'), BodyIn, StringComparer.Ordinal);
        File.Delete(file);
        int compared = 0;
        using (Assert.EnterMultipleScope())
        {
            foreach (PrintedMethod method in told.Methods.Where(m => m.Bodies.Length > 0))
            {
                string[] bodies = [.. method.Bodies.Select(b => b.Tier is CodeTier.Osr ? $"{b.Tier}" : $"{b.Tier} {b.Size}".Replace("Instrumented", "", StringComparison.Ordinal))];
                Assert.That(bodies, Is.EqualTo(listed[method.Method]), method.Method);
                compared += bodies.Length;
            }
        }

        TestContext.Out.WriteLine($"{compared} bodies compared");
        Assert.That(compared, Is.GreaterThan(state is "flight" ? 1 : 20));
    }

    [Test]
    public async Task The_text_has_what_the_JSON_has()
    {
        PrintedDiagnosis told = await PrintedDiagnosis.Of("late", CountAtOnce);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(told.Json.GetProperty("version").GetInt32(), Is.EqualTo(DiagnosisReport.SchemaVersion));
            Assert.That(told.Json.GetProperty("notes").GetArrayLength(), Is.Zero, "nothing was lost");
            Assert.That(told.Json.GetProperty("totals").EnumerateObject().Sum(t => t.Value.GetInt32()), Is.EqualTo(told.Methods.Length));
            foreach (var total in told.Methods.CountBy(m => m.Verdict))
                Assert.That(told.Json.GetProperty("totals").GetProperty($"{total.Key}").GetInt32(), Is.EqualTo(total.Value));
            foreach (PrintedMethod method in told.Methods)
                Assert.That(told.Text, Does.Contain($"!{method.Method}"));
            Assert.That(Regex.Count(told.Text, "^  (body|inlined) ", RegexOptions.Multiline, TimeSpan.FromSeconds(1)), Is.EqualTo(told.Methods.Sum(m => m.Bodies.Length + m.InlinedInto.Length)));
            Assert.That(told.Text, Does.StartWith($"{told.Methods.Length} methods with patched sites: "));
        }
    }

    [Test]
    public void A_diagnosis_that_has_ended_reports_no_more()
    {
        var diagnosis = PatchDiagnosis.Start();
        using LivePatch patch = LoadedProgram.Load(FixtureProgram.Names[1], Loading.Stream).Apply();
        diagnosis.Dispose();
        Assert.That(() => diagnosis.Report(patch), Throws.TypeOf<ObjectDisposedException>());
    }

    [TestCase("in-place")]
    [TestCase("late")]
    public async Task The_document_shows_what_its_program_prints(string way)
    {
        (int exitCode, string output) = await ChildProcess.RunAsync(["diagnosis-example", way], [CountAtOnce], TestContext.CurrentContext.CancellationToken);
        Assert.That(exitCode, Is.Zero, output);
        string document = Repository.Text("docs/diagnosis.md"), begin = $"<!-- output: {way} -->\n```\n";
        int start = document.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        Assert.That(WithoutNumbers(document[start..document.IndexOf("```", start, StringComparison.Ordinal)]), Is.EqualTo(WithoutNumbers(output)));
    }

    [Test]
    public void Nothing_is_watched_before_and_after()
    {
        EventSource runtime = EventSource.GetSources().Single(s => s.Name == CompilationListener.Runtime);
        Assert.That(IsOn, Is.False, "before");
        using (PatchDiagnosis.Start())
            Assert.That(IsOn, Is.True, "meanwhile");
        Assert.That(IsOn, Is.False.After(10_000, 10), "afterwards: the runtime's own thread turns them off");

        bool IsOn() => runtime.IsEnabled(EventLevel.Verbose, (EventKeywords)0x10);
    }

    private static PrintedBody Last(PrintedMethod inlined, string into) => inlined.InlinedInto.Last(b => b.Method == PrintedDiagnosis.Full(into));

    /// <summary>A body in the JIT's list. It says of its own accord whether code counts, which the runtime tells otherwise; and it counts what it puts behind code that replaces a loop.</summary>
    private static string BodyIn(Match line)
    {
        string tier = line.Groups["tier"].Value;
        return tier switch
        {
            _ when tier.Contains("OSR", StringComparison.Ordinal) => $"{CodeTier.Osr}",
            _ when tier.Contains("FullOpts", StringComparison.Ordinal) => string.Create(CultureInfo.InvariantCulture, $"{CodeTier.FullOpts} {line.Groups["size"].Value}"),
            _ when tier.Contains("Tier0", StringComparison.Ordinal) => string.Create(CultureInfo.InvariantCulture, $"{CodeTier.Tier0} {line.Groups["size"].Value}"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{CodeTier.Tier1} {line.Groups["size"].Value}"),
        };
    }

    private static string WithoutNumbers(string text) => Numbers().Replace(text, " #");

    /// <summary>Times, addresses and lengths, with the room before them.</summary>
    [GeneratedRegex(@" +(\d+\.\d ms|0x[0-9a-f]+|\+\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Numbers();

    [GeneratedRegex(@"JIT compiled (?<method>[^(\[]+)(\[.*?\])?\(.*\) \[(?<tier>[^,]+),.* code size=(?<size>\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex JitLine();
}
