using PvPatch.Emulator.State;
using PvPatch.Paravirt.Kvm;

namespace PvPatch.Hypervisors.Tests.Hosts.Kvm;

/// <summary>What a guest does by the ABI, written for the tests from the ABI alone.</summary>
internal static unsafe class KvmGuestSide
{
    public const ulong Clock = 0x6_0000;
    public const ulong WallClock = 0x6_0100;
    public const ulong Steal = 0x6_0200;
    public const ulong OtherSteal = 0x6_0240;
    public const ulong Eoi = 0x6_0300;

    public static T* At<T>(CpuState* cpu, ulong address)
        where T : unmanaged => (T*)(cpu->Ram + address);

    public static long Call(CpuState* cpu, ulong number, ulong rbx = 0, ulong rcx = 0, ulong rdx = 0, ulong rsi = 0)
    {
        (cpu->Rax, cpu->Rbx, cpu->Rcx, cpu->Rdx, cpu->Rsi) = (number, rbx, rcx, rdx, rsi);
        return cpu->Sensitive->Vmcall(cpu) == 0 ? (long)cpu->Rax : throw new InvalidOperationException("#UD");
    }

    /// <summary>Nanoseconds at a TSC value by the page's formula.</summary>
    public static ulong Nanoseconds(PvClockVcpuTimeInfo page, ulong tsc)
    {
        ulong delta = tsc - page.TscTimestamp;
        delta = page.TscShift >= 0 ? delta << page.TscShift : delta >> -page.TscShift;
        return page.SystemTime + (ulong)((UInt128)delta * page.TscToSystemMul >> 32);
    }
}
