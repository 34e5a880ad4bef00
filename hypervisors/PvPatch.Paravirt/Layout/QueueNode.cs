using System.Runtime.InteropServices;

namespace PvPatch.Paravirt.Layout;

/// <summary>A CPU's place in the queue of a contended lock (Linux: struct mcs_spinlock, pv_node).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct QueueNode
{
    /// <summary>Next CPU in the queue plus 1, 0 when there is none yet.</summary>
    public int Next;

    /// <summary>Not 0 once the CPU before has handed the head of the queue over.</summary>
    public byte IsHead;

    /// <summary>Not 0 while this CPU is blocked.</summary>
    public byte Halted;
}
