using PvPatch.Engine.Ops;
using PvPatch.Paravirt.Detection;
using PvPatch.Paravirt.Detection.Cpuid;

namespace PvPatch.Tool;

/// <summary>What <c>--detect</c> prints for people.</summary>
/// <param name="output">Where to.</param>
/// <param name="ink">With which colours.</param>
internal sealed class DetectText(TextWriter output, Ink ink)
{
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
        output.WriteLine(ink.Bold(result.Name));
        if (result.IsVirtual)
            WriteFact("Linux", result.LinuxName is { } linux ? $"Hypervisor detected: {linux}" : "runs here without a back end of this hypervisor");
        if (result.Cpuid.Base != 0)
            WriteFact("interface", $"\"{result.Cpuid.Signature}\", CPUID leaves 0x{result.Cpuid.Base:x8} to 0x{result.Cpuid.MaxLeaf:x8}");
        WriteFact("machine", result.Machine);
        WriteFact("cloud", result.Cloud);
        WriteFact("domain", result.IsControlDomain ? "control domain (dom0)" : null);
        WriteFact("containers", result.Containers.Count > 0 ? string.Join(", ", result.Containers) : null);
    }

    private void WriteFact(string name, string? value)
    {
        if (value is not null)
            output.WriteLine($"  {name,-11} {value}");
    }

    private void WriteEvidence(IReadOnlyList<Evidence> evidence)
    {
        if (evidence.Count == 0)
            return;

        WriteTitle("Evidence");
        int source = 0, what = 0;
        foreach (Evidence line in evidence)
        {
            source = Math.Max(source, line.Source.Length);
            what = Math.Max(what, line.What.Length);
        }

        foreach (Evidence line in evidence)
            output.WriteLine($"  {line.Source.PadRight(source)}  {line.What.PadRight(what)}  {line.Value}");
    }

    private void WriteFeatures(IReadOnlyList<FeatureState> features)
    {
        if (features.Count == 0)
            return;

        WriteTitle("Paravirt features");
        foreach (FeatureState state in features)
        {
            ParavirtFeature feature = state.Feature;
            string line = $"  {(state.Offered ? "yes" : "no "),-4}0x{state.Leaf:x8} {RegisterName(feature.Register)} bit {feature.Bit,-2}  {feature.Name,-30}  {feature.Use}";
            output.WriteLine(state.Offered ? ink.Green(line) : ink.Dim(line));
        }
    }

    private void WriteOps(IReadOnlyList<PlannedOp> ops)
    {
        if (ops.Count == 0)
            return;

        WriteTitle("Ops that would be installed and how each would be patched");
        int name = "op".Length, classes = "class".Length, target = "target".Length;
        foreach (PlannedOp op in ops)
        {
            name = Math.Max(name, op.Name.Length);
            classes = Math.Max(classes, ClassWords(op.Class).Length);
            target = Math.Max(target, op.Target.Length);
        }

        WriteRow("op", "class", "target", "replacement");
        foreach (PlannedOp op in ops)
            WriteRow(op.Name, ClassWords(op.Class), op.Target, op.Replacement);

        void WriteRow(string first, string second, string third, string last) =>
            output.WriteLine($"  {first.PadRight(name)}  {second.PadRight(classes)}  {third.PadRight(target)}  {last}");
    }

    private void WriteTitle(string title)
    {
        output.WriteLine();
        output.WriteLine(ink.Bold(title));
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

    private static string ClassWords(PvOpClass classes) => string.Join('+', ClassNames(classes));

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
