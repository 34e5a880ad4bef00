using System.Buffers.Binary;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using PvPatch.Oracle.Cases;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Oracle.Native;

/// <summary>
/// The helper process, assembled here: a static ELF64 without libraries. It maps the pages of the cases, then every
/// case costs one signal: the handler stores what the last case left in its signal frame, puts the next case's state
/// into the frame and returns, so that the kernel loads all registers at once. Cases end with INT3 or a fault.
/// </summary>
internal static class OracleProgram
{
    private const ulong ImageBase = 0x40_0000;
    private const int HeaderSize = 64 + 56;
    private const ulong ActionPlace = CaseLayout.SignalStack + CaseLayout.SignalStackSize;
    private const ulong VariablePlace = ActionPlace + 0x100;

    // Places in the signal frame (Linux, arch/x86/include/uapi/asm/sigcontext.h): registers, then a pointer to the FXSAVE area.
    private const int FrameRegisters = 40;
    private const int FramePointerToFpu = FrameRegisters + (CaseLayout.FrameRegisterCount * 8);
    private const int FrameSegments = 18;

    // In the FXSAVE area and behind it (struct _fpx_sw_bytes in the same header, and the standard format, Intel SDM vol. 1, 13.4):
    // the kernel's mark of an XSAVE area, what components it has, which of them are not initial, and the upper halves of YMM, whose
    // place CPUID tells and is the same on all processors.
    private const int AreaMark = 464;
    private const int AreaMarkValue = 0x4650_5853;
    private const int AreaComponents = AreaMark + 8;
    private const int StateBits = 512;
    private const int AreaYmmHigh = 576;
    private const int YmmWords = 256 / 8;

    /// <summary>Makes the program file's bytes.</summary>
    public static byte[] Assemble()
    {
        var a = new Assembler(64);
        Label handler = a.CreateLabel();
        Label restorer = a.CreateLabel();
        Start(a, handler, restorer);
        Handle(a, handler);
        a.Label(ref restorer);
        a.mov(eax, 15);
        a.syscall();
        using var code = new MemoryStream();
        a.Assemble(new StreamCodeWriter(code), ImageBase + HeaderSize);
        return Elf(code.ToArray());
    }

    private static void Start(Assembler a, Label handler, Label restorer)
    {
        // open(argv[1], O_RDWR), then map the shared file.
        a.mov(rdi, __[rsp + 16]);
        a.mov(esi, 2);
        a.mov(eax, 2);
        a.syscall();
        a.mov(r8, rax);
        Map(a, CaseLayout.SharedBase, CaseLayout.SharedSize, shared: true, execute: false);
        Map(a, CaseLayout.SignalStack, CaseLayout.SignalStackSize + 0x1000, shared: false, execute: false);
        Map(a, CaseLayout.CodePage, 0x1000, shared: false, execute: true);
        Map(a, CaseLayout.DataPages, CaseLayout.DataSize, shared: false, execute: false);

        // All pages are there and the code page is full of INT3.
        a.mov(rdi, CaseLayout.CodePage);
        a.mov(ecx, 0x1000);
        a.mov(eax, 0xcc);
        a.rep.stosb();
        a.mov(rdi, CaseLayout.DataPages);
        a.mov(ecx, (uint)CaseLayout.DataSize);
        a.xor(eax, eax);
        a.rep.stosb();

        // arch_prctl: bases of FS and GS.
        a.mov(edi, 0x1002);
        a.mov(rsi, CaseLayout.FsBase);
        a.mov(eax, 158);
        a.syscall();
        a.mov(edi, 0x1001);
        a.mov(rsi, CaseLayout.GsBase);
        a.mov(eax, 158);
        a.syscall();

        // sigaltstack({base, flags, size})
        a.mov(rdi, ActionPlace);
        a.mov(rax, CaseLayout.SignalStack);
        a.mov(__qword_ptr[rdi], rax);
        a.mov(__qword_ptr[rdi + 8], 0);
        a.mov(__qword_ptr[rdi + 16], (int)CaseLayout.SignalStackSize);
        a.xor(esi, esi);
        a.mov(eax, 131);
        a.syscall();

        // SIGINT is for the process that asks: ignored here.
        a.mov(rsi, ActionPlace);
        a.mov(__qword_ptr[rsi], 1);
        a.mov(edi, 2);
        a.xor(edx, edx);
        a.mov(r10d, 8);
        a.mov(eax, 13);
        a.syscall();

        // rt_sigaction for SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV: SA_SIGINFO, SA_ONSTACK, SA_NODEFER, SA_RESTORER.
        foreach (int signal in new[] { 4, 5, 7, 8, 11 })
        {
            a.mov(rsi, ActionPlace);
            a.lea(rax, __[handler]);
            a.mov(__qword_ptr[rsi], rax);
            a.mov(rax, 0x4c00_0004ul);
            a.mov(__qword_ptr[rsi + 8], rax);
            a.lea(rax, __[restorer]);
            a.mov(__qword_ptr[rsi + 16], rax);
            a.mov(__qword_ptr[rsi + 24], 0);
            a.mov(edi, signal);
            a.xor(edx, edx);
            a.mov(r10d, 8);
            a.mov(eax, 13);
            a.syscall();
        }

        // The first signal has no case behind it: case number -1 of an empty batch.
        a.mov(rbx, VariablePlace);
        a.mov(__qword_ptr[rbx], -1);
        a.mov(__qword_ptr[rbx + 8], 0);
        a.int3();
    }

    private static void Handle(Assembler a, Label handler)
    {
        Label next = a.CreateLabel();
        Label more = a.CreateLabel();
        Label end = a.CreateLabel();
        a.Label(ref handler);
        a.mov(rbp, rdx);
        a.mov(r12, VariablePlace);
        a.mov(r13, __qword_ptr[r12]);
        a.test(r13, r13);
        a.js(next);

        // Store what the case left.
        Slot(a);
        a.lea(rdi, __[r14 + CaseLayout.ResultOffset + CaseLayout.Registers]);
        a.lea(rsi, __[rbp + FrameRegisters]);
        a.mov(ecx, CaseLayout.FrameRegisterCount);
        a.rep.movsq();
        a.mov(rsi, __qword_ptr[rbp + FramePointerToFpu]);
        a.lea(rdi, __[r14 + CaseLayout.ResultOffset + CaseLayout.Fpu]);
        a.mov(ecx, 512 / 8);
        a.rep.movsq();
        StoreYmmHigh(a);
        foreach (CaseLayout.Window window in CaseLayout.Windows)
        {
            a.mov(rsi, window.Address);
            a.lea(rdi, __[r14 + CaseLayout.ResultOffset + window.Offset]);
            a.mov(ecx, window.Size / 8);
            a.rep.movsq();
        }

        a.Label(ref next);
        a.inc(r13);
        a.cmp(r13, __qword_ptr[r12 + 8]);
        a.jb(more);

        // Batch done: say so, wait for the next one.
        a.mov(edi, 1);
        a.mov(rsi, VariablePlace + 16);
        a.mov(edx, 1);
        a.mov(eax, 1);
        a.syscall();
        a.xor(edi, edi);
        a.mov(rsi, VariablePlace + 16);
        a.mov(edx, 1);
        a.xor(eax, eax);
        a.syscall();
        a.cmp(rax, 1);
        a.jne(end);
        a.mov(rax, CaseLayout.SharedBase);
        a.mov(rax, __qword_ptr[rax]);
        a.mov(__qword_ptr[r12 + 8], rax);
        a.xor(r13d, r13d);

        a.Label(ref more);
        a.mov(__qword_ptr[r12], r13);
        Slot(a);
        a.lea(rsi, __[r14 + CaseLayout.Registers]);
        a.lea(rdi, __[rbp + FrameRegisters]);
        a.mov(ecx, FrameSegments);
        a.rep.movsq();
        a.mov(rdi, __qword_ptr[rbp + FramePointerToFpu]);
        a.or(__qword_ptr[rdi + StateBits], (int)StateComponents.X87 | (int)StateComponents.Sse);
        a.lea(rsi, __[r14 + CaseLayout.Fpu]);
        a.mov(ecx, AreaMark / 8);
        a.rep.movsq();
        LoadYmmHigh(a);
        foreach (CaseLayout.Window window in CaseLayout.Windows)
        {
            a.lea(rsi, __[r14 + window.Offset]);
            a.mov(rdi, window.Address);
            a.mov(ecx, window.Size / 8);
            a.rep.movsq();
        }

        a.lea(rsi, __[r14 + CaseLayout.Code]);
        a.mov(rdi, CaseLayout.CodeStart);
        a.mov(ecx, CaseLayout.CodeSize / 8);
        a.rep.movsq();

        // The kernel leaves NT and ID as they are when the handler returns, so clear what the last case set.
        a.push(0x202);
        a.popfq();
        a.ret();

        a.Label(ref end);
        a.xor(edi, edi);
        a.mov(eax, 231);
        a.syscall();
    }

    /// <summary>
    /// Stores the upper halves of YMM. They are zero where the frame says that they are initial: then the bytes in it need not have
    /// been written. Of x87 and SSE the kernel never says so (save_xstate_epilog). A host without them leaves the case's.
    /// </summary>
    private static void StoreYmmHigh(Assembler a)
    {
        Label none = a.CreateLabel();
        Label initial = a.CreateLabel();
        Label copy = a.CreateLabel();
        Label end = a.CreateLabel();
        a.mov(rdx, __qword_ptr[rbp + FramePointerToFpu]);
        a.lea(rdi, __[r14 + CaseLayout.ResultOffset + CaseLayout.YmmHigh]);
        a.mov(ecx, YmmWords);
        SkipWithoutYmm(a, none);
        a.test(__dword_ptr[rdx + StateBits], (int)StateComponents.Avx);
        a.jz(initial);
        a.lea(rsi, __[rdx + AreaYmmHigh]);
        a.jmp(copy);
        a.Label(ref initial);
        a.xor(eax, eax);
        a.rep.stosq();
        a.jmp(end);
        a.Label(ref none);
        a.lea(rsi, __[r14 + CaseLayout.YmmHigh]);
        a.Label(ref copy);
        a.rep.movsq();
        a.Label(ref end);
    }

    /// <summary>Puts the case's upper halves of YMM into the frame, where it has a place for them.</summary>
    private static void LoadYmmHigh(Assembler a)
    {
        Label none = a.CreateLabel();
        a.mov(rdx, __qword_ptr[rbp + FramePointerToFpu]);
        SkipWithoutYmm(a, none);
        a.or(__dword_ptr[rdx + StateBits], (int)StateComponents.Avx);
        a.lea(rsi, __[r14 + CaseLayout.YmmHigh]);
        a.lea(rdi, __[rdx + AreaYmmHigh]);
        a.mov(ecx, YmmWords);
        a.rep.movsq();
        a.Label(ref none);
    }

    /// <summary>Jumps if the frame whose FXSAVE area rdx points to has no upper halves of YMM.</summary>
    private static void SkipWithoutYmm(Assembler a, Label none)
    {
        a.cmp(__dword_ptr[rdx + AreaMark], AreaMarkValue);
        a.jne(none);
        a.test(__dword_ptr[rdx + AreaComponents], (int)StateComponents.Avx);
        a.jz(none);
    }

    /// <summary>r14 = place of the case whose number is in r13.</summary>
    private static void Slot(Assembler a)
    {
        a.imul(r14, r13, CaseLayout.SlotSize);
        a.mov(rax, CaseLayout.SharedBase + CaseLayout.FirstSlot);
        a.add(r14, rax);
    }

    /// <summary>mmap at a fixed address; a shared mapping takes the file in r8.</summary>
    private static void Map(Assembler a, ulong address, ulong size, bool shared, bool execute)
    {
        a.mov(rdi, address);
        a.mov(rsi, size);
        a.mov(edx, execute ? 7 : 3);
        a.mov(r10d, shared ? 0x11 : 0x32);
        if (!shared)
            a.mov(r8, -1);
        a.xor(r9d, r9d);
        a.mov(eax, 9);
        a.syscall();
    }

    private static byte[] Elf(byte[] code)
    {
        byte[] file = new byte[HeaderSize + code.Length];
        Span<byte> header = file;
        "\u007fELF"u8.CopyTo(header);
        header[4] = 2;
        header[5] = 1;
        header[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(header[16..], 2);
        BinaryPrimitives.WriteUInt16LittleEndian(header[18..], 62);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], ImageBase + HeaderSize);
        BinaryPrimitives.WriteUInt64LittleEndian(header[32..], 64);
        BinaryPrimitives.WriteUInt16LittleEndian(header[52..], 64);
        BinaryPrimitives.WriteUInt16LittleEndian(header[54..], 56);
        BinaryPrimitives.WriteUInt16LittleEndian(header[56..], 1);
        Span<byte> program = header[64..];
        BinaryPrimitives.WriteUInt32LittleEndian(program, 1);
        BinaryPrimitives.WriteUInt32LittleEndian(program[4..], 5);
        BinaryPrimitives.WriteUInt64LittleEndian(program[16..], ImageBase);
        BinaryPrimitives.WriteUInt64LittleEndian(program[24..], ImageBase);
        BinaryPrimitives.WriteUInt64LittleEndian(program[32..], (ulong)file.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(program[40..], (ulong)file.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(program[48..], 0x1000);
        code.CopyTo(file, HeaderSize);
        return file;
    }
}
