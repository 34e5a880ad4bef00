using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// The only list of what the core executes, keyed by Iced's <see cref="Code"/>. What has no row raises #UD; tests, CPUID and
/// documentation read this list.
/// </summary>
public static class InstructionTable
{
    private static readonly InstructionRow[] Rows = Build();

    /// <summary>All codes with a row.</summary>
    public static IReadOnlyList<Code> Supported { get; } = [.. Enumerable.Range(0, Rows.Length).Select(i => (Code)i).Where(IsSupported)];

    /// <summary>Whether a code has a row.</summary>
    public static unsafe bool IsSupported(Code code) => Rows[(int)code].Register != null || Rows[(int)code].Memory != null;

    /// <summary>The row of a code.</summary>
    internal static ref readonly InstructionRow Row(Code code) => ref Rows[(int)code];

    private static InstructionRow[] Build()
    {
        var rows = new RowBuilder();
        ArithmeticRows.Add(rows);
        MoveRows.Add(rows);
        ControlFlowRows.Add(rows);
        SystemRows.Add(rows);
        PackedRows.Add(rows);
        VectorMoveRows.Add(rows);
        FloatRows.Add(rows);
        return rows.Rows;
    }
}
