using System.Text;
using Iced.Intel;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Linux.Programs;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Linux;

/// <summary>
/// What a program finds of the upper halves of YMM registers in a signal's frame and after it (Linux,
/// arch/x86/kernel/fpu/signal.c). The registers are set by XRSTOR and read by XSAVE.
/// </summary>
[TestFixture(ExecutionTier.Interpreted)]
[TestFixture(ExecutionTier.Translated)]
public sealed class FloatFrameTests(ExecutionTier tier)
{
    private const int Area = 832;
    private const byte Before = 0x11;
    private const byte InFrame = 0x22;
    private const int FramePointer = 224;

    /// <summary>What the handler does with the frame in RCX, beside clearing the registers, and the byte that is found when it has returned.</summary>
    private static readonly Dictionary<string, (Action<Assembler> Handler, byte Expected)> Handlers = new(StringComparer.Ordinal)
    {
        ["registers that it clears are as they were"] = (_ => { }, Before),
        ["registers that it changes in the frame are changed"] = (a => a.mov(__byte_ptr[rcx + Area - 1], InFrame), InFrame),
        ["without the first mark they become zero"] = (a => a.mov(__dword_ptr[rcx + 464], 0), 0),
        ["without the mark behind the area they become zero"] = (a => a.mov(__dword_ptr[rcx + Area], 0), 0),
        ["with a size beyond the largest they become zero"] = (a => a.mov(__dword_ptr[rcx + 480], Area + 64), 0),
        ["with a size beyond all of the frame they become zero"] = (a => a.mov(__dword_ptr[rcx + 468], Area - 1), 0),
        ["without their bit among the components they become zero"] = (a => a.mov(__dword_ptr[rcx + 472], 3), 0),
        ["without their bit in the header they become zero"] = (a => a.mov(__dword_ptr[rcx + 512], 3), 0),
        ["without an area they become zero"] = (a => a.mov(__qword_ptr[rdx + FramePointer], 0), 0),
        ["an area elsewhere is as good"] = (a =>
        {
            a.mov(rsi, rcx);
            a.lea(rdi, __[rbx + 0x800]);
            a.mov(__qword_ptr[rdx + FramePointer], rdi);
            a.mov(ecx, Area + 4);
            a.rep.movsb();
            a.mov(__byte_ptr[rbx + 0x800 + Area - 1], InFrame);
        }, InFrame),
    };

    private static IEnumerable<string> HandlerNames => Handlers.Keys;

    [TestCaseSource(nameof(HandlerNames))]
    public void When_a_handler_has_returned(string name)
    {
        (Action<Assembler> handler, byte expected) = Handlers[name];
        Assert.That(Run(handler).End, Is.EqualTo(new ProgramEnd.Exited(expected)));
    }

    [Test]
    public void A_frame_with_a_header_that_XRSTOR_refuses_ends_the_program([Values(513, 520, 528)] int place) =>
        Assert.That(Run(a => a.mov(__byte_ptr[rcx + place], 1)).End, Is.EqualTo(new ProgramEnd.Signalled(Signal.Segmentation)));

    [Test]
    public void A_frame_with_an_MXCSR_that_is_none_ends_the_program([Values] bool extended)
    {
        ProgramEnd end = Run(a =>
        {
            a.mov(__byte_ptr[rcx + 26], 1);
            if (!extended)
                a.mov(__dword_ptr[rcx + 464], 0);
        }).End;
        Assert.That(end, Is.EqualTo(new ProgramEnd.Signalled(Signal.Segmentation)));
    }

    [Test]
    public void The_frame_tells_its_size_and_components_and_lies_at_a_multiple_of_64()
    {
        (ProgramEnd end, string output) = Run(a =>
        {
            a.mov(r12, rcx);
            Write(a, rdx, 8);
            Write(a, r12, Area + 4);
            a.and(r12d, 63);
            a.mov(edi, r12d);
            a.mov(eax, 60);
            a.syscall();
        });
        byte[] frame = Encoding.Latin1.GetBytes(output);
        Assert.That(end, Is.EqualTo(new ProgramEnd.Exited(0)));
        Assert.That(BitConverter.ToUInt64(frame), Is.EqualTo(7ul), "flags of ucontext");
        byte[] area = frame[8..];
        Assert.That(BitConverter.ToUInt32(area, 464), Is.EqualTo(0x4650_5853u), "mark");
        Assert.That(BitConverter.ToUInt32(area, 468), Is.EqualTo(836u), "size with the mark behind it");
        Assert.That(BitConverter.ToUInt64(area, 472), Is.EqualTo(7ul), "components");
        Assert.That(BitConverter.ToUInt32(area, 480), Is.EqualTo(832u), "size");
        Assert.That(area[484..512], Is.All.Zero);
        Assert.That(BitConverter.ToUInt64(area, 512), Is.EqualTo(7ul), "header");
        Assert.That(area[520..576], Is.All.Zero);
        Assert.That(area[576..832], Is.All.EqualTo(Before));
        Assert.That(BitConverter.ToUInt32(area, 832), Is.EqualTo(0x4650_5845u), "mark behind it");
    }

    [Test]
    public void A_program_starts_with_zeros()
    {
        byte[] file = ElfProgram.Assemble(a =>
        {
            Prepare(a);
            Save(a);
            a.movzx(edi, __byte_ptr[rbx + 0x400 + 512]);
            a.and(edi, 4);
            a.add(dil, __byte_ptr[rbx + 0x400 + Area - 1]);
            a.mov(eax, 60);
            a.syscall();
        });
        Assert.That(ElfProgram.Run(tier, file).End, Is.EqualTo(new ProgramEnd.Exited(0)));
    }

    [Test]
    public void A_child_has_its_parent_s_registers_and_each_keeps_its_own()
    {
        byte[] file = ElfProgram.Assemble(a =>
        {
            Label child = a.CreateLabel();
            Prepare(a);
            Set(a, Before);
            a.mov(eax, 57);
            a.syscall();
            a.test(eax, eax);
            a.je(child);

            // The child ends with the byte that it found, in bits 8 to 15 of its status.
            a.mov(rdi, -1);
            a.lea(rsi, __[rbx + 0xff0]);
            a.xor(edx, edx);
            a.xor(r10d, r10d);
            a.mov(eax, 61);
            a.syscall();
            Save(a);
            a.movzx(edi, __byte_ptr[rbx + 0x400 + Area - 1]);
            a.shl(edi, 2);
            a.add(dil, __byte_ptr[rbx + 0xff1]);
            a.mov(eax, 60);
            a.syscall();

            a.Label(ref child);
            Save(a);
            Set(a, 0x77);
            a.movzx(edi, __byte_ptr[rbx + 0x400 + Area - 1]);
            a.mov(eax, 60);
            a.syscall();
        });
        Assert.That(ElfProgram.Run(tier, file).End, Is.EqualTo(new ProgramEnd.Exited((4 * Before) + Before)));
    }

    /// <summary>A program that fills the upper halves, sends itself a signal and ends with their last byte.</summary>
    private (ProgramEnd End, string Output) Run(Action<Assembler> handle)
    {
        byte[] file = ElfProgram.Assemble(a =>
        {
            Label handler = a.CreateLabel();
            Label restorer = a.CreateLabel();
            Prepare(a);
            Set(a, Before);

            // rt_sigaction(SIGUSR1) with SA_SIGINFO and SA_RESTORER, then kill(getpid(), SIGUSR1).
            a.lea(rsi, __[rbx + 0xf00]);
            a.lea(rax, __[handler]);
            a.mov(__qword_ptr[rsi], rax);
            a.mov(__qword_ptr[rsi + 8], 0x0400_0004);
            a.lea(rax, __[restorer]);
            a.mov(__qword_ptr[rsi + 16], rax);
            a.mov(edi, 10);
            a.xor(edx, edx);
            a.mov(r10d, 8);
            a.mov(eax, 13);
            a.syscall();
            a.mov(eax, 39);
            a.syscall();
            a.mov(edi, eax);
            a.mov(esi, 10);
            a.mov(eax, 62);
            a.syscall();
            Save(a);
            a.movzx(edi, __byte_ptr[rbx + 0x400 + Area - 1]);
            a.mov(eax, 60);
            a.syscall();

            a.Label(ref handler);
            a.mov(r12, rdx);
            Set(a, 0);
            a.mov(rdx, r12);
            a.mov(rcx, __qword_ptr[rdx + FramePointer]);
            handle(a);
            a.ret();
            a.Label(ref restorer);
            a.mov(eax, 15);
            a.syscall();
        });
        return ElfProgram.Run(tier, file);
    }

    /// <summary>RBX: a page of zeros, with an area to restore from at its start, one to save to at 0x400.</summary>
    private static void Prepare(Assembler a)
    {
        a.xor(edi, edi);
        a.mov(esi, 0x1000);
        a.mov(edx, 3);
        a.mov(r10d, 0x22);
        a.mov(r8, -1);
        a.xor(r9d, r9d);
        a.mov(eax, 9);
        a.syscall();
        a.mov(rbx, rax);
        a.mov(__dword_ptr[rbx + 24], 0x1f80);
    }

    /// <summary>Fills the upper halves of all YMM registers with a byte.</summary>
    private static void Set(Assembler a, byte value)
    {
        a.lea(rdi, __[rbx + 576]);
        a.mov(ecx, 256);
        a.mov(eax, value);
        a.rep.stosb();
        a.mov(__qword_ptr[rbx + 512], 4);
        a.mov(eax, 4);
        a.xor(edx, edx);
        a.xrstor64(__[rbx]);
    }

    private static void Save(Assembler a)
    {
        a.mov(eax, 4);
        a.xor(edx, edx);
        a.xsave64(__[rbx + 0x400]);
    }

    private static void Write(Assembler a, AssemblerRegister64 from, int size)
    {
        a.mov(rsi, from);
        a.mov(edi, 1);
        a.mov(edx, size);
        a.mov(eax, 1);
        a.syscall();
    }
}
