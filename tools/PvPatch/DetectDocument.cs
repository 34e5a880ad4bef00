using System.Text.Json;
using System.Text.Json.Serialization;
using PvPatch.Paravirt.Detection;
using PvPatch.Paravirt.Detection.Cpuid;

namespace PvPatch.Tool;

/// <summary>
/// What <c>--detect --json</c> prints; docs/detect.md describes it. Members are added without a new
/// <see cref="Schema"/>; it grows when one goes away or changes its meaning.
/// </summary>
internal sealed record DetectDocument
{
    /// <summary>The version of this form.</summary>
    public int Schema { get; init; } = 1;

    /// <summary>Who runs us.</summary>
    public required VerdictPart Verdict { get; init; }

    /// <summary>What CPUID alone says.</summary>
    public required CpuidPart Cpuid { get; init; }

    /// <summary>The program that builds the virtual machine, or null.</summary>
    public required string? Machine { get; init; }

    /// <summary>The cloud, or null.</summary>
    public required string? Cloud { get; init; }

    /// <summary>The containers around us.</summary>
    public required IReadOnlyList<string> Containers { get; init; }

    /// <summary>What was seen.</summary>
    public required IReadOnlyList<Evidence> Evidence { get; init; }

    /// <summary>The features of the interface, offered or not.</summary>
    public required IReadOnlyList<FeaturePart> Features { get; init; }

    /// <summary>The ops that would be installed.</summary>
    public required IReadOnlyList<OpPart> Ops { get; init; }

    internal sealed record VerdictPart(string Kind, string Name, bool Virtual, string? Linux, string Banner, bool ControlDomain);

    internal sealed record CpuidPart(bool HypervisorBit, string? Signature, string? Base, string? MaxLeaf, bool PickedByLinux);

    internal sealed record FeaturePart(string Name, string Leaf, string Register, int Bit, bool Offered, string Use);

    internal sealed record OpPart(string Name, IReadOnlyList<string> Classes, bool IsNative, string Target, string Replacement);

    /// <summary>Writes the document and a line end.</summary>
    /// <param name="output">Where to, in UTF-8.</param>
    /// <param name="result">What was found.</param>
    /// <param name="ops">What would be installed.</param>
    internal static void Write(Stream output, DetectionResult result, IReadOnlyList<PlannedOp> ops)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(From(result, ops), DetectJson.Default.DetectDocument);
        output.Write(json);
        output.Write("\n"u8);
    }

    private static DetectDocument From(DetectionResult result, IReadOnlyList<PlannedOp> ops)
    {
        CpuidVerdict cpuid = result.Cpuid;
        bool hasInterface = cpuid.Base != 0;
        return new DetectDocument
        {
            Verdict = new VerdictPart($"{result.Kind}", result.Name, result.IsVirtual, result.LinuxName, result.BannerName, result.IsControlDomain),
            Cpuid = new CpuidPart(
                cpuid.HypervisorBit,
                hasInterface ? $"{cpuid.Signature}" : null,
                hasInterface ? Hex(cpuid.Base) : null,
                hasInterface ? Hex(cpuid.MaxLeaf) : null,
                cpuid.PickedByLinux),
            Machine = result.Machine,
            Cloud = result.Cloud,
            Containers = result.Containers,
            Evidence = result.Evidence,
            Features = [.. result.Features.Select(state => new FeaturePart(
                state.Feature.Name, Hex(state.Leaf), DetectText.RegisterName(state.Feature.Register), state.Feature.Bit, state.Offered, state.Feature.Use))],
            Ops = [.. ops.Select(op => new OpPart(op.Name, DetectText.ClassNames(op.Class), op.IsNative, op.Target, op.Replacement))],
        };
    }

    private static string Hex(uint value) => $"0x{value:x8}";
}

/// <summary>The writer of <see cref="DetectDocument"/>, made by the compiler: nothing is looked up at start-up.</summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Serialization,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true)]
[JsonSerializable(typeof(DetectDocument))]
internal sealed partial class DetectJson : JsonSerializerContext;
