using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>Rows of flags as a whole, traps and what reaches beyond the CPU's own registers.</summary>
internal static unsafe class SystemRows
{
    public static void Add(RowBuilder rows)
    {
        // Flags
        rows.Set(Code.Pushfw, &FlagsRegister.Push<ushort>);
        rows.Set(Code.Pushfd, &FlagsRegister.Push<uint>);
        rows.Set(Code.Pushfq, &FlagsRegister.Push<ulong>);
        rows.Set(Code.Popfw, &FlagsRegister.Pop<ushort>);
        rows.Set(Code.Popfd, &FlagsRegister.Pop<uint>);
        rows.Set(Code.Popfq, &FlagsRegister.Pop<ulong>);

        // Traps
        rows.Set(Code.Int3, &Traps.Breakpoint);
        rows.Set(Code.Int1, &Traps.Int1);
        rows.Set(Code.Int_imm8, &Traps.Software);
        rows.Set(Code.Into, &Traps.IfOverflow);
        rows.Set(Code.Ud2, &Faults.InvalidOpcode);
    }
}
