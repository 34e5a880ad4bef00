using System.Buffers.Binary;
using Iced.Intel;

namespace PvPatch.Oracle.Cases;

/// <summary>Addresses of memory operands in the state of a case.</summary>
internal static class CaseAddresses
{
    /// <summary>The linear address of the memory operand; where its index is a vector, that of one of its elements.</summary>
    public static ulong Effective(in Instruction instruction, MachineCase state, int element = 0)
    {
        int operand = 0;
        while (operand < instruction.OpCount && instruction.GetOpKind(operand) != OpKind.Memory)
            operand++;
        return operand == instruction.OpCount ? 0 : instruction.GetVirtualAddress(operand, element, (register, index, size) => register switch
        {
            Register.FS => CaseLayout.FsBase,
            Register.GS => CaseLayout.GsBase,
            >= Register.XMM0 and <= Register.YMM15 => Number(state.Element(register, index, size)),
            _ => register.IsSegmentRegister() ? 0 : state.General[register.GetFullRegister() - Register.RAX],
        });
    }

    private static ulong Number(ReadOnlySpan<byte> element) =>
        element.Length == 4 ? BinaryPrimitives.ReadUInt32LittleEndian(element) : BinaryPrimitives.ReadUInt64LittleEndian(element);

    /// <summary>What the segment of the memory operand adds.</summary>
    public static ulong SegmentBase(in Instruction instruction) => instruction.MemorySegment switch
    {
        Register.FS => CaseLayout.FsBase,
        Register.GS => CaseLayout.GsBase,
        _ => 0,
    };
}
