using PvPatch.Engine.Ops;
using PvPatch.Paravirt.Detection;
using PvPatch.Paravirt.Detection.Cpuid;

namespace PvPatch.Tool;

/// <summary>What <c>--detect</c> prints for people.</summary>
/// <param name="output">Where to.</param>
/// <param name="ink">With which colours.</param>
internal sealed class DetectText(TextWriter output, Ink ink)
{
    private const int FactWidth = 10;

    /// <summary>Prints everything, a section after the other; an empty section is left out.</summary>
    /// <param name="result">What was found.</param>
    /// <param name="ops">What would be installed.</param>
    internal void Write(DetectionResult result, IReadOnlyList<PlannedOp> ops)
    {
        WriteVerdict(result);
        WriteEvidence(result.Evidence);
        WriteFeatures(result.Features);
        WriteOps(ops);
    }

    private void WriteVerdict(DetectionResult result)
    {
        WriteInBold(result.Name);
        if (result.IsVirtual)
            WriteFact("Linux", result.LinuxName is { } linux ? $"Hypervisor detected: {linux}" : "runs here without a back end of this hypervisor");
        if (result.Cpuid.Base != 0)
            WriteFact("interface", $"\"{result.Cpuid.Signature.ToString()}\", CPUID leaves 0x{result.Cpuid.Base:x8} to 0x{result.Cpuid.MaxLeaf:x8}");
        WriteFact("machine", result.Machine);
        WriteFact("cloud", result.Cloud);
        WriteFact("domain", result.IsControlDomain ? "control domain (dom0)" : null);
        WriteFact("containers", result.Containers.Count > 0 ? string.Join(", ", result.Containers) : null);
    }

    private void WriteFact(string name, string? value)
    {
        if (value is not null)
            WriteRow([name, value], [FactWidth]);
    }

    private void WriteEvidence(IReadOnlyList<Evidence> evidence)
    {
        if (evidence.Count == 0)
            return;

        WriteTitle("Evidence");
        var rows = new List<string[]>();
        foreach (Evidence line in evidence)
            rows.Add([line.Source, line.What, line.Value]);
        WriteTable(rows);
    }

    private void WriteFeatures(IReadOnlyList<FeatureState> features)
    {
        if (features.Count == 0)
            return;

        WriteTitle("Paravirt features");
        var rows = new List<string[]>();
        foreach (FeatureState state in features)
        {
            ParavirtFeature feature = state.Feature;
            rows.Add([state.Offered ? "yes" : "no", $"0x{state.Leaf:x8}", $"{RegisterName(feature.Register)} bit {feature.Bit}", feature.Name, feature.Use]);
        }

        WriteTable(rows, row => features[row].Offered ? Ink.Green : Ink.Dim);
    }

    private void WriteOps(IReadOnlyList<PlannedOp> ops)
    {
        if (ops.Count == 0)
            return;

        WriteTitle("Ops that would be installed and how each would be patched");
        var rows = new List<string[]> { (string[])["op", "class", "by", "target", "replacement"] };
        foreach (PlannedOp op in ops)
            rows.Add([op.Name, string.Join('+', ClassNames(op.Class)), op.IsNative ? "native" : "hypervisor", op.Target, op.Replacement]);
        WriteTable(rows, row => row == 0 ? Ink.Bold : ops[row - 1].IsNative ? Ink.Dim : Ink.Green);
    }

    // Columns as wide as their widest cell; the last one runs free.
    private void WriteTable(List<string[]> rows, Func<int, string>? colourOf = null)
    {
        int[] widths = new int[rows[0].Length - 1];
        foreach (string[] row in rows)
        {
            for (int i = 0; i < widths.Length; i++)
                widths[i] = Math.Max(widths[i], row[i].Length);
        }

        for (int i = 0; i < rows.Count; i++)
        {
            string colour = colourOf?.Invoke(i) ?? "";
            output.Write(ink.Start(colour));
            WriteRow(rows[i], widths, ink.End(colour));
        }
    }

    private void WriteRow(string[] cells, int[] widths, string end = "")
    {
        for (int i = 0; i < widths.Length; i++)
        {
            output.Write("  ");
            output.Write(cells[i]);
            for (int used = cells[i].Length; used < widths[i]; used++)
                output.Write(' ');
        }

        output.Write("  ");
        output.Write(cells[^1]);
        output.WriteLine(end);
    }

    private void WriteTitle(string title)
    {
        output.WriteLine();
        WriteInBold(title);
    }

    private void WriteInBold(string text)
    {
        output.Write(ink.Start(Ink.Bold));
        output.Write(text);
        output.WriteLine(ink.End(Ink.Bold));
    }

    /// <summary>A register's name in lower case.</summary>
    /// <param name="register">The register.</param>
    internal static string RegisterName(CpuidRegister register) => register switch
    {
        CpuidRegister.Eax => "eax",
        CpuidRegister.Ebx => "ebx",
        CpuidRegister.Ecx => "ecx",
        _ => "edx",
    };

    /// <summary>The classes of an op, a word each.</summary>
    /// <param name="classes">The flags.</param>
    internal static List<string> ClassNames(PvOpClass classes)
    {
        var names = new List<string>();
        if (classes.HasFlag(PvOpClass.SimpleIndirectCall))
            names.Add("indirect");
        if (classes.HasFlag(PvOpClass.PatchedCall))
            names.Add("patched");
        if (classes.HasFlag(PvOpClass.AssemblyMacro))
            names.Add("macro");
        return names;
    }
}
