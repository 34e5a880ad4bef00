using System.Diagnostics;
using System.Reflection;
using PvPatch.Perf.Results;

namespace PvPatch.Perf.Measuring;

/// <summary>
/// Measures a family in rounds: each round takes one sample of every row, one after the other, so whatever the machine does
/// meanwhile meets all alike, and a ratio is of two samples that are neighbours in time.
/// </summary>
/// <param name="family">The rows.</param>
/// <param name="mode">How long.</param>
/// <param name="code">Knows the machine code.</param>
internal sealed class FamilyMeasurement(RowFamily family, LabMode mode, CodeMap code)
{
    private const int WarmUpCalls = 40, CallsToLastTier = 100, LeastPhases = 3, MostPhases = 100, AllocationCalls = 3, Seed = 1;
    private const double PhaseNanoseconds = 15e6, LongestOwnCode = 10e3, LongestWarmUp = 300e6, MostCalls = 1 << 24;

    private static readonly TimeSpan TierUp = TimeSpan.FromMilliseconds(30);

    /// <summary>
    /// Sets up, warms up, measures, cleans up. What a benchmark throws becomes its row's failure; with a
    /// <see cref="PlatformNotSupportedException"/> it says what it lacks here.
    /// </summary>
    public FamilySamples Run()
    {
        var instances = new Dictionary<(MethodInfo?, MethodInfo?), object>();
        List<MeasuredRow> rows = [.. family.Rows.Select(row => new MeasuredRow(row))];
        foreach (MeasuredRow row in rows)
            row.Try(() => row.Bind(Instance(instances, row.Row)));
        for (int phase = 0; phase < MostPhases && rows.FindAll(row => !row.IsWarm(code)) is { Count: > 0 } cold; phase++)
        {
            foreach (MeasuredRow row in cold)
                row.Try(row.WarmUp);
            Thread.Sleep(TierUp); // the runtime compiles anew in the background
        }

        foreach (MeasuredRow row in rows)
            row.Try(() => row.Calibrate(mode.SampleMicroseconds * 1e3));
        double cpu = CpuClock.Nanoseconds();
        long wall = Stopwatch.GetTimestamp();
        TakeRounds(rows);
        cpu = CpuClock.Nanoseconds() - cpu;
        TimeSpan elapsed = Stopwatch.GetElapsedTime(wall);
        Thread.Sleep(TierUp); // the last events arrive
        foreach (MeasuredRow row in rows)
            row.Try(() => row.ReadCode(code));
        foreach (((MethodInfo? _, MethodInfo? cleanup), object instance) in instances)
            CleanUp(cleanup, instance);
        return new FamilySamples(family.Name, cpu, elapsed.TotalNanoseconds, [.. rows.Select(row => row.ToSamples())]);
    }

    /// <summary>Rows share an object unless they are set up differently.</summary>
    private object Instance(Dictionary<(MethodInfo?, MethodInfo?), object> instances, LabRow row)
    {
        if (instances.TryGetValue((row.GlobalSetup, row.GlobalCleanup), out object? known))
            return known;
        object instance = row.CreateInstance();
        if (instance is IQuickRun quick)
            quick.IsQuick = mode == LabMode.Quick;
        Call(row.GlobalSetup, instance);
        instances.Add((row.GlobalSetup, row.GlobalCleanup), instance);
        return instance;
    }

    private static void CleanUp(MethodInfo? cleanup, object instance)
    {
        try
        {
            Call(cleanup, instance);
        }
        catch (TargetInvocationException e)
        {
            Console.Error.WriteLine($"{cleanup!.Name} threw {e.InnerException?.Message}");
        }
    }

    private void TakeRounds(List<MeasuredRow> rows)
    {
        var random = new Random(Seed);
        MeasuredRow[] order = [.. rows];
        long start = Stopwatch.GetTimestamp();
        for (int round = 0; round < mode.MostRounds; round++)
        {
            if (round >= LabMode.FewestRounds && Stopwatch.GetElapsedTime(start).TotalMilliseconds > mode.FamilyMilliseconds)
                return;
            random.Shuffle(order); // a sample feels what ran just before it
            foreach (MeasuredRow row in order)
                row.Try(row.TakeSample);
        }
    }

    private static void Call(MethodInfo? method, object instance)
    {
        if (method?.Invoke(instance, null) is Task task)
            task.GetAwaiter().GetResult();
    }

    /// <summary>A row while it is measured.</summary>
    private sealed class MeasuredRow(LabRow row)
    {
        private readonly List<double> _nanoseconds = [];
        private readonly Dictionary<string, long> _events = new(StringComparer.Ordinal);
        private object _instance = null!;
        private IMeasuredTime? _own;
        private Action<long> _invoke = null!;
        private Delegate? _measured;
        private MachineCode? _code;
        private double? _allocated;
        private long _calls = 1, _countedCalls, _warmUpCalls;
        private int _phases;
        private double _warmUpNanoseconds;
        private string? _failure, _unavailable;

        public LabRow Row { get; } = row;

        private bool IsOver => (_failure ?? _unavailable) is not null;

        public void Bind(object instance)
        {
            if (Row.HasArguments)
                throw new NotSupportedException("the lab gives no [Arguments]; [Params] do the same");
            _instance = instance;
            _own = instance as IMeasuredTime;
            _invoke = Invocation.Of(instance, Row.Method);
        }

        /// <summary>Does a step, unless one before has failed.</summary>
        public void Try(Action step)
        {
            if (IsOver)
                return;
            try
            {
                step();
            }
            catch (Exception e) // whatever a benchmark throws
            {
                Exception cause = e is TargetInvocationException { InnerException: { } inner } ? inner : e;
                if (cause is PlatformNotSupportedException)
                    _unavailable = cause.Message.ReplaceLineEndings(" ");
                else
                    _failure = $"{Row.Name} threw {cause.GetType().Name}: {cause.Message.ReplaceLineEndings(" ")}";
            }
        }

        public void WarmUp()
        {
            double spent = 0;
            _phases++;
            for (int i = 0; i < (_own is null ? WarmUpCalls : 1) && spent < PhaseNanoseconds; i++, _warmUpCalls++)
                spent += Time(1);
            _warmUpNanoseconds += spent;
            _measured = (_instance as IMeasuredCode)?.Measured;
        }

        /// <summary>Whether its code is in the last tier. Where that is not one method's, it is after calls enough for each tier, or a time.</summary>
        public bool IsWarm(CodeMap map)
        {
            if (IsOver || (_own is not null && _phases > 0))
                return true;
            if (_phases < LeastPhases)
                return false;
            ReadCode(map);
            return _code is null
                ? _warmUpCalls >= CallsToLastTier || _warmUpNanoseconds >= LongestWarmUp
                : _code.Tier is CodeMap.Optimised or CodeMap.OptimisedAtOnce;
        }

        /// <summary>Finds how many calls take long enough, and what they allocate.</summary>
        public void Calibrate(double nanoseconds)
        {
            if (_own is not null)
                return;
            if (Row.IterationSetup is null)
            {
                double once = Math.Max(Math.Min(Time(1), Math.Min(Time(1), Time(1))), 1); // the least: the runtime compiles at times
                while (once * _calls < nanoseconds && _calls < MostCalls)
                {
                    _calls = (long)Math.Min(MostCalls, Math.Max(_calls * 2, nanoseconds / once));
                    once = Math.Max(Time(_calls) / _calls, 0.1);
                }
            }

            Call(Row.IterationSetup, _instance);
            long before = GC.GetAllocatedBytesForCurrentThread();
            int calls = Row.IterationSetup is null ? AllocationCalls : 1;
            _invoke(calls);
            _allocated = (double)(GC.GetAllocatedBytesForCurrentThread() - before) / calls / Row.Operations;
            Call(Row.IterationCleanup, _instance);
        }

        public void TakeSample()
        {
            (_instance as IEventCounts)?.TakeEvents();
            _nanoseconds.Add(Time(_calls) / _calls / Row.Operations);
            _countedCalls += _calls;
            foreach ((string name, long count) in (_instance as IEventCounts)?.TakeEvents() ?? new Dictionary<string, long>(StringComparer.Ordinal))
                _events[name] = _events.GetValueOrDefault(name) + count;
        }

        /// <summary>The code that the time is spent in: not that of a benchmark whose one call takes long, and so spends it elsewhere.</summary>
        public void ReadCode(CodeMap map)
        {
            if (_instance is IMeasuredCode)
                _code = _measured is { } measured ? map.Find(measured.Method) : null;
            else if (Row.IterationSetup is null && Time(1) / Row.Operations < LongestOwnCode)
                _code = map.Find(Row.Method);
        }

        public RowSamples ToSamples() => IsOver
            ? new RowSamples { Name = Row.Name, Failure = _failure, Unavailable = _unavailable }
            : new RowSamples
            {
                Name = Row.Name,
                Nanoseconds = _nanoseconds,
                AllocatedBytes = _allocated,
                Code = _code,
                Events = _events.ToDictionary(e => e.Key, e => (double)e.Value / _countedCalls / Row.Operations, StringComparer.Ordinal),
            };

        private double Time(long calls)
        {
            Call(Row.IterationSetup, _instance);
            double start = CpuClock.Nanoseconds();
            _invoke(calls);
            double time = CpuClock.Nanoseconds() - start;
            Call(Row.IterationCleanup, _instance);
            return _own?.Nanoseconds ?? time;
        }
    }
}
