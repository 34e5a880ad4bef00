using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// The only list of what the core executes, keyed by Iced's <see cref="Code"/>. What has no row raises #UD; tests, CPUID and
/// documentation read this list.
/// </summary>
public static class InstructionTable
{
    /// <summary>The lists of rows, those of most programs first.</summary>
    private static readonly Action<RowBuilder>[] Families =
    [
        MoveRows.Add, ArithmeticRows.Add, ControlFlowRows.Add, SystemRows.Add, VectorMoveRows.Add, PackedRows.Add, TextRows.Add,
        FloatRows.Add, CryptographyRows.Add, ExtendedStateRows.Add, X87Rows.Add, MmxRows.Add,
        VexMoveRows.Add, VexPackedRows.Add, VexFloatRows.Add, FusedRows.Add,
    ];

    /// <summary>More than Iced has: to count them takes a millisecond.</summary>
    private const int MostCodes = 8192;

    private static readonly InstructionRow[]?[] Rows = new InstructionRow[]?[MostCodes];

    // Found when first asked for: Iced's knowledge of opcodes takes longer to build than many a program runs.
    private static readonly Lazy<HashSet<CpuidFeature>> Complete = new(FindComplete);

    /// <summary>All codes with a row, by reading all lists to their ends: no code may have two.</summary>
    public static IReadOnlyList<Code> Supported => [.. Enum.GetValues<Code>().Where(code => !Find(code, Families.Length).IsEmpty)];

    /// <summary>Whether a code has a row.</summary>
    public static bool IsSupported(Code code) => !Row(code).IsEmpty;

    /// <summary>
    /// The CPUID features whose every instruction has a row, so that CPUID may advertise them. Forms that need a second
    /// feature (AVX forms of an older instruction) belong to that one.
    /// </summary>
    public static IReadOnlySet<CpuidFeature> CompleteFeatures => Complete.Value;

    /// <summary>The instructions of a CPUID feature alone, as Iced's decoder finds them; WAIT before another instruction is not part of it.</summary>
    public static IEnumerable<Code> Of(CpuidFeature feature) => Enum.GetValues<Code>().Where(code => IsOf(feature, code));

    /// <summary>Whether a CPUID feature is one of <see cref="CompleteFeatures"/>.</summary>
    public static bool IsComplete(CpuidFeature feature) => CompleteFeatures.Contains(feature);

    /// <summary>The row of a code.</summary>
    internal static ref readonly InstructionRow Row(Code code) => ref (Volatile.Read(ref Rows[(int)code]) ?? Make(code))[0];

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

    /// <summary>
    /// Rows are made when they are first asked for: a program has some hundred of them, and each handler of the others would be
    /// loaded in vain. Two threads may make the same one.
    /// </summary>
    private static InstructionRow[] Make(Code code)
    {
        InstructionRow[] made = [Find(code, 1)];
        Volatile.Write(ref Rows[(int)code], made);
        return made;
    }

    /// <summary>Reads the lists, at least so many, until the row is found.</summary>
    private static InstructionRow Find(Code code, int least)
    {
        var builder = new RowBuilder(code);
        for (int i = 0; i < Families.Length && (i < least || builder.Row.IsEmpty); i++)
            Families[i](builder);
        return builder.Row;
    }
}
