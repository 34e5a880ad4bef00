using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Callers;
using PvPatch.Engine.PatchedCalls.Late;
using PvPatch.Engine.PatchedCalls.Loaded;
using PvPatch.Engine.PatchedCalls.Switching;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.InPlace;

/// <summary>
/// The images in memory that one <see cref="Patcher.Apply"/> patched, and those it will patch when they are loaded. All
/// members may be used from any thread.
/// </summary>
public sealed class LivePatch : IDisposable
{
    private readonly Lock _gate = new();
    private readonly PvOpTable _table;
    private readonly Func<Assembly, bool> _isWanted;
    private readonly ConditionalWeakTable<Assembly, Lazy<PatchedAssembly?>> _seen = [];
    private readonly List<PatchedAssembly> _done = [];
    private readonly List<PatchException> _refusals = [];
    private readonly Redirects? _redirects;
    private readonly SwitchedProgram? _switched;
    private readonly LeadWatch? _watch;
    private readonly PatchEvents _events;
    private readonly ConcurrentQueue<Action> _untold = new();
    private bool _isRestored, _isSettled;

    internal LivePatch(PvOpTable table, ApplyOptions options)
    {
        _table = table;
        _events = new PatchEvents(options.Log);
        _switched = options.Switchable ? new SwitchedProgram(table, new EntrySwap()) : null;
        _redirects = options.RedirectCompiled ? new Redirects(new EntrySwap()) : null;
        _isWanted = options.Assemblies ?? BoundAssemblies.ToSlotsOf(table.Ops).Reach;
        if (options.WatchLoads)
            AppDomain.CurrentDomain.AssemblyLoad += Loaded;

        bool isAnyNew;
        do
        {
            isAnyNew = false; // once more, for an assembly that became visible while the others were patched
            foreach (Assembly assembly in AppDomain.CurrentDomain.GetAssemblies())
                isAnyNew |= Patch(assembly);
        }
        while (isAnyNew);
        Settle();
        if (_switched is null && _redirects is null)
            return;
        _watch = new LeadWatch(LeadAgain);
        _watch.Begin();
    }

    /// <summary>What was done to every site of the assemblies patched so far; of redirected methods, how they stand at this moment.</summary>
    public PatchReport Report
    {
        get
        {
            lock (_gate)
                return new PatchReport(_switched?.Rows ?? [.. _done.SelectMany(d => d.Rows)]);
        }
    }

    /// <summary>What is known of the code of each method with a rewritten site.</summary>
    internal IReadOnlyList<PatchedCode> Code
    {
        get
        {
            lock (_gate)
                return [.. _switched?.Code ?? _done.SelectMany(d => d.Code())];
        }
    }

    /// <summary>
    /// The assemblies that are as they were because their image cannot be used: <see cref="PatchError.NoImage"/>,
    /// <see cref="PatchError.SharedImage"/>, <see cref="PatchError.NotManaged"/>, <see cref="PatchError.MixedMode"/>,
    /// <see cref="PatchError.BadImage"/>, <see cref="PatchError.NotAsPlanned"/>.
    /// </summary>
    public IReadOnlyList<PatchException> Refusals
    {
        get
        {
            lock (_gate)
                return [.. _refusals];
        }
    }

    /// <summary>
    /// Puts the original IL back into every image, leads redirected methods back, and patches no more. What is compiled from now on goes through the slots;
    /// code that was compiled from patched IL stays. A second call does nothing.
    /// </summary>
    /// <exception cref="PatchException">
    /// <see cref="PatchError.NotAsPlanned"/>: someone else changed an image since; then no image is restored.
    /// <see cref="PatchError.PagesRefused"/>: the system refused.
    /// </exception>
    public void Restore()
    {
        Dispose();
        lock (_gate)
        {
            if (_isRestored)
                return;
            foreach (PatchedAssembly patched in _done)
                patched.CheckRestorable();
            foreach (PatchedAssembly patched in _done)
                patched.Restore();
            _watch?.Dispose();
            _redirects?.Undo();
            foreach (string name in _switched?.Restore() ?? [])
                _untold.Enqueue(() => _events.Restored(name));
            _isRestored = true;
            foreach (PatchedAssembly patched in _done.Where(d => d.IsChanged))
                _untold.Enqueue(() => _events.Restored(patched.Name));
        }

        TellEvents();
    }

    /// <summary>
    /// Moves all sites to other targets while other threads may run through them. A call of a method that begins after this
    /// has returned runs no target that was replaced; a method that a thread is in finishes with those it began with.
    /// Which sites call their targets directly and which go through their slots is in the <see cref="Report"/>.
    /// </summary>
    /// <param name="targets">Ops and what they are to hold from now on. The others stay. Sets seen before cost some stores; new ones are compiled first.</param>
    /// <exception cref="PatchException">
    /// <see cref="PatchError.NotSwitchable"/>, or as <see cref="PvOpTable.Install(IEnumerable{KeyValuePair{string, PvTarget}})"/>; then nothing has changed at all.
    /// </exception>
    public void Switch(IEnumerable<KeyValuePair<string, PvTarget>> targets)
    {
        ArgumentNullException.ThrowIfNull(targets);
        if (_switched is null)
            throw new PatchException(PatchError.NotSwitchable, "The patch was not applied to be switchable: direct calls of its targets may be in any code.");
        KeyValuePair<string, PvTarget>[] wanted = [.. targets];
        _switched.Switch(wanted);
        _watch!.Begin();
        foreach ((string op, PvTarget target) in wanted)
            _events.Switched(op, target.ToString());
    }

    /// <summary>Ends the watch for assemblies loaded later. What is patched stays.</summary>
    public void Dispose() => AppDomain.CurrentDomain.AssemblyLoad -= Loaded;

    private bool LeadAgain()
    {
        lock (_gate)
            return !_isRestored && (_redirects?.LeadAgain() ?? _switched!.LeadAgain());
    }

    private void Loaded(object? sender, AssemblyLoadEventArgs e) => Patch(e.LoadedAssembly);

    /// <summary>
    /// Patches an assembly unless that is done. The loading thread waits here for another one that patches the same
    /// assembly, and for nobody else: the lock is held only to enter results, and never while an assembly is loaded.
    /// </summary>
    /// <returns>Whether the assembly was not seen before.</returns>
    private bool Patch(Assembly assembly)
    {
        bool isKnown = _seen.TryGetValue(assembly, out Lazy<PatchedAssembly?>? work);
        work ??= _seen.GetValue(assembly, a => new Lazy<PatchedAssembly?>(() => PatchOnce(a)));
        _ = work.Value;
        TellEvents();
        return !isKnown;
    }

    /// <summary>Tells what happened, now that no lock is held: a log may load assemblies, or wait for a thread that does.</summary>
    private void TellEvents()
    {
        while (_untold.TryDequeue(out Action? tell))
            tell();
    }

    private PatchedAssembly? PatchOnce(Assembly assembly)
    {
        try
        {
            if (SharerOf(LoadedImage.MetadataOf(assembly)) is { } sharer)
                throw new PatchException(PatchError.SharedImage, $"A copy of {sharer.Name} in another load context shares the image that is patched.");
            if (!_isWanted(assembly))
                return null;
            if (_switched is not null)
            {
                IReadOnlyList<PatchedSite> rows = _switched.Add(assembly);
                _untold.Enqueue(() => _events.Patched(assembly.GetName().Name ?? "", rows));
                return null;
            }

            var patched = PatchedAssembly.Patch(assembly, _table);
            if (Volatile.Read(ref _isSettled))
                Settle(patched, new OldCode(new CallGraph([assembly]), mentions: null));
            return Entered(patched);
        }
        catch (PatchException e)
        {
            lock (_gate)
                _refusals.Add(e);
            _untold.Enqueue(() => _events.Refused(assembly.GetName().Name ?? "", e));
            return null;
        }
    }

    private PatchedAssembly Entered(PatchedAssembly patched)
    {
        lock (_gate)
        {
            _done.Add(patched);
            if (_isRestored)
                patched.Restore(); // it was loaded while the others were restored
        }

        return patched;
    }

    /// <summary>
    /// Deals with the code that was compiled before, when all images are patched: what is compiled from now on, copies among
    /// it, is made from the new IL whichever image it reads.
    /// </summary>
    private void Settle()
    {
        Volatile.Write(ref _isSettled, true);
        PatchedAssembly[] patched;
        lock (_gate)
            patched = [.. _done];
        var old = new OldCode(new CallGraph(AppDomain.CurrentDomain.GetAssemblies()), new Lazy<SlotMentions>(() => SlotMentions.Of(_table)));
        foreach (PatchedAssembly one in patched)
            Settle(one, old);
        TellEvents();
    }

    private void Settle(PatchedAssembly patched, OldCode old)
    {
        patched.Settle(old, _table, _redirects);
        _untold.Enqueue(() => _events.Patched(patched.Name, [.. patched.Rows]));
    }

    private PatchedAssembly? SharerOf(nint metadata)
    {
        lock (_gate)
            return metadata == 0 ? null : _done.Find(d => d.Metadata == metadata && d.IsAlive);
    }
}
