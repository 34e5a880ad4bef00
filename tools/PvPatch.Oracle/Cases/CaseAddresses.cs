using Iced.Intel;

namespace PvPatch.Oracle.Cases;

/// <summary>Addresses of memory operands in the state of a case.</summary>
internal static class CaseAddresses
{
    /// <summary>The linear address of the memory operand.</summary>
    public static ulong Effective(in Instruction instruction, MachineCase state)
    {
        int operand = 0;
        while (operand < instruction.OpCount && instruction.GetOpKind(operand) != OpKind.Memory)
            operand++;
        return operand == instruction.OpCount ? 0 : instruction.GetVirtualAddress(operand, 0, (register, _, _) => register switch
        {
            Register.FS => CaseLayout.FsBase,
            Register.GS => CaseLayout.GsBase,
            _ => register.IsSegmentRegister() ? 0 : state.General[register.GetFullRegister() - Register.RAX],
        });
    }

    /// <summary>What the segment of the memory operand adds.</summary>
    public static ulong SegmentBase(in Instruction instruction) => instruction.MemorySegment switch
    {
        Register.FS => CaseLayout.FsBase,
        Register.GS => CaseLayout.GsBase,
        _ => 0,
    };
}
