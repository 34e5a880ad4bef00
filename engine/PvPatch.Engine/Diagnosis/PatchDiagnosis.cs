using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime;
using System.Runtime.CompilerServices;
using PvPatch.Engine.PatchedCalls;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.RuntimeEvents;

namespace PvPatch.Engine.Diagnosis;

/// <summary>
/// Watches what the runtime compiles, to tell which bodies of patched methods run and who has inlined whom. Nothing that the
/// engine does depends on it. While it is on, compiling takes about a quarter longer and each body that is compiled takes about
/// 1 KiB of memory; without one, nothing is watched and nothing is slower.
/// </summary>
public sealed class PatchDiagnosis : IDisposable
{
    private const int MarkersInARow = 3;

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly CompilationLog _log = new();
    private readonly CompilationListener _listener;
    private readonly EventClock _clock = new();
    private readonly ModuleNumbers _modules = new();
    private readonly ConditionalWeakTable<Assembly, object> _older = [];
    private readonly Marker[] _first;
    private readonly long _compiledBefore;
    private bool _isDisposed;

    private PatchDiagnosis()
    {
        _listener = new CompilationListener(_log);
        _first = Markers();
        foreach (Assembly assembly in AppDomain.CurrentDomain.GetAssemblies())
            _older.Add(assembly, this);
        _compiledBefore = JitInfo.GetCompiledMethodCount();
    }

    /// <summary>
    /// Begins to watch. Call it before <see cref="Patcher.Apply"/> and before the code in question runs: what was compiled
    /// earlier is not told any more, and is named as older than the diagnosis where it can be seen.
    /// </summary>
    public static PatchDiagnosis Start() => new();

    /// <summary>Tells what became of the methods of a live patch until now. It waits until the runtime has told all of it: some 10 ms, at most 5 s.</summary>
    /// <param name="patch">The patch.</param>
    /// <exception cref="ObjectDisposedException">The diagnosis has ended.</exception>
    public DiagnosisReport Report(LivePatch patch)
    {
        ArgumentNullException.ThrowIfNull(patch);
        return Report(patch.Code);
    }

    /// <summary>Tells what became of the methods of images that were patched before they were loaded.</summary>
    /// <param name="images">The images.</param>
    /// <exception cref="ObjectDisposedException">The diagnosis has ended.</exception>
    public DiagnosisReport Report(ImageSet images)
    {
        ArgumentNullException.ThrowIfNull(images);
        return Report([.. images.Code()]);
    }

    /// <summary>Ends the watch, and drops what was seen.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _listener.Dispose();
        }
    }

    private DiagnosisReport Report(IReadOnlyList<PatchedCode> patched)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            Assembly[] assemblies = [.. patched.Select(p => p.Method.Module.Assembly).Distinct()];
            IReadOnlyList<Module> modules = _modules.Mark(assemblies);
            long compiled = JitInfo.GetCompiledMethodCount() - _compiledBefore;
            Marker[] last = Markers();
            bool haveCome = HasCome(last[^1]);
            IReadOnlyList<Compilation> seen = _log.Bodies;
            Dictionary<string, Compilation> emitted = seen.Where(c => c.Token == 0).DistinctBy(c => c.Name.Name, StringComparer.Ordinal).ToDictionary(c => c.Name.Name, StringComparer.Ordinal);
            _clock.Learn(Seen(_first, emitted));
            _clock.Learn(Seen(last, emitted));

            var search = new BodySearch(new CompilationIndex(seen), _modules.Known(modules, emitted), ModuleNumbers.BoundTo(assemblies, modules), patched)
            {
                Clock = _clock,
                Start = EventClock.TicksOf(_first[0].Before),
                IsOlder = assembly => _older.TryGetValue(assembly, out _),
            };
            return new DiagnosisReport(patched.Select(search.Of), [.. Notes(haveCome, compiled - _log.Ended)]);
        }
    }

    private static Marker[] Markers() => [.. Enumerable.Range(0, MarkersInARow).Select(_ => Marker.In(typeof(PatchDiagnosis).Module))];

    private static IEnumerable<(Marker Marker, Compilation Seen)> Seen(IEnumerable<Marker> markers, Dictionary<string, Compilation> emitted) =>
        markers.Where(m => emitted.ContainsKey(m.Name)).Select(m => (m, emitted[m.Name]));

    /// <summary>Waits until a marker was told of, and with it everything that was compiled before it.</summary>
    private bool HasCome(Marker last)
    {
        var clock = Stopwatch.StartNew();
        while (!_log.Has(last.Name))
        {
            if (clock.Elapsed > LongestWait)
                return false;
            Thread.Sleep(1);
        }

        return true;
    }

    private IEnumerable<string> Notes(bool haveCome, long lost)
    {
        if (!haveCome)
            yield return string.Create(CultureInfo.InvariantCulture, $"The runtime has not told what it compiled last; the report waited {LongestWait.TotalSeconds} s.");
        if (haveCome && lost > 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"The runtime compiled {lost} bodies that it did not tell of: bodies may be missing here.");
        if (!_clock.IsSet)
            yield return "The runtime told nothing by which its times can be compared with those of the patch.";
    }
}
