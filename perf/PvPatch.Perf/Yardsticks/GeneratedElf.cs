using System.Buffers.Binary;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Perf.Yardsticks;

/// <summary>Static Linux programs that Iced assembles.</summary>
internal static class GeneratedElf
{
    private const ulong Base = 0x40_0000;
    private const int HeaderSize = 64 + 56;

    /// <summary>A program that writes a line and ends.</summary>
    public static string Hello(string folder)
    {
        var assembler = new Assembler(64);
        Label text = assembler.CreateLabel();
        assembler.mov(eax, 1);
        assembler.mov(edi, 1);
        assembler.lea(rsi, __[text]);
        assembler.mov(edx, 6);
        assembler.syscall();
        Exit(assembler);
        assembler.Label(ref text);
        assembler.db("hello\n"u8.ToArray());
        return Write(folder, "hello", assembler);
    }

    /// <summary>
    /// A program of so many instructions, no two alike, in a loop: what a compiler makes of integers, with branches that are taken and
    /// not taken.
    /// </summary>
    /// <param name="folder">Where it goes.</param>
    /// <param name="instructions">How many.</param>
    /// <param name="repetitions">How often they are executed.</param>
    public static string Cold(string folder, int instructions, int repetitions)
    {
        var random = new Random(1);
        var assembler = new Assembler(64);
        Label loop = assembler.CreateLabel();
        Label end = assembler.CreateLabel();
        assembler.mov(r15d, repetitions);
        assembler.Label(ref loop);
        assembler.sub(r15d, 1);
        assembler.jc(end);
        AssemblerRegister64[] wide = [rax, rbx, rcx, rdx, rsi, rdi, r8, r9, r10, r11, r12, r13, r14];
        AssemblerRegister32[] narrow = [eax, ebx, ecx, edx, esi, edi, r8d, r9d, r10d, r11d, r12d, r13d, r14d];
        for (int i = 0; i < instructions; i++)
        {
            int a = random.Next(wide.Length), b = random.Next(wide.Length), number = random.Next();
            switch (random.Next(10))
            {
                case 0:
                    assembler.add(wide[a], number);
                    break;
                case 1:
                    assembler.xor(narrow[a], number);
                    break;
                case 2:
                    assembler.mov(narrow[a], number);
                    break;
                case 3:
                    assembler.lea(wide[a], __[wide[b] + number]);
                    break;
                case 4:
                    assembler.mov(__qword_ptr[rsp - (8 * (1 + (number % 4000)))], wide[a]);
                    break;
                case 5:
                    assembler.mov(wide[a], __qword_ptr[rsp - (8 * (1 + (number % 4000)))]);
                    break;
                case 6:
                    assembler.imul(narrow[a], narrow[b], number);
                    break;
                case 7:
                    assembler.sub(narrow[a], __dword_ptr[rsp - (8 * (1 + (number % 4000)))]);
                    break;
                case 8:
                    assembler.cmp(wide[a], number);
                    break;
                default:
                    Label over = assembler.CreateLabel();
                    assembler.test(wide[a], number);
                    assembler.js(over);
                    assembler.add(narrow[b], number);
                    assembler.Label(ref over);
                    i += 2;
                    break;
            }
        }

        assembler.jmp(loop);
        assembler.Label(ref end);
        Exit(assembler);
        return Write(folder, $"cold-{repetitions}", assembler);
    }

    private static void Exit(Assembler assembler)
    {
        assembler.mov(eax, 60);
        assembler.xor(edi, edi);
        assembler.syscall();
    }

    /// <summary>An ELF file of one segment that may be read and executed (System V ABI, 4 and 5).</summary>
    private static string Write(string folder, string name, Assembler assembler)
    {
        using var code = new MemoryStream();
        code.Write(new byte[HeaderSize]);
        assembler.Assemble(new StreamCodeWriter(code), Base + HeaderSize);
        byte[] file = code.ToArray();
        Span<byte> header = file;
        "\u007fELF"u8.CopyTo(header);
        header[4] = 2;                                                              // 64 bits
        header[5] = header[6] = 1;                                                  // little-endian, version
        BinaryPrimitives.WriteUInt16LittleEndian(header[16..], 2);                  // ET_EXEC
        BinaryPrimitives.WriteUInt16LittleEndian(header[18..], 62);                 // EM_X86_64
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], Base + HeaderSize);  // entry
        BinaryPrimitives.WriteUInt64LittleEndian(header[32..], 64);                 // program headers
        BinaryPrimitives.WriteUInt16LittleEndian(header[52..], 64);
        BinaryPrimitives.WriteUInt16LittleEndian(header[54..], 56);
        BinaryPrimitives.WriteUInt16LittleEndian(header[56..], 1);
        Span<byte> segment = header[64..];
        BinaryPrimitives.WriteUInt32LittleEndian(segment, 1);                       // PT_LOAD
        BinaryPrimitives.WriteUInt32LittleEndian(segment[4..], 5);                  // R, X
        BinaryPrimitives.WriteUInt64LittleEndian(segment[16..], Base);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[24..], Base);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[32..], (ulong)file.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[40..], (ulong)file.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[48..], 0x1000);
        string path = Path.Combine(folder, name);
        File.WriteAllBytes(path, file);
        if (OperatingSystem.IsLinux())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }
}
