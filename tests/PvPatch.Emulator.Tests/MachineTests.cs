using PvPatch.Emulator.Exits;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using static PvPatch.Emulator.Tests.Kit.TestGuest;

namespace PvPatch.Emulator.Tests;

public sealed unsafe class MachineTests
{
    [Test]
    public void Guest_code_that_ends_is_an_exit_after_which_more_can_run_on_the_same_thread()
    {
        using var machine = new TestMachine();
        var threads = new List<int>();
        MachineExit first = machine.Run(_ => threads.Add(Environment.CurrentManagedThreadId));
        MachineExit second = machine.Run(_ => threads.Add(Environment.CurrentManagedThreadId));
        Assert.That(new[] { first, second }, Is.All.TypeOf<MachineExit.Returned>());
        Assert.That(threads[0], Is.EqualTo(threads[1]).And.Not.EqualTo(Environment.CurrentManagedThreadId));
    }

    [Test]
    public void Writing_SLP_EN_to_the_power_register_powers_off_and_the_machine_stays_off()
    {
        using var machine = new TestMachine();
        bool went = false;
        MachineExit exit = machine.Run(cpu =>
        {
            cpu->Sensitive->Out(cpu, 0x604, 2, 0x2000);
            went = true;
        });
        Assert.That(exit, Is.TypeOf<MachineExit.PoweredOff>());
        Assert.That(machine.Run(_ => went = true), Is.SameAs(exit));
        Assert.That(went, Is.False);
    }

    [TestCase(0x0000u)]
    [TestCase(0x1c00u)]
    [TestCase(0x3400u)]
    public void Other_values_of_the_power_register_do_nothing(uint value)
    {
        using var machine = new TestMachine();
        Assert.That(machine.Run(cpu => cpu->Sensitive->Out(cpu, 0x604, 2, value)), Is.TypeOf<MachineExit.Returned>());
    }

    [Test]
    public void A_panic_brings_the_consoles_last_lines()
    {
        using var machine = new TestMachine();
        MachineExit exit = machine.Run(cpu =>
        {
            foreach (char character in "Oops\nKernel panic\n") cpu->Sensitive->Out(cpu, 0x3f8, 1, character);
            cpu->Sensitive->Out(cpu, 0x505, 1, 1);
        });
        Assert.That(exit, Is.EqualTo(new MachineExit.Panicked("Oops\nKernel panic")));
        Assert.That(machine.Console, Is.EqualTo(new[] { "Oops", "Kernel panic" }));
    }

    [Test]
    public void An_exception_of_the_guests_code_is_an_exit()
    {
        using var machine = new TestMachine();
        MachineExit exit = machine.Run(_ => throw new FormatException("guest bug"));
        Assert.That(((MachineExit.Threw)exit).Cause, Is.TypeOf<FormatException>());
    }

    [Test]
    public void An_exception_below_an_unmanaged_frame_is_an_exit_and_not_the_processes_end()
    {
        using var machine = new TestMachine(platform: new ThrowingPlatform());
        MachineExit exit = machine.Run(cpu => Rdmsr(cpu, Msr.Star));
        Assert.That(((MachineExit.Threw)exit).Cause.Message, Is.EqualTo("platform bug"));
    }

    [Test]
    public void A_hypercall_without_a_hypervisor_is_an_invalid_opcode()
    {
        using var machine = new TestMachine();
        uint fault = 0;
        machine.Run(cpu => fault = cpu->Sensitive->Vmcall(cpu));
        Assert.That(fault, Is.EqualTo(6));
    }

    [Test]
    public void Ports_without_a_device_read_as_ones_and_the_delay_port_takes_writes()
    {
        using var machine = new TestMachine();
        (uint Empty, uint Delay) seen = default;
        machine.Run(cpu =>
        {
            cpu->Sensitive->Out(cpu, 0x80, 1, 0x42);
            seen = (cpu->Sensitive->In(cpu, 0x1111, 4), cpu->Sensitive->In(cpu, 0x80, 1));
        });
        Assert.That(seen, Is.EqualTo((uint.MaxValue, 0x42u)));
    }

    [Test]
    public void Many_machines_run_at_once_and_share_nothing()
    {
        const int machines = 8;
        var results = new ulong[machines];
        Parallel.For(0, machines, number =>
        {
            using var machine = new TestMachine(cpus: 2);
            machine.Run(cpu =>
            {
                SetGate(cpu, 0x40 + number, &NoteAndEnd);
                Sti(cpu);
                for (int count = 0; count < 100; count++) SelfIpi(cpu, (byte)(0x40 + number));
            });
            results[number] = machine.Notes.All(note => note == (ulong)(0x40 + number)) ? (ulong)machine.Notes.Length : 0;
        });
        Assert.That(results, Is.All.EqualTo(100));
    }

    [TestCase(0)]
    [TestCase(9)]
    public void A_number_of_vCPUs_out_of_range_is_refused(int cpus)
        => Assert.That(() => new TestMachine(cpus), Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public void A_guest_cannot_run_its_own_machine()
    {
        using var machine = new TestMachine();
        MachineExit exit = machine.Run(_ => machine.Run(_ => { }));
        Assert.That(((MachineExit.Threw)exit).Cause, Is.TypeOf<InvalidOperationException>());
    }

    [Test]
    public void A_disposed_machine_runs_nothing_and_may_be_disposed_again()
    {
        var machine = new TestMachine();
        machine.Dispose();
        machine.Dispose();
        Assert.That(() => machine.Run(_ => { }), Throws.InstanceOf<ObjectDisposedException>());
    }

    [TestCase(3u, 0x100_0000_0000ul, 13u, TestName = "CR3 beyond the physical addresses")]
    [TestCase(0u, 0x1_0000_0000ul, 13u, TestName = "CR0 bit 32")]
    [TestCase(4u, 1ul << 31, 13u, TestName = "CR4 bit 31")]
    [TestCase(8u, 16ul, 13u, TestName = "CR8 above 15")]
    [TestCase(5u, 0ul, 6u, TestName = "There is no CR5")]
    public void A_control_register_refuses_what_it_may_not_hold(uint number, ulong value, uint expected)
    {
        using var machine = new TestMachine();
        uint fault = 0;
        machine.Run(cpu =>
        {
            Wrmsr(cpu, Msr.Efer, EferBits.LongModeEnable);
            cpu->Sensitive->MovToCr(cpu, 4, Cr4Bits.PhysicalAddressExtension);
            cpu->Sensitive->MovToCr(cpu, 0, cpu->Cr0 | Cr0Bits.Paging);
            fault = cpu->Sensitive->MovToCr(cpu, number, value);
        });
        Assert.That(fault, Is.EqualTo(expected));
    }
}
