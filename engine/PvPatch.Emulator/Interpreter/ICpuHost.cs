using PvPatch.Emulator.Hooks;

namespace PvPatch.Emulator.Interpreter;

/// <summary>What an interpreted CPU needs from the machine around it. All calls come between two instructions, with all state in place.</summary>
internal interface ICpuHost
{
    /// <summary>Instructions until something is due by the machine's clock: not more are executed in one go. 0 counts as 1.</summary>
    ulong Horizon { get; }

    /// <summary>So many instructions were completed since the last call: time passes.</summary>
    void Passed(ulong instructions);

    /// <summary>Takes the next NMI or interrupt that may be delivered now. Called when <c>EventPending</c> is set and nothing shadows interrupts.</summary>
    bool TryTakeEvent(out byte vector);

    /// <summary>An exception or interrupt is about to be delivered.</summary>
    void Delivering(EventDelivered delivery);
}
