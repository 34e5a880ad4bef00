using System.Reflection;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Late;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Switching;

/// <summary>
/// The assemblies whose sites all call one set of targets, and can be moved to another while threads run through them.
/// Copies are made before the gate is taken; behind it are only stores, which cannot fail.
/// </summary>
/// <param name="table">The ops.</param>
/// <param name="swap">How calls are led to copies.</param>
internal sealed class SwitchedProgram(PvOpTable table, IMethodSwap swap)
{
    private readonly Lock _gate = new();
    private readonly List<SwitchableAssembly> _assemblies = [];
    private TargetSet _targets = TargetSet.Of(table);
    private bool _isRestored;

    /// <summary>What is done to each site, as it is at this moment.</summary>
    public IReadOnlyList<PatchedSite> Rows
    {
        get
        {
            lock (_gate)
                return [.. _assemblies.SelectMany(a => a.Rows)];
        }
    }

    /// <summary>What would be done to each site of some assemblies. Copies are made, and no call is led to them.</summary>
    /// <exception cref="PatchException">An image cannot be read.</exception>
    public static IReadOnlyList<PatchedSite> Planned(PvOpTable table, IMethodSwap swap, IEnumerable<Assembly> assemblies)
    {
        var targets = TargetSet.Of(table);
        return [.. assemblies.Select(a => new SwitchableAssembly(a, table, swap)).SelectMany(a => a.RowsOf(a.For(targets)))];
    }

    /// <summary>What is known of the code of each method that has been led to a copy.</summary>
    public IReadOnlyList<PatchedCode> Code
    {
        get
        {
            lock (_gate)
                return [.. _assemblies.SelectMany(a => a.Code())];
        }
    }

    /// <summary>Leads an assembly's methods to copies for the present targets.</summary>
    /// <exception cref="PatchException">Its image cannot be read.</exception>
    public IReadOnlyList<PatchedSite> Add(Assembly assembly)
    {
        var added = new SwitchableAssembly(assembly, table, swap);
        while (true)
        {
            TargetSet targets = Volatile.Read(ref _targets);
            CopySet copies = added.For(targets);
            lock (_gate)
            {
                if (!ReferenceEquals(targets, _targets))
                    continue; // another thread has switched meanwhile
                if (!_isRestored)
                    added.Lead(copies);
                _assemblies.Add(added);
                return [.. added.Rows];
            }
        }
    }

    /// <summary>Moves all sites to other targets: all, or on any error none.</summary>
    /// <exception cref="PatchException">As <see cref="PvOpTable.Install(IEnumerable{KeyValuePair{string, PvTarget}})"/>.</exception>
    public void Switch(IReadOnlyCollection<KeyValuePair<string, PvTarget>> targets)
    {
        table.Prepare(targets);
        while (true)
        {
            TargetSet before = Volatile.Read(ref _targets), wanted = before.With(targets);
            SwitchableAssembly[] known;
            lock (_gate)
                known = [.. _assemblies];
            CopySet[] copies = [.. known.Select(a => a.For(wanted))];
            lock (_gate)
            {
                if (known.Length != _assemblies.Count || !ReferenceEquals(before, _targets))
                    continue; // an assembly was loaded meanwhile, or another thread has switched
                table.Replace(targets);
                for (int i = 0; i < known.Length && !_isRestored; i++)
                    known[i].Lead(copies[i]);
                Volatile.Write(ref _targets, wanted);
            }

            Interlocked.MemoryBarrier(); // a call that begins on any processor from now on finds what was stored
            return;
        }
    }

    /// <summary>Leads those calls to the copies again that the runtime has led to code of its own.</summary>
    /// <returns>Whether there were any.</returns>
    public bool LeadAgain()
    {
        lock (_gate)
        {
            bool isAny = false;
            foreach (SwitchableAssembly assembly in _assemblies)
                isAny |= assembly.LeadAgain();
            return isAny;
        }
    }

    /// <summary>Leads all calls to the runtime's own code, which goes through the slots.</summary>
    /// <returns>Names of the assemblies.</returns>
    public IReadOnlyList<string> Restore()
    {
        lock (_gate)
        {
            _isRestored = true;
            _assemblies.ForEach(a => a.Undo());
            return [.. _assemblies.Select(a => a.Name)];
        }
    }
}
