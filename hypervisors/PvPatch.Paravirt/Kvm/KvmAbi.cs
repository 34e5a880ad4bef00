using System.Runtime.InteropServices;

namespace PvPatch.Paravirt.Kvm;

// What a KVM host and its guest agree on. Sources: Linux Documentation/virt/kvm/x86/{cpuid,msr,hypercalls}.rst and
// arch/x86/include/uapi/asm/kvm_para.h, arch/x86/include/asm/pvclock-abi.h. Guest and host sides both read this file.

/// <summary>KVM's CPUID leaves. The base is 0x40000000 unless another hypervisor's leaves stand there (then + 0x100 each).</summary>
public static class KvmCpuid
{
    /// <summary>EAX: the highest KVM leaf (0 means 0x40000001); EBX, ECX, EDX: the signature.</summary>
    public const uint Signature = 0x4000_0000;

    /// <summary>EAX: <see cref="KvmFeatures"/>; EDX: <see cref="KvmHints"/>.</summary>
    public const uint Features = 0x4000_0001;

    /// <summary>Bytes of the signature "KVMKVMKVM\0\0\0" in EBX.</summary>
    public const uint SignatureEbx = 0x4b4d_564b;

    /// <summary>Bytes of the signature in ECX.</summary>
    public const uint SignatureEcx = 0x564b_4d56;

    /// <summary>Bytes of the signature in EDX.</summary>
    public const uint SignatureEdx = 0x0000_004d;
}

/// <summary>CPUID 0x40000001 EAX: what the host offers.</summary>
[Flags]
public enum KvmFeatures : uint
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>kvmclock at MSRs 0x11 and 0x12, the old numbers.</summary>
    Clocksource = 1u << 0,

    /// <summary>Port accesses need no delay after them.</summary>
    NopIoDelay = 1u << 1,

    /// <summary>Page table updates by hypercall; long dead.</summary>
    MmuOp = 1u << 2,

    /// <summary>kvmclock at MSRs 0x4b564d00 and 0x4b564d01.</summary>
    Clocksource2 = 1u << 3,

    /// <summary>Asynchronous page faults.</summary>
    AsyncPf = 1u << 4,

    /// <summary>Steal time, and with it the preempted byte.</summary>
    StealTime = 1u << 5,

    /// <summary>End of interrupt without an exit.</summary>
    PvEoi = 1u << 6,

    /// <summary>A halted vCPU can be kicked by hypercall: paravirtual spinlocks.</summary>
    PvUnhalt = 1u << 7,

    /// <summary>TLB flush of a preempted vCPU by a bit in its steal time record.</summary>
    PvTlbFlush = 1u << 9,

    /// <summary>Asynchronous page faults while in a nested guest are delivered as exits.</summary>
    AsyncPfVmexit = 1u << 10,

    /// <summary>IPIs to many vCPUs by one hypercall.</summary>
    PvSendIpi = 1u << 11,

    /// <summary>The guest may turn the host's halt polling off.</summary>
    PollControl = 1u << 12,

    /// <summary>Directed yield by hypercall.</summary>
    PvSchedYield = 1u << 13,

    /// <summary>Page-ready events of asynchronous page faults come as an interrupt.</summary>
    AsyncPfInt = 1u << 14,

    /// <summary>APIC ids above 255 in MSI messages.</summary>
    MsiExtDestId = 1u << 15,

    /// <summary>The guest tells by hypercall which pages are encrypted.</summary>
    HcMapGpaRange = 1u << 16,

    /// <summary>The guest tells whether it may be migrated.</summary>
    MigrationControl = 1u << 17,

    /// <summary>The TSC_STABLE flag of a clock page may be trusted.</summary>
    ClocksourceStable = 1u << 24,
}

/// <summary>CPUID 0x40000001 EDX: what the host tells about itself.</summary>
[Flags]
public enum KvmHints : uint
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>vCPUs are never preempted for an unlimited time.</summary>
    Realtime = 1u << 0,
}

/// <summary>KVM's MSRs.</summary>
public static class KvmMsr
{
    /// <summary>The old number of <see cref="WallClockNew"/>.</summary>
    public const uint WallClock = 0x11;

    /// <summary>The old number of <see cref="SystemTimeNew"/>.</summary>
    public const uint SystemTime = 0x12;

    /// <summary>Guest physical address of a <see cref="PvClockWallClock"/>, filled by the host at the write.</summary>
    public const uint WallClockNew = 0x4b56_4d00;

    /// <summary>Guest physical address of a <see cref="PvClockVcpuTimeInfo"/>, 4-aligned, with <see cref="Enable"/>. Per vCPU.</summary>
    public const uint SystemTimeNew = 0x4b56_4d01;

    /// <summary>Guest physical address of a <see cref="KvmAsyncPfData"/>, 64-aligned, with the AsyncPf bits.</summary>
    public const uint AsyncPfEn = 0x4b56_4d02;

    /// <summary>Guest physical address of a <see cref="KvmStealTime"/>, 64-aligned, with <see cref="Enable"/>; bits 1-5 must be 0.</summary>
    public const uint StealTime = 0x4b56_4d03;

    /// <summary>Guest physical address of the 32-bit end-of-interrupt word, 4-aligned, with <see cref="Enable"/>.</summary>
    public const uint PvEoiEn = 0x4b56_4d04;

    /// <summary>Bit 0: the host may poll before it halts the vCPU (set after reset).</summary>
    public const uint PollControl = 0x4b56_4d05;

    /// <summary>Bits 0-7: vector of the page-ready interrupt.</summary>
    public const uint AsyncPfInt = 0x4b56_4d06;

    /// <summary>Write 1: the page-ready token was read.</summary>
    public const uint AsyncPfAck = 0x4b56_4d07;

    /// <summary>Bit 0: the guest is ready to be migrated.</summary>
    public const uint MigrationControl = 0x4b56_4d08;

    /// <summary>Bit 0 of every registration: the page is in use.</summary>
    public const ulong Enable = 1;

    /// <summary>Bits of <see cref="StealTime"/> that must be 0.</summary>
    public const ulong StealTimeReserved = 0x3e;

    /// <summary><see cref="AsyncPfEn"/>: page faults of kernel mode too.</summary>
    public const ulong AsyncPfSendAlways = 1ul << 1;

    /// <summary><see cref="AsyncPfEn"/>: as an exit of a nested guest.</summary>
    public const ulong AsyncPfDeliveryAsVmexit = 1ul << 2;

    /// <summary><see cref="AsyncPfEn"/>: page-ready events by interrupt.</summary>
    public const ulong AsyncPfDeliveryAsInt = 1ul << 3;

    /// <summary><see cref="AsyncPfEn"/>: bits that must be 0.</summary>
    public const ulong AsyncPfReserved = 0x30;
}

/// <summary>KVM's hypercalls: number in RAX, arguments in RBX, RCX, RDX, RSI, result in RAX.</summary>
public static class KvmHypercall
{
    /// <summary>Looks for an interrupt the virtual APIC holds back; does nothing but enter the host.</summary>
    public const ulong VapicPollIrq = 1;

    /// <summary>Wakes a halted vCPU: RBX flags (0), RCX APIC id.</summary>
    public const ulong KickCpu = 5;

    /// <summary>Host time and TSC of one moment: RBX guest physical address of a <see cref="KvmClockPairing"/>, RCX type (0).</summary>
    public const ulong ClockPairing = 9;

    /// <summary>RBX, RCX: bitmap of APIC ids from the one in RDX; RSI: ICR. Returns how many vCPUs it was sent to.</summary>
    public const ulong SendIpi = 10;

    /// <summary>RBX: APIC id of the vCPU that shall run in this one's place.</summary>
    public const ulong SchedYield = 11;

    /// <summary>RBX: guest physical address, RCX: number of 4 KiB pages, RDX: attributes.</summary>
    public const ulong MapGpaRange = 12;

    /// <summary><see cref="MapGpaRange"/>: the pages are encrypted.</summary>
    public const ulong MapGpaEncrypted = 1ul << 4;
}

/// <summary>Errors of hypercalls as RAX holds them: negative numbers.</summary>
public static class KvmError
{
    /// <summary>The caller is not in ring 0 (EPERM).</summary>
    public const long NotPermitted = -1;

    /// <summary>An argument is too big (E2BIG).</summary>
    public const long TooBig = -7;

    /// <summary>A guest address is not memory (EFAULT).</summary>
    public const long Fault = -14;

    /// <summary>An argument makes no sense (EINVAL).</summary>
    public const long Invalid = -22;

    /// <summary>The host cannot do that (EOPNOTSUPP).</summary>
    public const long NotSupported = -95;

    /// <summary>There is no such hypercall (KVM_ENOSYS).</summary>
    public const long NoSuchCall = -1000;
}

/// <summary>
/// One vCPU's clock. The host makes <see cref="Version"/> odd, writes, makes it even. Nanoseconds =
/// SystemTime + ((TSC - TscTimestamp) shifted by TscShift) * TscToSystemMul / 2^32, valid if Version was even and did not change.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
public struct PvClockVcpuTimeInfo
{
    /// <summary>Odd while the host writes.</summary>
    [FieldOffset(0)] public uint Version;

    /// <summary>TSC at <see cref="SystemTime"/>, in TSC cycles.</summary>
    [FieldOffset(8)] public ulong TscTimestamp;

    /// <summary>Nanoseconds at <see cref="TscTimestamp"/>.</summary>
    [FieldOffset(16)] public ulong SystemTime;

    /// <summary>Nanoseconds per shifted cycle, times 2^32.</summary>
    [FieldOffset(24)] public uint TscToSystemMul;

    /// <summary>Bits the cycles are shifted left by (right if negative) before the multiplication.</summary>
    [FieldOffset(28)] public sbyte TscShift;

    /// <summary>The bits below.</summary>
    [FieldOffset(29)] public byte Flags;

    /// <summary><see cref="Flags"/>: all vCPUs' clocks agree, so no vCPU ever sees time go back.</summary>
    public const byte TscStable = 1 << 0;

    /// <summary><see cref="Flags"/>: the host stopped the guest for a while; watchdogs shall not bark.</summary>
    public const byte GuestStopped = 1 << 1;
}

/// <summary>The time of day at which the machine's clock was 0.</summary>
[StructLayout(LayoutKind.Explicit, Size = 12)]
public struct PvClockWallClock
{
    /// <summary>Odd while the host writes.</summary>
    [FieldOffset(0)] public uint Version;

    /// <summary>Seconds since 1970-01-01 UTC.</summary>
    [FieldOffset(4)] public uint Seconds;

    /// <summary>Nanoseconds of the second.</summary>
    [FieldOffset(8)] public uint Nanoseconds;
}

/// <summary>How long one vCPU was runnable but did not run.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
public struct KvmStealTime
{
    /// <summary>Nanoseconds stolen since the vCPU started.</summary>
    [FieldOffset(0)] public ulong Steal;

    /// <summary>Odd while the host writes.</summary>
    [FieldOffset(8)] public uint Version;

    /// <summary>Always 0.</summary>
    [FieldOffset(12)] public uint Flags;

    /// <summary>The bits below; the host exchanges it with 0 when the vCPU enters.</summary>
    [FieldOffset(16)] public byte Preempted;

    /// <summary><see cref="Preempted"/>: the vCPU is not running.</summary>
    public const byte PreemptedBit = 1 << 0;

    /// <summary><see cref="Preempted"/>: the host shall flush the vCPU's TLB before it enters. Guests set it.</summary>
    public const byte FlushTlbBit = 1 << 1;
}

/// <summary>Asynchronous page faults' shared record.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
public struct KvmAsyncPfData
{
    /// <summary>1 while a page-not-present event is being told.</summary>
    [FieldOffset(0)] public uint Flags;

    /// <summary>Token of a page that is ready; the guest writes 0 once it took it.</summary>
    [FieldOffset(4)] public uint Token;
}

/// <summary>Answer of <see cref="KvmHypercall.ClockPairing"/>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
public struct KvmClockPairing
{
    /// <summary>The host's time of day: seconds since 1970-01-01 UTC.</summary>
    [FieldOffset(0)] public long Seconds;

    /// <summary>Nanoseconds of the second.</summary>
    [FieldOffset(8)] public long Nanoseconds;

    /// <summary>The guest's TSC at that moment, in TSC cycles.</summary>
    [FieldOffset(16)] public ulong Tsc;

    /// <summary>Always 0.</summary>
    [FieldOffset(24)] public uint Flags;
}
