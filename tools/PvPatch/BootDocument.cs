using System.Text.Json;

namespace PvPatch.Tool;

/// <summary>The JSON of <c>boot --report</c>; docs/boot.md explains the fields. A field that changes its meaning raises the schema number.</summary>
internal static class BootDocument
{
    private const int Schema = 1;

    /// <summary>Writes it.</summary>
    internal static void Write(Stream output, BootOptions options, BootResult result)
    {
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true, NewLine = "\n" });
        json.WriteStartObject();
        json.WriteNumber("schema", Schema);
        json.WriteString("platform", result.Platform);
        if (result.Patches is not null)
            json.WriteString("mode", Array.Find(BootCommand.Modes, known => known.Mode == options.Mode).Word);
        json.WriteStartObject("workload");
        json.WriteString("name", options.Workload);
        json.WriteNumber("seed", options.Seed);
        json.WriteNumber("rounds", result.Rounds);
        json.WriteNumber("operations", result.TotalCalls);
        json.WriteEndObject();
        json.WriteStartObject("calls");
        foreach ((string op, long count) in result.Calls)
            json.WriteNumber(op, count);
        json.WriteEndObject();
        WriteTiming(json, "slots", result.Slots, result.TotalCalls);
        if (result.Patched is { } patched)
            WriteTiming(json, "patched", patched, result.TotalCalls);
        if (result.Ratio is { } ratio)
            json.WriteNumber("ratio", Math.Round(ratio, 3));
        json.WriteBoolean("checksumsEqual", result.ChecksumsEqual);
        if (result.Patches is { } patches)
        {
            json.WritePropertyName("patches");
            json.WriteRawValue(patches.ToJson());
        }

        if (result.Diagnosis is { } diagnosis)
        {
            json.WritePropertyName("diagnosis");
            json.WriteRawValue(diagnosis.ToJson());
        }

        json.WriteEndObject();
    }

    private static void WriteTiming(Utf8JsonWriter json, string name, WorkloadTiming timing, long operations)
    {
        json.WriteStartObject(name);
        json.WriteString("checksum", $"{timing.Checksum:x16}");
        json.WriteNumber("nanosecondsPerOperation", Math.Round(timing.NanosecondsPer(operations), 4));
        json.WriteStartArray("milliseconds");
        foreach (double run in timing.Milliseconds)
            json.WriteNumberValue(Math.Round(run, 4));
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
