using System.Runtime.InteropServices;

namespace PvPatch.Emulator.Guests;

/// <summary>
/// What lies on the guest's stack when its handler runs: what the processor pushed (Intel SDM vol. 3, 6.14.2), under it the
/// vector, as entry stubs push it. It is guest memory: what a handler writes here is what IRET restores.
/// A C# guest's gate holds the address of a <c>delegate* managed&lt;CpuState*, InterruptFrame*, void&gt;</c>.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct InterruptFrame
{
    /// <summary>The vector.</summary>
    public ulong Vector;

    /// <summary>The error code, 0 for vectors without one.</summary>
    public ulong ErrorCode;

    /// <summary>RIP to return to.</summary>
    public ulong Rip;

    /// <summary>CS to return to.</summary>
    public ulong Cs;

    /// <summary>RFLAGS to return to.</summary>
    public ulong RFlags;

    /// <summary>RSP to return to.</summary>
    public ulong Rsp;

    /// <summary>SS to return to.</summary>
    public ulong Ss;
}
