using System.Collections.Frozen;
using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Which sensitive instructions are part of regions. Those that go elsewhere or end what runs (HLT, IRET, SYSRET, VMCALL) or
/// load descriptor tables, the interpreter executes.
/// </summary>
internal static class SensitiveForms
{
    private static readonly FrozenSet<Code> Forms = FrozenSet.Create(
        Code.Cli, Code.Sti, Code.Pushfq, Code.Popfq, Code.Mov_r64_cr, Code.Mov_cr_r64, Code.Cpuid, Code.Rdmsr, Code.Wrmsr, Code.Rdtsc, Code.Pause, Code.Wbinvd,
        Code.Invlpg_m, Code.In_AL_imm8, Code.In_EAX_imm8, Code.In_AX_imm8, Code.In_AL_DX, Code.In_AX_DX, Code.In_EAX_DX,
        Code.Out_imm8_AL, Code.Out_imm8_AX, Code.Out_imm8_EAX, Code.Out_DX_AL, Code.Out_DX_AX, Code.Out_DX_EAX);

    /// <summary>Whether it is a sensitive instruction that can be part of a region.</summary>
    public static bool Has(in Instruction instruction) => Forms.Contains(instruction.Code) && !instruction.HasLockPrefix && instruction.Code switch
    {
        Code.Mov_r64_cr => IsKnown(instruction.Op1Register),
        Code.Mov_cr_r64 => IsKnown(instruction.Op0Register),
        Code.Invlpg_m => instruction.MemorySegment is not (Register.FS or Register.GS),
        _ => true,
    };

    /// <summary>Whether its op may see the status flags.</summary>
    public static bool SeesStatusFlags(in Instruction instruction) => instruction.Code is not (Code.Cli or Code.Sti or Code.Popfq or Code.Mov_r64_cr);

    private static bool IsKnown(Register register) => register is Register.CR0 or Register.CR2 or Register.CR3 or Register.CR4 or Register.CR8;
}
