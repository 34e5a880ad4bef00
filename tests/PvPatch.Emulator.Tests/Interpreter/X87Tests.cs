using Iced.Intel;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.State;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Interpreter;

/// <summary>What the host CPU can't show of the x87 and MMX: control register bits, waiting exceptions, pointers and environments.</summary>
public sealed unsafe class X87Tests
{
    private const ulong Code = ProgrammedCpu.Code;
    private const ulong Data = ProgrammedCpu.Data;
    private const uint DeviceNotAvailable = 7;
    private const uint InvalidOpcode = 6;
    private const uint X87Error = 16;

    [TestCase(Cr0Bits.Emulation, DeviceNotAvailable)]
    [TestCase(Cr0Bits.TaskSwitched, DeviceNotAvailable)]
    public void The_x87_is_not_available_with_EM_or_TS(ulong bit, uint vector) =>
        Assert.That(Vector(a => a.fld1(), bit), Is.EqualTo(vector));

    [TestCase(Cr0Bits.Emulation, InvalidOpcode)]
    [TestCase(Cr0Bits.TaskSwitched, DeviceNotAvailable)]
    public void MMX_is_undefined_with_EM_and_not_available_with_TS(ulong bit, uint vector) =>
        Assert.That(Vector(a => a.paddb(mm0, mm1), bit), Is.EqualTo(vector));

    [TestCase(Cr0Bits.Emulation, InvalidOpcode)]
    [TestCase(Cr0Bits.TaskSwitched, DeviceNotAvailable)]
    public void FXSAVE_is_undefined_with_EM_and_not_available_with_TS(ulong bit, uint vector) =>
        Assert.That(Vector(a => a.fxsave(__[rdi]), bit), Is.EqualTo(vector));

    [TestCase(Cr0Bits.TaskSwitched, null)]
    [TestCase(Cr0Bits.MonitorCoprocessor, null)]
    [TestCase(Cr0Bits.Emulation, null)]
    [TestCase(Cr0Bits.TaskSwitched | Cr0Bits.MonitorCoprocessor, DeviceNotAvailable)]
    public void WAIT_is_not_available_with_TS_and_MP_only(ulong bits, uint? vector) =>
        Assert.That(Vector(a => a.wait(), bits), Is.EqualTo(vector));

    [Test]
    public void An_unmasked_exception_is_raised_by_the_next_waiting_instruction()
    {
        using ProgrammedCpu cpu = Divided(a =>
        {
            a.fnstsw(ax);
            a.fnop();
            a.hlt();
        });
        cpu.State->Cr0 |= Cr0Bits.NumericError;
        StopReason stop = cpu.Interpreter.Run(100);
        Assert.That(((StopReason.Exception)stop).Vector, Is.EqualTo(X87Error));
        Assert.That(cpu.State->Rax & 0x8084, Is.EqualTo(0x8084), "FNSTSW does not wait: B, ES and ZE are set");
        Assert.That(cpu.State->Rip, Is.EqualTo(Code + Position(cpu, 0xd9d0)), "RIP names the waiting instruction");
    }

    [Test]
    public void Without_NE_a_waiting_exception_goes_to_a_pin_to_which_nothing_is_connected()
    {
        using ProgrammedCpu cpu = Divided(a =>
        {
            a.fnop();
            a.hlt();
        });
        cpu.State->Cr0 &= ~Cr0Bits.NumericError;
        Assert.That(cpu.Interpreter.Run(100), Is.TypeOf<StopReason.Halted>());
    }

    [Test]
    public void An_unmasked_exception_leaves_operands_and_stack_as_they_were()
    {
        using ProgrammedCpu cpu = Divided(a => a.hlt());
        Assert.That(cpu.Interpreter.Run(100), Is.TypeOf<StopReason.Halted>());
        Assert.That(cpu.State->Fpu.Used, Is.EqualTo(0xc0), "1.0 in R7 and 0.0 in R6 are still there");
        Assert.That(cpu.State->Fpu.Exponent[7], Is.EqualTo(0x3fff));
    }

    [Test]
    public void FNSTENV_names_the_last_instruction_its_opcode_and_its_operand_and_masks_exceptions()
    {
        using var cpu = new ProgrammedCpu(a =>
        {
            a.fninit();
            a.fldcw(__word_ptr[rdi]);
            a.fld(__qword_ptr[rdi + 8]);
            a.fnstcw(__word_ptr[rdi + 2]);
            a.fnstenv(__[rdi + 0x40]);
            a.hlt();
        });
        cpu.State->Rdi = Data;
        cpu.Write(Data, 0x0300);
        Assert.That(cpu.Interpreter.Run(100), Is.TypeOf<StopReason.Halted>());
        Assert.That(cpu.Read(Data + 0x40), Is.EqualTo(0xffff_3800_ffff_0340), "control and status word");
        Assert.That((uint)cpu.Read(Data + 0x48), Is.EqualTo(0xffff_7fff), "R7 holds zero, the others are empty");
        Assert.That((uint)(cpu.Read(Data + 0x48) >> 32), Is.EqualTo(4u), "the low half of its address; FLDCW is no instruction that is remembered");
        Assert.That((uint)cpu.Read(Data + 0x50), Is.EqualTo(0x0547_0000u), "DD 47 08: FLD m64, [rdi + 8]; no selector");
        Assert.That((uint)(cpu.Read(Data + 0x50) >> 32), Is.EqualTo(8u));
        Assert.That(cpu.State->Fpu.Control, Is.EqualTo(0x37f));
    }

    [Test]
    public void FNSAVE_across_two_pages_and_FRSTOR_bring_everything_back()
    {
        using var cpu = new ProgrammedCpu(a =>
        {
            a.fninit();
            a.fldpi();
            a.fldl2e();
            a.fnsave(__[rdi]);
            a.fld1();
            a.frstor(__[rdi]);
            a.hlt();
        });
        cpu.State->Rdi = Data + 0x1000 - 50;
        Assert.That(cpu.Interpreter.Run(100), Is.TypeOf<StopReason.Halted>());
        Assert.That(cpu.State->Fpu.Status, Is.EqualTo(6 << 11));
        Assert.That(cpu.State->Fpu.Used, Is.EqualTo(0xc0));
        Assert.That(cpu.State->Fpu.Mantissa[7], Is.EqualTo(0xc90f_daa2_2168_c235));
        Assert.That(cpu.State->Fpu.Mantissa[6], Is.EqualTo(0xb8aa_3b29_5c17_f0bc));
    }

    [Test]
    public void A_store_that_faults_changes_neither_status_nor_stack()
    {
        using var cpu = new ProgrammedCpu(a => a.fstp(__dword_ptr[rdi]), deliversExceptions: false);
        cpu.State->Rdi = Data + (1ul << 30);
        cpu.State->Fpu = new FpuState { Control = 0x37f, Status = 7 << 11, Used = 0x80 };
        cpu.State->Fpu.Mantissa[7] = ulong.MaxValue;
        cpu.State->Fpu.Exponent[7] = 0x3fff;
        StopReason stop = cpu.Interpreter.Run(1);
        Assert.That(((StopReason.Exception)stop).Vector, Is.EqualTo(14));
        Assert.That(cpu.State->Fpu.Status, Is.EqualTo(7 << 11));
        Assert.That(cpu.State->Fpu.Used, Is.EqualTo(0x80));
    }

    [Test]
    public void MMX_writes_appear_as_NaNs_on_the_stack_and_EMMS_empties_it()
    {
        using var cpu = new ProgrammedCpu(a =>
        {
            a.fninit();
            a.fld1();
            a.movq(mm3, rax);
            a.hlt();
            a.emms();
            a.hlt();
        });
        cpu.State->Rax = 0x1122_3344_5566_7788;
        cpu.Interpreter.Run(4);
        Assert.That(cpu.State->Fpu.Used, Is.EqualTo(0xff));
        Assert.That(cpu.State->Fpu.Status & 0x3800, Is.Zero, "TOP");
        Assert.That(cpu.State->Fpu.Mantissa[3], Is.EqualTo(0x1122_3344_5566_7788));
        Assert.That(cpu.State->Fpu.Exponent[3], Is.EqualTo(0xffff));
        cpu.Interpreter.Run(2);
        Assert.That(cpu.State->Fpu.Used, Is.Zero);
    }

    [TestCase(62u, 1ul)]
    [TestCase(63u, 1ul)]
    [TestCase(64u, 2ul)]
    [TestCase(130u, 4ul)]
    public void FPREM_reduces_by_at_most_63_in_a_step(uint difference, ulong steps)
    {
        // 2^difference by 3: a step takes 32 to 63 off the difference of the exponents, and C2 tells that it was not the last.
        using var cpu = new ProgrammedCpu(a =>
        {
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.inc(ebx);
            a.fprem();
            a.fnstsw(ax);
            a.test(ah, 4);
            a.jne(again);
            a.hlt();
        });
        cpu.State->Fpu = new FpuState { Control = 0x37f, Status = 0, Used = 3 };
        cpu.State->Fpu.Mantissa[0] = 1ul << 63;
        cpu.State->Fpu.Exponent[0] = (ushort)(0x4000 + difference);
        cpu.State->Fpu.Mantissa[1] = 3ul << 62;
        cpu.State->Fpu.Exponent[1] = 0x4000;
        Assert.That(cpu.Interpreter.Run(1000), Is.TypeOf<StopReason.Halted>());
        Assert.That(cpu.State->Rbx, Is.EqualTo(steps));
        Assert.That(cpu.State->Fpu.Exponent[0], Is.EqualTo(difference % 2 == 0 ? 0x4000 : 0x3fff), "2^(n + 1) is 1 or 2 modulo 3");
    }

    [TestCase(0x37fu, 0xc90f_daa2_2168_c235ul)]
    [TestCase(0x77fu, 0xc90f_daa2_2168_c234ul)]
    [TestCase(0xb7fu, 0xc90f_daa2_2168_c235ul)]
    [TestCase(0xf7fu, 0xc90f_daa2_2168_c234ul)]
    public void FLDPI_follows_rounding_control(uint control, ulong mantissa)
    {
        using var cpu = new ProgrammedCpu(a =>
        {
            a.fldpi();
            a.hlt();
        });
        cpu.State->Fpu.Control = (ushort)control;
        cpu.Interpreter.Run(2);
        Assert.That(cpu.State->Fpu.Mantissa[7], Is.EqualTo(mantissa));
    }

    /// <summary>1.0 / 0.0 with the exception not masked, then the rest.</summary>
    private static ProgrammedCpu Divided(Action<Assembler> rest)
    {
        var cpu = new ProgrammedCpu(
            a =>
            {
                a.fninit();
                a.fldcw(__word_ptr[rdi]);
                a.fld1();
                a.fldz();
                a.fdivp(st1, st0);
                rest(a);
            },
            deliversExceptions: false);
        cpu.State->Rdi = Data;
        cpu.Write(Data, 0x37b);
        return cpu;
    }

    /// <summary>The exception that an instruction raises under bits of CR0, null for none.</summary>
    private static uint? Vector(Action<Assembler> instruction, ulong cr0)
    {
        using var cpu = new ProgrammedCpu(
            a =>
            {
                instruction(a);
                a.hlt();
            },
            deliversExceptions: false);
        cpu.State->Rdi = Data;
        cpu.State->Fpu.Control = 0x37f;
        cpu.State->Cr0 |= cr0 | Cr0Bits.NumericError;
        return cpu.Interpreter.Run(2) is StopReason.Exception exception ? exception.Vector : null;
    }

    /// <summary>Where two bytes of code stand.</summary>
    private static ulong Position(ProgrammedCpu cpu, ushort bytes)
    {
        const ulong Frame = 0x20_0000;
        for (ulong i = 0; i < 0x100; i++)
        {
            if (cpu.State->Ram[Frame + i] == bytes >> 8 && cpu.State->Ram[Frame + i + 1] == (byte)bytes)
                return i;
        }

        throw new AssertionException("the bytes are not there");
    }
}
