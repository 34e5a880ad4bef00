using System.Text.Json;
using System.Text.Json.Serialization;
using PvPatch.Engine.Reports;
using PvPatch.Engine.RuntimeEvents;

namespace PvPatch.Engine.Diagnosis;

/// <summary>One body of native code.</summary>
public sealed record CompiledBody
{
    /// <summary>Whose code it is, as the runtime names it: instantiations of generic types have their arguments in brackets.</summary>
    public required string Method { get; init; }

    /// <summary>How far it is optimised.</summary>
    public required CodeTier Tier { get; init; }

    /// <summary>Whether it is a copy that the engine made and leads calls to.</summary>
    public bool IsCopy { get; init; }

    /// <summary>From which IL its sites were compiled.</summary>
    public required BodyIl Il { get; init; }

    /// <summary>Who comes to it.</summary>
    public required BodyUse Use { get; init; }

    /// <summary>When it was ready, in milliseconds since the diagnosis began; <see langword="null"/> if it was before.</summary>
    public double? Milliseconds { get; init; }

    /// <summary>Address of its first byte; <see langword="null"/> where it is not known.</summary>
    public long? Address { get; init; }

    /// <summary>Its length in bytes; <see langword="null"/> where it is not known.</summary>
    public int? Size { get; init; }

    /// <summary>Of a body that has inlined the method: the methods inlined on the way there, the outermost first.</summary>
    public IReadOnlyList<string> Through { get; init; } = [];
}

/// <summary>A call that was not inlined.</summary>
/// <param name="Method">The method compiled, which the call would have become part of.</param>
/// <param name="Reason">Why not, in the JIT's own words.</param>
public sealed record RefusedInlining(string Method, string Reason);

/// <summary>What the runtime did with a method whose sites were rewritten.</summary>
public sealed record DiagnosedMethod
{
    /// <summary>Simple name of the assembly.</summary>
    public required string Module { get; init; }

    /// <summary>Full name of the method.</summary>
    public required string Method { get; init; }

    /// <summary>Metadata token of the method.</summary>
    public required int MethodToken { get; init; }

    /// <summary>What runs when it is called.</summary>
    public required DiagnosisVerdict Verdict { get; init; }

    /// <summary>When its patched IL was written, in milliseconds since the diagnosis began; <see langword="null"/> if it was never written over another one.</summary>
    public double? PatchedAt { get; init; }

    /// <summary>When the original IL was written back; <see langword="null"/> if it was not.</summary>
    public double? RestoredAt { get; init; }

    /// <summary>What may hold the original calls, is older than the diagnosis, and cannot be named; <see langword="null"/> if nothing does.</summary>
    public string? Unseen { get; init; }

    /// <summary>Its sites, as the report of the patch has them.</summary>
    public required IReadOnlyList<PatchedSite> Sites { get; init; }

    /// <summary>Its own bodies, the oldest first.</summary>
    public required IReadOnlyList<CompiledBody> Bodies { get; init; }

    /// <summary>Bodies of other methods that have inlined it, the oldest first; of those older than the diagnosis, each that may have.</summary>
    public required IReadOnlyList<CompiledBody> InlinedInto { get; init; }

    /// <summary>Methods that call it and did not inline it.</summary>
    public required IReadOnlyList<RefusedInlining> NotInlinedInto { get; init; }
}

/// <summary>What the runtime did with patched methods, as far as it told.</summary>
public sealed class DiagnosisReport
{
    /// <summary>Version of the JSON form; it changes when a field changes its meaning or goes.</summary>
    public const int SchemaVersion = 1;

    internal DiagnosisReport(IEnumerable<DiagnosedMethod> methods, IReadOnlyList<string> notes)
    {
        Methods = [.. methods.OrderBy(m => m.Verdict).ThenBy(m => m.Method, StringComparer.Ordinal)];
        Totals = Methods.CountBy(m => m.Verdict).ToDictionary();
        Notes = notes;
    }

    /// <summary>The methods, the worst verdict first.</summary>
    public IReadOnlyList<DiagnosedMethod> Methods { get; }

    /// <summary>How many methods have which verdict.</summary>
    public IReadOnlyDictionary<DiagnosisVerdict, int> Totals { get; }

    /// <summary>What limits the report, a sentence each: events that were lost or have not come.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>The report as text: the totals, then each method with its bodies.</summary>
    public override string ToString() => DiagnosisText.Of(this);

    /// <summary>The report as JSON: <c>version</c>, <c>totals</c>, <c>notes</c>, <c>methods</c>.</summary>
    public string ToJson() =>
        JsonSerializer.Serialize(new DiagnosisDocument(SchemaVersion, Totals, Notes, Methods), DiagnosisJson.Default.DiagnosisDocument);
}

/// <summary>The JSON form of a report.</summary>
internal sealed record DiagnosisDocument(
    int Version, IReadOnlyDictionary<DiagnosisVerdict, int> Totals, IReadOnlyList<string> Notes, IReadOnlyList<DiagnosedMethod> Methods);

[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, NewLine = "\n")]
[JsonSerializable(typeof(DiagnosisDocument))]
internal sealed partial class DiagnosisJson : JsonSerializerContext;
