using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using static PvPatch.Emulator.Tests.Kit.TestGuest;

namespace PvPatch.Emulator.Tests.Processors;

public sealed unsafe class SliceTests
{
    private const byte Vector = 0x60;

    [Test]
    public void Another_vCPU_gets_one_slice_for_each_PAUSE_of_the_boot_vCPU_in_turn()
    {
        using var machine = new TestMachine(cpus: 3);
        machine.Run(cpu =>
        {
            StartCpu(cpu, 1, &NoteIndex);
            StartCpu(cpu, 2, &NoteIndex);
            for (int pause = 0; pause < 4; pause++)
            {
                Note(cpu, 100);
                cpu->Sensitive->Pause(cpu);
            }
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 100, 1, 100, 2, 100, 1, 100, 2 }));
    }

    [Test]
    public void A_vCPU_that_was_not_started_gets_no_slice()
    {
        using var machine = new TestMachine(cpus: 2);
        MachineExit exit = machine.Run(cpu =>
        {
            cpu->Sensitive->Pause(cpu);
            cpu->Sensitive->Hlt(cpu);
        });
        Assert.That(exit, Is.EqualTo(new MachineExit.Halted(InterruptsEnabled: false)));
    }

    [Test]
    public void A_startup_message_counts_only_after_INIT()
    {
        using var machine = new TestMachine(cpus: 2);
        machine.Run(cpu =>
        {
            StartCpu(cpu, 1, &NoteIndex);
            *(ulong*)(cpu->Ram + 0x9000) = (ulong)(delegate*<CpuState*, void>)&NoteHundred;
            Wrmsr(cpu, Msr.X2ApicIcr, 1ul << 32 | 6 << 8 | 9);
            cpu->Sensitive->Pause(cpu);
            Wrmsr(cpu, Msr.X2ApicIcr, 1ul << 32 | 5 << 8);
            cpu->Sensitive->Pause(cpu);
            Wrmsr(cpu, Msr.X2ApicIcr, 1ul << 32 | 6 << 8 | 9);
            cpu->Sensitive->Pause(cpu);
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 1, 100 }));
    }

    [Test]
    public void INIT_brings_a_vCPU_back_to_reset()
    {
        using var machine = new TestMachine(cpus: 2);
        (ulong Stack, ulong Base, ulong Cr8) after = default;
        machine.Run(cpu =>
        {
            CpuState* other = machine.Machine.Cpu(1);
            Prepare(other);
            other->Cr8 = 5;
            Wrmsr(cpu, Msr.X2ApicIcr, 1ul << 32 | 5 << 8);
            after = (other->Rsp, other->Idtr.Base, other->Cr8);
        });
        Assert.That(after, Is.EqualTo((0ul, 0ul, 0ul)));
    }

    [Test]
    public void A_halted_vCPU_gets_its_next_slice_when_an_interrupt_woke_it_and_takes_it_first()
    {
        using var machine = new TestMachine(cpus: 2);
        machine.Run(cpu =>
        {
            StartCpu(cpu, 1, &PrepareThenHalt);
            for (int pause = 0; pause < 3; pause++) cpu->Sensitive->Pause(cpu);
            Note(cpu, 100);
            Wrmsr(cpu, Msr.X2ApicIcr, 1ul << 32 | Vector);
            cpu->Sensitive->Pause(cpu);
            cpu->Sensitive->Pause(cpu);
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 1, 100, Vector, 2 }));
    }

    [Test]
    public void A_slice_of_the_other_vCPU_can_wake_the_halted_boot_vCPU()
    {
        using var machine = new TestMachine(cpus: 2);
        MachineExit exit = machine.Run(cpu =>
        {
            SetGate(cpu, Vector, &NoteAndEnd);
            StartCpu(cpu, 1, &InterruptBoot);
            SafeHalt(cpu);
            Note(cpu, 100);
        });
        Assert.That(exit, Is.TypeOf<MachineExit.Returned>());
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 1, Vector, 100 }));
    }

    [Test]
    public void Time_passes_in_slices_so_that_a_busy_vCPU_does_not_hold_up_a_timer()
    {
        using var machine = new TestMachine(cpus: 2, clock: new VirtualClock(cyclesPerRead: 0, cyclesPerSlice: 1000));
        MachineExit exit = machine.Run(cpu =>
        {
            SetGate(cpu, Vector, &NoteAndEnd);
            StartCpu(cpu, 1, &NoteIndex);
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector | 2u << 17);
            Wrmsr(cpu, Msr.TscDeadline, 3000);
            SafeHalt(cpu);
        });
        Assert.That(exit, Is.TypeOf<MachineExit.Returned>());
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 1, 1, 1, Vector }));
    }

    [Test]
    public void The_platform_sees_who_enters_and_leaves_and_whether_it_would_go_on()
    {
        var platform = new RecordingPlatform();
        using var machine = new TestMachine(cpus: 2, platform: platform);
        machine.Run(cpu =>
        {
            StartCpu(cpu, 1, &HaltOnly);
            cpu->Sensitive->Pause(cpu);
        });
        Assert.That(platform.Story, Is.EqualTo("enter 0, leave 0 runnable, enter 1, leave 1 halted, enter 0, leave 0 halted"));
    }

    [Test]
    public void A_slice_that_spins_for_ever_is_an_exit()
    {
        using var machine = new TestMachine(cpus: 2);
        MachineExit exit = machine.Run(cpu =>
        {
            StartCpu(cpu, 1, &Spin);
            cpu->Sensitive->Pause(cpu);
        });
        Assert.That(exit, Is.TypeOf<MachineExit.Stuck>());
    }

    private static void NoteIndex(CpuState* cpu) => Note(cpu, (ulong)cpu->Index);

    private static void NoteHundred(CpuState* cpu) => Note(cpu, 100);

    private static void HaltOnly(CpuState* cpu) => cpu->Sensitive->Hlt(cpu);

    private static void PrepareThenHalt(CpuState* cpu)
    {
        if (cpu->Rsp == 0)
        {
            Prepare(cpu);
            SetGate(cpu, Vector, &NoteAndEnd);
            Note(cpu, 1);
        }
        else
        {
            Note(cpu, 2);
        }

        SafeHalt(cpu);
    }

    private static void InterruptBoot(CpuState* cpu)
    {
        Prepare(cpu);
        Note(cpu, 1);
        Wrmsr(cpu, Msr.X2ApicIcr, Vector);
        cpu->Sensitive->Hlt(cpu);
    }

    private static void Spin(CpuState* cpu)
    {
        while (true) cpu->Sensitive->Pause(cpu);
    }
}
