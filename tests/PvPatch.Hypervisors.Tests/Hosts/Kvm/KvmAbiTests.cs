using System.Runtime.InteropServices;
using PvPatch.Paravirt.Kvm;

namespace PvPatch.Hypervisors.Tests.Hosts.Kvm;

/// <summary>Linux: arch/x86/include/asm/pvclock-abi.h, uapi/asm/kvm_para.h.</summary>
public sealed class KvmAbiTests
{
    [TestCase(typeof(PvClockVcpuTimeInfo), 32)]
    [TestCase(typeof(PvClockWallClock), 12)]
    [TestCase(typeof(KvmStealTime), 64)]
    [TestCase(typeof(KvmAsyncPfData), 64)]
    [TestCase(typeof(KvmClockPairing), 64)]
    public void A_shared_record_has_its_size(Type type, int size) => Assert.That(Marshal.SizeOf(type), Is.EqualTo(size));

    [TestCase(typeof(PvClockVcpuTimeInfo), "Version", 0)]
    [TestCase(typeof(PvClockVcpuTimeInfo), "TscTimestamp", 8)]
    [TestCase(typeof(PvClockVcpuTimeInfo), "SystemTime", 16)]
    [TestCase(typeof(PvClockVcpuTimeInfo), "TscToSystemMul", 24)]
    [TestCase(typeof(PvClockVcpuTimeInfo), "TscShift", 28)]
    [TestCase(typeof(PvClockVcpuTimeInfo), "Flags", 29)]
    [TestCase(typeof(PvClockWallClock), "Version", 0)]
    [TestCase(typeof(PvClockWallClock), "Seconds", 4)]
    [TestCase(typeof(PvClockWallClock), "Nanoseconds", 8)]
    [TestCase(typeof(KvmStealTime), "Steal", 0)]
    [TestCase(typeof(KvmStealTime), "Version", 8)]
    [TestCase(typeof(KvmStealTime), "Flags", 12)]
    [TestCase(typeof(KvmStealTime), "Preempted", 16)]
    [TestCase(typeof(KvmAsyncPfData), "Flags", 0)]
    [TestCase(typeof(KvmAsyncPfData), "Token", 4)]
    [TestCase(typeof(KvmClockPairing), "Seconds", 0)]
    [TestCase(typeof(KvmClockPairing), "Nanoseconds", 8)]
    [TestCase(typeof(KvmClockPairing), "Tsc", 16)]
    [TestCase(typeof(KvmClockPairing), "Flags", 24)]
    public void A_field_stands_at_its_offset(Type type, string field, int offset)
        => Assert.That((int)Marshal.OffsetOf(type, field), Is.EqualTo(offset));
}
