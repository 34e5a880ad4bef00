using System.Text;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Linux;

/// <summary>What differs between the states of two CPUs of a program, a line a register.</summary>
internal static unsafe class StateComparison
{
    /// <summary>Where the values begin in a line.</summary>
    public const int NameWidth = 15;

    private static readonly string[] General =
        ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    private static readonly (ulong Bit, string Name)[] Flags =
    [
        (RFlags.Carry, "CF"), (RFlags.Parity, "PF"), (RFlags.Adjust, "AF"), (RFlags.Zero, "ZF"), (RFlags.Sign, "SF"),
        (RFlags.Direction, "DF"), (RFlags.Overflow, "OF"),
    ];

    /// <summary>Appends a line for each register that differs: its name, the value found and the value wanted.</summary>
    public static void Append(StringBuilder text, CpuState* found, CpuState* wanted)
    {
        Value("rip", found->Rip, wanted->Rip);
        ulong flags = found->RFlags ^ wanted->RFlags;
        Value("rflags", found->RFlags, wanted->RFlags, string.Join(' ', Flags.Where(flag => (flags & flag.Bit) != 0).Select(flag => flag.Name)));
        for (int i = 0; i < General.Length; i++)
            Value(General[i], found->Gpr[i], wanted->Gpr[i]);
        Value("fs base", found->Fs.Base, wanted->Fs.Base);
        Value("gs base", found->Gs.Base, wanted->Gs.Base);
        for (int i = 0; i < 32; i++)
            Value($"xmm{i / 2}{(i % 2 == 0 ? "" : " high")}", found->Xmm[i], wanted->Xmm[i]);
        for (int i = 0; i < 32; i++)
            Value($"ymm{i / 2} {(i % 2 == 0 ? "high" : "top")}", found->YmmHigh[i], wanted->YmmHigh[i]);
        Value("mxcsr", found->Mxcsr, wanted->Mxcsr);
        for (int i = 0; i < 8; i++)
        {
            Value($"x87 R{i}", found->Fpu.Mantissa[i], wanted->Fpu.Mantissa[i]);
            Value($"x87 R{i} exp", found->Fpu.Exponent[i], wanted->Fpu.Exponent[i]);
        }

        Value("x87 control", found->Fpu.Control, wanted->Fpu.Control);
        Value("x87 status", found->Fpu.Status, wanted->Fpu.Status);
        Value("x87 used", found->Fpu.Used, wanted->Fpu.Used);
        Value("x87 opcode", found->Fpu.LastOpcode, wanted->Fpu.LastOpcode);
        Value("x87 rip", found->Fpu.LastInstruction, wanted->Fpu.LastInstruction);
        Value("x87 data", found->Fpu.LastData, wanted->Fpu.LastData);

        void Value(string name, ulong found, ulong wanted, string note = "")
        {
            if (found != wanted)
                text.AppendLine($"  {name}".PadRight(NameWidth) + $"{found:x16} {wanted:x16}" + (note.Length > 0 ? $" {note}" : ""));
        }
    }
}
