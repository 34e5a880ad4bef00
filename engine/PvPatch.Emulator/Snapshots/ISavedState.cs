namespace PvPatch.Emulator.Snapshots;

/// <summary>
/// A part of a machine with state of its own. Devices and platforms that implement it are saved and restored with the
/// machine; those that do not have no state that a guest could notice.
/// </summary>
public interface ISavedState
{
    /// <summary>Hands over all state, in the same order each time.</summary>
    void Transfer(StateTransfer state);
}
