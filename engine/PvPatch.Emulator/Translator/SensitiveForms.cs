using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Which sensitive instructions are part of regions. Those that go elsewhere or end what runs (HLT, IRET, SYSRET, VMCALL) or
/// load descriptor tables, the interpreter executes.
/// </summary>
internal static class SensitiveForms
{
    /// <summary>Whether it is a sensitive instruction that can be part of a region.</summary>
    public static bool Has(in Instruction instruction) => !instruction.HasLockPrefix && instruction.Code switch
    {
        Code.Cli or Code.Sti or Code.Pushfq or Code.Popfq or Code.Cpuid or Code.Rdmsr or Code.Wrmsr or Code.Rdtsc or Code.Pause or Code.Wbinvd => true,
        Code.In_AL_imm8 or Code.In_AX_imm8 or Code.In_EAX_imm8 or Code.In_AL_DX or Code.In_AX_DX or Code.In_EAX_DX => true,
        Code.Out_imm8_AL or Code.Out_imm8_AX or Code.Out_imm8_EAX or Code.Out_DX_AL or Code.Out_DX_AX or Code.Out_DX_EAX => true,
        Code.Mov_r64_cr => IsKnown(instruction.Op1Register),
        Code.Mov_cr_r64 => IsKnown(instruction.Op0Register),
        Code.Invlpg_m => instruction.MemorySegment is not (Register.FS or Register.GS),
        _ => false,
    };

    /// <summary>Whether its op may see the status flags.</summary>
    public static bool SeesStatusFlags(in Instruction instruction) => instruction.Code is not (Code.Cli or Code.Sti or Code.Popfq or Code.Mov_r64_cr);

    private static bool IsKnown(Register register) => register is Register.CR0 or Register.CR2 or Register.CR3 or Register.CR4 or Register.CR8;
}
