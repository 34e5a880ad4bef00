using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Reflection.Emit;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.Reports;
using PvPatch.Engine.Tests.PatchedCalls;
using PvPatch.Engine.Tests.PatchedCalls.InPlace;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace PvPatch.Engine.Tests.Reports;

internal sealed class PatchLogTests
{
    private static readonly string Release = FixtureProgram.Names[1];

    [Test]
    public void Serilog_gets_a_structured_event_for_each_site_and_assembly()
    {
        var program = LoadedProgram.Load(Release, Loading.Stream);
        program.Shape("OneArgument_Direct")(5);
        var emitted = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("Emitted"), AssemblyBuilderAccess.Run);
        emitted.DefineDynamicModule("Emitted");
        var sink = new Kept();
        using Logger serilog = new LoggerConfiguration().MinimumLevel.Debug().WriteTo.Sink(sink).CreateLogger();

        LivePatch patch = SerilogExample.Apply(program.Table, serilog, a => a == program.Assembly || a.GetName().Name == "Emitted");
        PatchReport report = patch.Report;
        patch.Restore();

        string[] said = [.. sink.Events.Select(e => $"{e.Level} {e.RenderMessage(CultureInfo.InvariantCulture)}")];
        PatchedSite deferred = report.Sites.Single(s => s.Method.EndsWith(".OneArgument_Direct", StringComparison.Ordinal));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(said.Count(s => s.StartsWith("Debug", StringComparison.Ordinal)), Is.EqualTo(report.Sites.Count));
            Assert.That(said, Does.Contain($"Debug \"math.negate\" in \"{deferred.Method}\" at IL_{deferred.IlOffset:x4} is Deferred: \"{deferred.Reason}\""));
            Assert.That(said, Does.Contain($"Information \"{Release}\" is patched: {report.Totals.Patched} sites patched, {report.Totals.Deferred} deferred, {report.Totals.Left} left"));
            Assert.That(said, Does.Contain($"Warning \"Emitted\" stays as it is, NoImage: \"{patch.Refusals.Single().Message}\""));
            Assert.That(said[^1], Is.EqualTo($"Information \"{Release}\" is restored"));
            Assert.That(sink.Events.Where(e => e.Level == LogEventLevel.Debug).Select(e => ((ScalarValue)e.Properties["Op"]).Value), Is.EquivalentTo(report.Sites.Select(s => s.Op)));
        }
    }

    [Test]
    public void A_plan_tells_its_sites()
    {
        FixtureProgram program = FixtureProgram.Of(Release);
        var told = new List<(PatchLogLevel Level, string Template, object?[] Arguments)>();
        PatchReport report = Patcher.Plan(program.Table, [program.File], (level, template, arguments) => told.Add((level, template, arguments))).Report;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(told, Has.Count.EqualTo(report.Sites.Count + 1));
            Assert.That(told[^1].Arguments, Is.EqualTo(new object[] { Release, report.Totals.Patched, report.Totals.Deferred, report.Totals.Left }));
            foreach ((_, string template, object?[] arguments) in told)
                Assert.That(arguments, Has.Length.EqualTo(template.Count(c => c == '{')), template);
        }
    }

    [Test]
    public void A_switch_is_told_for_each_op()
    {
        var program = LoadedProgram.Load(Release, Loading.Stream);
        var told = new ConcurrentQueue<string>();
        var options = new ApplyOptions
        {
            Assemblies = a => a == program.Assembly,
            WatchLoads = false,
            Switchable = true,
            Log = (_, template, arguments) => told.Enqueue($"{template}: {string.Join(", ", arguments)}"),
        };
        using LivePatch patch = Patcher.Apply(program.Table, options);
        patch.Switch([KeyValuePair.Create("small.seven", PvTarget.Constant(8))]);
        Assert.That(told.Last(), Is.EqualTo("{Op} is switched to {Target}: small.seven, constant 8"));
    }

    [Test]
    public void A_log_that_throws_changes_nothing()
    {
        var program = LoadedProgram.Load(Release, Loading.Stream);
        var options = new ApplyOptions { Assemblies = a => a == program.Assembly, Log = (_, _, _) => throw new InvalidOperationException("the disk is full") };
        LivePatch patch = Patcher.Apply(program.Table, options);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(patch.Report.Totals.Patched, Is.GreaterThan(40));
            Assert.That(patch.Restore, Throws.Nothing);
        }
    }

    private sealed class Kept : ILogEventSink
    {
        public ConcurrentQueue<LogEvent> Events { get; } = new();

        public void Emit(LogEvent logEvent) => Events.Enqueue(logEvent);
    }
}
