using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;

namespace PvPatch.Emulator.State;

/// <summary>The <see cref="SensitiveOps"/> of one machine with what is installed in them.</summary>
public sealed unsafe class SensitiveTable
{
    private volatile int _version;

    /// <summary>Fills the slots.</summary>
    /// <param name="slots">Where they lie, as long as the table is used.</param>
    /// <param name="targets">What is installed, by the ops' names. The other slots stop the process.</param>
    /// <exception cref="PvPatch.Engine.Reports.PatchException">An op is unknown, or a target does not fit its slot.</exception>
    public SensitiveTable(SensitiveOps* slots, IEnumerable<KeyValuePair<string, PvTarget>> targets)
    {
        Slots = slots;
        Ops = PvOpTable.At(typeof(SensitiveOps), (nint)slots, targets);
    }

    /// <summary>The slots.</summary>
    public SensitiveOps* Slots { get; }

    /// <summary>The ops with what is installed.</summary>
    public PvOpTable Ops { get; }

    /// <summary>Grows when something else is installed: what was bound to the targets before must go.</summary>
    public int Version => _version;

    /// <summary>Installs other targets, in place of those that the last call installed.</summary>
    /// <param name="targets">Targets by the ops' names; the other ops get back what they held at first.</param>
    /// <exception cref="PvPatch.Engine.Reports.PatchException">As for the constructor; then the slots are as at first.</exception>
    public void Install(IEnumerable<KeyValuePair<string, PvTarget>> targets)
    {
        if (_version > 0)
            Ops.Restore();
        _version++;
        Ops.Install(targets);
    }
}
