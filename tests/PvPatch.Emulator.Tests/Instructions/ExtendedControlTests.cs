using PvPatch.Emulator.Exits;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Instructions;

/// <summary>XCR0 and XSAVE where the host can't judge: what only CPL 0 may do, and what the system has turned off.</summary>
public sealed unsafe class ExtendedControlTests
{
    private const byte InvalidOpcode = 6;
    private const byte DeviceNotAvailable = 7;
    private const byte GeneralProtection = 13;

    [TestCase(0u, 3u, 0u, null)]
    [TestCase(0u, 1u, 0u, null)]
    [TestCase(0u, 2u, 0u, GeneralProtection, Description = "without the x87")]
    [TestCase(0u, 7u, 0u, null)]
    [TestCase(0u, 5u, 0u, GeneralProtection, Description = "AVX without SSE")]
    [TestCase(0u, 8u | 3u, 0u, GeneralProtection, Description = "a component that is not there")]
    [TestCase(0u, 3u, 1u, GeneralProtection, Description = "in the upper half")]
    [TestCase(1u, 3u, 0u, GeneralProtection, Description = "another register")]
    public void Xsetbv_takes_only_what_is_there(uint number, uint low, uint high, byte? expected)
    {
        using CodeMachine machine = Prepared(a =>
        {
            a.mov(ecx, number);
            a.mov(eax, low);
            a.mov(edx, high);
            a.xsetbv();
        });
        Assert.That(Fault(machine), Is.EqualTo(expected));
        Assert.That(machine.Cpu->Xcr0, Is.EqualTo(expected is null ? low : 1ul));
    }

    [Test]
    public void Xgetbv_gives_the_register_and_which_components_are_in_use()
    {
        using CodeMachine machine = Prepared(a =>
        {
            a.mov(eax, 7);
            a.xor(edx, edx);
            a.xor(ecx, ecx);
            a.xsetbv();
            a.xgetbv();
            a.mov(esi, eax);
            a.mov(ecx, 1);
            a.xgetbv();
            a.mov(edi, eax);
            a.pcmpeqb(xmm3, xmm3);
            a.xgetbv();
        });
        Assert.That(Fault(machine), Is.Null);
        Assert.That((machine.Cpu->Rsi, machine.Cpu->Rdi, machine.Cpu->Rax), Is.EqualTo((7ul, 0ul, 2ul)));
    }

    [TestCase(7ul, 4ul)]
    [TestCase(3ul, 0ul)]
    public void The_upper_halves_of_the_YMM_registers_are_in_use_if_one_is_not_zero_and_XCR0_has_them(ulong xcr0, ulong expected)
    {
        using CodeMachine machine = Prepared(a =>
        {
            a.mov(ecx, 1);
            a.xgetbv();
        });
        machine.Cpu->Xcr0 = xcr0;
        machine.Cpu->YmmHigh[31] = 1;
        Assert.That(Fault(machine), Is.Null);
        Assert.That(machine.Cpu->Rax, Is.EqualTo(expected));
    }

    [Test]
    public void Without_osxsave_they_are_invalid()
    {
        using var machine = new CodeMachine(a => a.xsave(__[rbx]));
        machine.Cpu->Rbx = CodeMachine.Data;
        Assert.That(Fault(machine), Is.EqualTo(InvalidOpcode));
    }

    [Test]
    public void With_another_task_s_state_loaded_they_raise_device_not_available()
    {
        using CodeMachine machine = Prepared(a => a.xsave(__[rbx]));
        machine.Cpu->Cr0 |= Cr0Bits.TaskSwitched;
        machine.Cpu->Rbx = CodeMachine.Data;
        Assert.That(Fault(machine), Is.EqualTo(DeviceNotAvailable));
    }

    [Test]
    public void What_is_in_its_initial_state_is_told_by_the_header_and_not_stored_by_xsavec()
    {
        using CodeMachine machine = Prepared(a => a.xsavec(__[rbx]));
        machine.Cpu->Xcr0 = 3;
        machine.Cpu->Rax = 3;
        machine.Cpu->Rbx = CodeMachine.Data;
        machine.Cpu->Mxcsr = 0x1f80;
        machine.Cpu->Fpu = new FpuState { Control = 0x37f };
        machine.Machine.Memory.Write(CodeMachine.Data + 160, 0x1234ul);
        Assert.That(Fault(machine), Is.Null);
        Assert.That(machine.Machine.Memory.Read<ulong>(CodeMachine.Data + 512), Is.Zero);
        Assert.That(machine.Machine.Memory.Read<ulong>(CodeMachine.Data + 520), Is.EqualTo((1ul << 63) | 3));
        Assert.That(machine.Machine.Memory.Read<ulong>(CodeMachine.Data + 160), Is.EqualTo(0x1234ul));
    }

    private static CodeMachine Prepared(Action<Iced.Intel.Assembler> program)
    {
        var machine = new CodeMachine(a =>
        {
            program(a);
            a.hlt();
        });
        machine.Cpu->Cr4 |= Cr4Bits.OsXsave;
        machine.Cpu->Xcr0 = 1;
        machine.Cpu->Fpu = new FpuState { Control = 0x37f };
        return machine;
    }

    /// <summary>The vector of the exception that a program ends with; null if it halts.</summary>
    private static byte? Fault(CodeMachine machine)
    {
        foreach (byte vector in (byte[])[InvalidOpcode, DeviceNotAvailable, GeneralProtection])
        {
            machine.Handler(vector, CodeMachine.Code + 0x1000 + (vector * 0x100ul), a =>
            {
                a.mov(ebp, 0x100 + vector);
                a.hlt();
            });
        }

        machine.Cpu->Gpr[5] = 0;
        Assert.That(machine.Run(), Is.InstanceOf<MachineExit.Halted>());
        return machine.Cpu->Gpr[5] == 0 ? null : (byte)machine.Cpu->Gpr[5];
    }
}
