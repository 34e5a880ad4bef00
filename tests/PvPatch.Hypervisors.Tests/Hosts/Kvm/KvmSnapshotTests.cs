using Iced.Intel;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Snapshots;
using PvPatch.Emulator.Tests.Kit;
using PvPatch.Hosts.Kvm;
using PvPatch.Paravirt.Kvm;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Hypervisors.Tests.Hosts.Kvm;

public sealed unsafe class KvmSnapshotTests
{
    private const ulong ClockPage = CodeMachine.Data + 0x1000;
    private const ulong StealPage = CodeMachine.Data + 0x2000;

    [Test]
    public void What_the_guest_told_KVM_is_saved_and_the_machines_go_on_alike()
    {
        using CodeMachine first = Registered();
        first.Run(2000);
        byte[] saved = Saved(first);
        using CodeMachine second = Machine();
        second.Machine.Restore(new MemoryStream(saved));
        Assert.That(Saved(second), Is.EqualTo(saved));
        Assert.That(second.Run(5000), Is.EqualTo(first.Run(5000)));
        Assert.That(Saved(second), Is.EqualTo(Saved(first)));
        Assert.That(second.Cpu->Rsi, Is.EqualTo(ClockPage | KvmMsr.Enable), "the guest reads its registration back");
        Assert.That(second.Machine.Memory.Read<PvClockVcpuTimeInfo>(ClockPage).TscToSystemMul, Is.Not.Zero);
    }

    [Test]
    public void A_KVM_that_offers_something_else_refuses()
    {
        using CodeMachine first = Machine();
        using var second = new CodeMachine(Program, platform: new KvmHost(KvmFeatures.StealTime));
        var refused = Assert.Throws<SnapshotException>(() => second.Machine.Restore(new MemoryStream(Saved(first))));
        Assert.That(refused!.Error, Is.EqualTo(SnapshotError.OtherMachine));
    }

    private static CodeMachine Machine() => new(Program, platform: new KvmHost());

    private static CodeMachine Registered()
    {
        CodeMachine machine = Machine();
        Assert.That(machine.Run(100), Is.TypeOf<MachineExit.InstructionLimit>());
        return machine;
    }

    private static void Program(Assembler a)
    {
        Wrmsr(a, KvmMsr.SystemTimeNew, (uint)(ClockPage | KvmMsr.Enable));
        Wrmsr(a, KvmMsr.StealTime, (uint)(StealPage | KvmMsr.Enable));
        Label loop = a.CreateLabel();
        a.Label(ref loop);
        a.mov(ecx, KvmMsr.SystemTimeNew);
        a.rdmsr();
        a.mov(esi, eax);
        a.pause();
        a.inc(rbx);
        a.jmp(loop);
    }

    private static void Wrmsr(Assembler a, uint msr, uint value)
    {
        a.mov(ecx, msr);
        a.mov(eax, value);
        a.xor(edx, edx);
        a.wrmsr();
    }

    private static byte[] Saved(CodeMachine machine)
    {
        using var stream = new MemoryStream();
        machine.Machine.Save(stream);
        return stream.ToArray();
    }
}
