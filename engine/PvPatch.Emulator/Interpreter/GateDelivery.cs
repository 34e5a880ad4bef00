using PvPatch.Emulator.Hooks;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Interpreter;

/// <summary>
/// Delivers events to emulated code (Intel SDM vol. 3, chapter 6): through the vectors of real mode or the gates of protected and
/// long mode. Contributory faults make a double fault, and a fault on that a shutdown.
/// </summary>
internal static unsafe class GateDelivery
{
    private const uint ExternalBit = 1;

    /// <summary>Enters the handler of an event; false is a triple fault.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="vector">The vector.</param>
    /// <param name="errorCode">The error code, for exceptions that have one.</param>
    /// <param name="source">What is delivered.</param>
    /// <param name="restart">Where the instruction stands that a fault of a software interrupt's delivery restarts.</param>
    public static bool TryDeliver(CpuState* cpu, uint vector, uint errorCode, EventSource source, ulong restart)
    {
        while (true)
        {
            if (TryEnter(cpu, vector, errorCode, source, out bool taskSwitched, out MemoryFault second))
                return true;
            if (vector == Vectors.DoubleFault)
                return false;
            if (!taskSwitched && source is EventSource.Software or EventSource.PrivilegedSoftware)
                cpu->Rip = restart;
            if (second.Vector == Vectors.PageFault)
                cpu->Cr2 = second.Address;
            bool doubles = source == EventSource.Exception &&
                ((IsContributory(vector) && IsContributory(second.Vector)) ||
                (vector == Vectors.PageFault && (IsContributory(second.Vector) || second.Vector == Vectors.PageFault)));
            vector = doubles ? Vectors.DoubleFault : second.Vector;
            errorCode = doubles ? 0 : second.ErrorCode;
            source = EventSource.Exception;
        }
    }

    /// <summary>Whether an exception pushes an error code.</summary>
    private static bool HasErrorCode(uint vector) =>
        vector is Vectors.DoubleFault or (>= Vectors.InvalidTss and <= Vectors.PageFault) or Vectors.AlignmentCheck;

    private static bool IsContributory(uint vector) => vector is Vectors.DivideError or (>= Vectors.InvalidTss and <= Vectors.GeneralProtection);

    private static bool TryEnter(CpuState* cpu, uint vector, uint errorCode, EventSource source, out bool taskSwitched, out MemoryFault fault)
    {
        taskSwitched = false;
        uint external = source == EventSource.Software ? 0 : ExternalBit;
        if (ProcessorMode.IsReal(cpu))
            return RealModeVectors.TryEnter(cpu, vector, external, out fault);

        // Faults restart with RF set, so that an instruction breakpoint does not hit twice (Intel SDM vol. 3, 17.3.1.1).
        bool restarts = source == EventSource.Exception && vector is not (Vectors.Debug or Vectors.Breakpoint or Vectors.Overflow or Vectors.DoubleFault);
        var delivered = new GateEvent(
            vector,
            source == EventSource.Exception && HasErrorCode(vector) ? errorCode : null,
            external,
            source == EventSource.Software,
            cpu->RFlags | (restarts ? RFlags.Resume : 0));
        return ProtectedGates.TryEnter(cpu, delivered, out taskSwitched, out fault);
    }
}
