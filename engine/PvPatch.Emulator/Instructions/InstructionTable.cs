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

    /// <summary>
    /// The CPUID features whose every instruction has a row, so that CPUID may advertise them. Forms that need a second
    /// feature (AVX forms of an older instruction) belong to that one.
    /// </summary>
    public static IReadOnlySet<CpuidFeature> CompleteFeatures { get; } = FindComplete();

    /// <summary>The instructions of a CPUID feature alone, as Iced's decoder finds them; WAIT before another instruction is not part of it.</summary>
    public static IEnumerable<Code> Of(CpuidFeature feature) => Enum.GetValues<Code>().Where(code => IsOf(feature, code));

    /// <summary>Whether a CPUID feature is one of <see cref="CompleteFeatures"/>.</summary>
    public static bool IsComplete(CpuidFeature feature) => CompleteFeatures.Contains(feature);

    /// <summary>The row of a code.</summary>
    internal static ref readonly InstructionRow Row(Code code) => ref Rows[(int)code];

    private static bool IsOf(CpuidFeature feature, Code code)
    {
        OpCodeInfo info = code.ToOpCode();
        return info.IsInstruction && !info.Fwait && code.CpuidFeatures() is [var only] && only == feature;
    }

    private static HashSet<CpuidFeature> FindComplete()
    {
        var some = new HashSet<CpuidFeature>();
        var missing = new HashSet<CpuidFeature>();
        foreach (Code code in Enum.GetValues<Code>())
        {
            if (code.CpuidFeatures() is [var feature] && IsOf(feature, code) && code.ToOpCode().Mode64)
                (IsSupported(code) ? some : missing).Add(feature);
        }

        some.ExceptWith(missing);
        return some;
    }

    private static InstructionRow[] Build()
    {
        var rows = new RowBuilder();
        ArithmeticRows.Add(rows);
        MoveRows.Add(rows);
        ControlFlowRows.Add(rows);
        SystemRows.Add(rows);
        PackedRows.Add(rows);
        VectorMoveRows.Add(rows);
        CryptographyRows.Add(rows);
        TextRows.Add(rows);
        FloatRows.Add(rows);
        ExtendedStateRows.Add(rows);
        X87Rows.Add(rows);
        MmxRows.Add(rows);
        return rows.Rows;
    }
}
