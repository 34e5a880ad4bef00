using System.Text;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using PvPatch.Hosts.Kvm;
using PvPatch.Paravirt.Kvm;

namespace PvPatch.Hypervisors.Tests.Hosts.Kvm;

public sealed unsafe class KvmCpuidTests
{
    [Test]
    public void The_signature_leaf_tells_KVM_and_the_feature_leaf()
    {
        CpuidRegisters leaf = Read(new KvmHost(), KvmCpuid.Signature);
        byte[] text = [.. BitConverter.GetBytes(leaf.Ebx), .. BitConverter.GetBytes(leaf.Ecx), .. BitConverter.GetBytes(leaf.Edx)];
        Assert.That(Encoding.ASCII.GetString(text), Is.EqualTo("KVMKVMKVM\0\0\0"));
        Assert.That(leaf.Eax, Is.EqualTo(KvmCpuid.Features));
    }

    [Test]
    public void The_hypervisor_bit_is_set_and_nothing_else_of_leaf_1_changes()
    {
        CpuidRegisters native = Read(new PlainPlatform(), 1), guest = Read(new KvmHost(), 1);
        Assert.That(guest, Is.EqualTo(native with { Ecx = native.Ecx | 1u << 31 }));
    }

    [TestCase(KvmFeatures.None, KvmHints.None)]
    [TestCase(KvmFeatures.Clocksource2 | KvmFeatures.StealTime, KvmHints.Realtime)]
    [TestCase(KvmHost.AllFeatures, KvmHints.None)]
    public void The_feature_leaf_tells_what_was_chosen(KvmFeatures features, KvmHints hints)
        => Assert.That(Read(new KvmHost(features, hints), KvmCpuid.Features), Is.EqualTo(new CpuidRegisters((uint)features, 0, 0, (uint)hints)));

    [TestCase(KvmFeatures.MmuOp)]
    [TestCase(KvmFeatures.AsyncPfVmexit)]
    [TestCase(KvmFeatures.MsiExtDestId)]
    public void What_this_host_cannot_do_it_cannot_be_told_to_offer(KvmFeatures feature)
        => Assert.That(() => new KvmHost(feature), Throws.ArgumentException.With.Message.Contains(feature.ToString()));

    private static CpuidRegisters Read(PvPatch.Emulator.Exits.IPlatform platform, uint leaf)
    {
        using var machine = new TestMachine(platform: platform);
        CpuidRegisters registers = default;
        machine.Run(cpu =>
        {
            CpuidRegisters read;
            cpu->Sensitive->Cpuid(cpu, leaf, 0, &read);
            registers = read;
        });
        return registers;
    }
}
