using System.Runtime.InteropServices;

namespace PvPatch.GuestOs.Tasks;

/// <summary>A task as the kernel remembers it, in the task table. Its code is an iterator of the kernel's text.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
public unsafe struct KernelTask
{
    /// <summary>Number, 0 in a free slot.</summary>
    [FieldOffset(0)]
    public int Pid;

    /// <summary>What it does at the moment.</summary>
    [FieldOffset(4)]
    public TaskState State;

    /// <summary>Next slot in the queue it stands in, -1 for none.</summary>
    [FieldOffset(8)]
    public int Next;

    /// <summary>The pid it waits for.</summary>
    [FieldOffset(12)]
    public int WaitsFor;

    /// <summary>When it wants to be woken, in nanoseconds of <c>sched_clock</c>.</summary>
    [FieldOffset(16)]
    public ulong WakeTime;

    /// <summary>Physical address of its kernel stack.</summary>
    [FieldOffset(24)]
    public ulong Stack;

    /// <summary>Its address space, the kernel's own for kernel tasks.</summary>
    [FieldOffset(32)]
    public ulong Space;

    /// <summary>How often it got the CPU.</summary>
    [FieldOffset(40)]
    public ulong Switches;

    /// <summary>Its TLS descriptors.</summary>
    [FieldOffset(48)]
    public fixed ulong Tls[3];
}
