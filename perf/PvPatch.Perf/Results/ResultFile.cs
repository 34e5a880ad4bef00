using System.Text.Encodings.Web;
using System.Text.Json;

namespace PvPatch.Perf.Results;

/// <summary>Results as JSON files.</summary>
public static class ResultFile
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // names have quotes and arrows; the file is no web page
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    /// <summary>A result as text.</summary>
    /// <param name="result">The result.</param>
    public static string ToJson(LabResult result) => JsonSerializer.Serialize(result, Json) + "\n";

    /// <summary>Reads a file.</summary>
    /// <param name="path">Its path.</param>
    /// <exception cref="LabException">It cannot be read, is no result, or one of another schema.</exception>
    public static LabResult Read(string path)
    {
        try
        {
            byte[] text = File.ReadAllBytes(path);
            CheckSchema(path, text);
            return JsonSerializer.Deserialize<LabResult>(text, Json) ?? throw new JsonException("it holds null");
        }
        catch (JsonException e)
        {
            throw new LabException(LabError.BadFile, $"{path} is no result of the lab: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new LabException(LabError.BadFile, $"The result can't be read: {e.Message}", e);
        }
    }

    private static void CheckSchema(string path, byte[] text)
    {
        using var document = JsonDocument.Parse(text);
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("schema", out JsonElement schema)
            || schema.ValueKind != JsonValueKind.Number || !schema.TryGetInt32(out int version))
            throw new JsonException("it has no schema number");
        if (version != LabResult.SchemaVersion)
            throw new LabException(LabError.OtherSchema, $"{path} has schema {version}, and this lab reads schema {LabResult.SchemaVersion} only.");
    }
}
