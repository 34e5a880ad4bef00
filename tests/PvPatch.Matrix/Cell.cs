using System.Reflection;
using PvPatch.Engine;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.Reports;

namespace PvPatch.Matrix;

/// <summary>How the program is patched.</summary>
internal enum Way
{
    Image,
    InPlace,
    Late,
}

/// <summary>What has run when it is patched.</summary>
internal enum State
{
    /// <summary>Nothing.</summary>
    Cold,

    /// <summary>Everything, a few times.</summary>
    Tier0,

    /// <summary>Everything, until the runtime had nothing left to compile.</summary>
    Tier1,
}

/// <summary>One way and one state: all kinds of one copy of the program.</summary>
internal sealed class Cell
{
    private static readonly long[] Arguments = [1, 2, 3, 4, 5, 17, 1000];

    private readonly Way _way;
    private readonly string _file;
    private readonly Reference _reference;
    private readonly Subject _original;
    private readonly List<Outcome> _outcomes;
    private Subject _subject;
    private LivePatch? _live;
    private PatchReport? _planned;

    /// <param name="way">How it is patched.</param>
    /// <param name="state">When.</param>
    /// <param name="subject">The copy.</param>
    /// <param name="file">The program's file, for the image way.</param>
    /// <param name="reference">What is right.</param>
    public Cell(Way way, State state, Subject subject, string file, Reference reference)
    {
        _way = way;
        State = state;
        _original = _subject = subject;
        _file = file;
        _reference = reference;
        _outcomes = [.. subject.Kinds.Select(k => new Outcome(k))];
    }

    /// <summary>When it is patched.</summary>
    public State State { get; }

    /// <summary>What became of each kind.</summary>
    public IReadOnlyList<Outcome> Outcomes => _outcomes;

    /// <summary>Name of the cell, as in <c>in place when tier-1</c>.</summary>
    public override string ToString() => $"{Words.Of(_way)} when {Words.Of(State)}";

    /// <summary>Runs every kind with each argument and checks the values.</summary>
    /// <param name="when">Before or after what, for messages.</param>
    /// <param name="passes">How often it runs.</param>
    public void CheckValues(string when, int passes = 1)
    {
        for (int k = 0; k < _outcomes.Count * passes; k++)
            CheckValues(k % _outcomes.Count, when);
    }

    /// <summary>Patches the program, in the middle of a loop of it.</summary>
    public void Patch()
    {
        int flying = _outcomes.FindIndex(o => o.Kind.Class == typeof(Kinds.LoopInFlight).FullName);
        long atLast = -1;
        _original.Due = () =>
        {
            PatchNow();
            _original.Due = () => atLast = _original.Calls;
        };
        long value = _outcomes[flying].Kind.Run(Arguments[0]);
        _original.Due = null;
        if (value != _reference.Values[flying][0])
            _outcomes[flying].Wrong("in flight it gives a wrong value");
        if (_way != Way.Image)
            _outcomes[flying].InFlight = _original.Calls - atLast;

        PatchReport report = Report;
        foreach (Outcome outcome in _outcomes)
            outcome.ToldFirst(report);
    }

    /// <summary>Runs every kind, and compares the calls that are seen with what the report says.</summary>
    /// <param name="passes">How often it runs.</param>
    public void Observe(int passes)
    {
        PatchReport before = Report;
        long[] calls = new long[_outcomes.Count];
        for (int k = 0; k < _outcomes.Count * passes; k++)
        {
            long from = _subject.Calls;
            CheckValues(k % _outcomes.Count, "patched");
            calls[k % _outcomes.Count] += _subject.Calls - from;
        }

        PatchReport after = Report;
        for (int k = 0; k < _outcomes.Count; k++)
            _outcomes[k].Observed(calls[k], before, after);
    }

    /// <summary>Undoes the patch, and sees the original there.</summary>
    public void Restore()
    {
        _live?.Restore();
        Dictionary<int, string> il = _original.Il();
        foreach ((int token, string bytes) in _reference.Il)
        {
            if (il[token] != bytes)
                _outcomes[0].Wrong($"after the undo 0x{token:x8} holds {il[token]} and not {bytes}");
        }

        _subject = _original;
        for (int k = 0; k < _outcomes.Count; k++)
            _outcomes[k] = _outcomes[k] with { Kind = _subject.Kinds[k] };
        CheckValues("after the undo");
    }

    private PatchReport Report => _live?.Report ?? _planned!;

    private void PatchNow()
    {
        if (_way == Way.Image)
        {
            PatchPlan plan = Patcher.Plan(_original.Table, [_file]);
            _planned = plan.Report;
            _subject = new Subject(ImageSet.Load(plan)[Path.GetFileNameWithoutExtension(_file)]);
            for (int k = 0; k < _outcomes.Count; k++)
                _outcomes[k] = _outcomes[k] with { Kind = _subject.Kinds[k] };
        }
        else
        {
            Assembly wanted = _original.Assembly;
            _live = Patcher.Apply(_original.Table, new ApplyOptions { Assemblies = a => a == wanted, WatchLoads = false, RedirectCompiled = _way == Way.Late });
            foreach (PatchException refusal in _live.Refusals)
                _outcomes[0].Wrong($"refused: {refusal.Message}");
        }

        _subject.See();
    }

    private void CheckValues(int kind, string when)
    {
        for (int a = 0; a < Arguments.Length; a++)
        {
            long value = _outcomes[kind].Kind.Run(Arguments[a]);
            if (value != _reference.Values[kind][a])
                _outcomes[kind].Wrong($"{when} it gives {value} for {Arguments[a]} and not {_reference.Values[kind][a]}");
        }
    }

    /// <summary>A copy that is never patched.</summary>
    internal sealed class Reference
    {
        public Reference(string file)
        {
            var subject = Subject.Load(file, fromMemory: true);
            subject.See();
            Il = subject.Il();
            var values = new List<long[]>();
            foreach (Kind kind in subject.Kinds)
            {
                long before = subject.Calls;
                values.Add([.. Arguments.Select(kind.Run)]);
                if (subject.Calls == before)
                    throw new InvalidOperationException($"{kind.Name} has no site that runs.");
            }

            Values = values;
        }

        /// <summary>What each kind gives for each argument.</summary>
        public IReadOnlyList<long[]> Values { get; }

        /// <summary>The IL of every method.</summary>
        public IReadOnlyDictionary<int, string> Il { get; }
    }
}
