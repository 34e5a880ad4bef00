using System.Text.Json.Nodes;
using PvPatch.Perf.Results;

namespace PvPatch.Perf.Tests;

internal sealed class ResultFileTests
{
    private string _file = "";

    [SetUp]
    public void MakeFile() => _file = Path.Combine(Directory.CreateTempSubdirectory("pvpatch-results-").FullName, "lab.json");

    [TearDown]
    public void DeleteFile() => Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);

    [Test]
    public void What_is_written_is_read_again()
    {
        LabResult result = Results.WithRatio(1.02, 0.99, 1.05) with { Growth = Results.WithExponent(1, 0.9, 1.1).Growth };
        string json = ResultFile.ToJson(result);
        File.WriteAllText(_file, json);
        Assert.That(ResultFile.ToJson(ResultFile.Read(_file)), Is.EqualTo(json));
    }

    [Test]
    public void The_schema_is_the_first_thing_in_the_file() =>
        Assert.That(ResultFile.ToJson(Results.Of()), Does.StartWith("{\n  \"schema\": 1,"));

    [Test]
    public void Another_schema_is_refused_with_both_numbers()
    {
        File.WriteAllText(_file, ResultFile.ToJson(Results.Of()).Replace("\"schema\": 1", "\"schema\": 2", StringComparison.Ordinal));
        LabException refused = Assert.Throws<LabException>(() => ResultFile.Read(_file))!;
        Assert.That((refused.Error, refused.Message), Is.EqualTo((LabError.OtherSchema, $"{_file} has schema 2, and this lab reads schema 1 only.")));
    }

    [TestCase("")]
    [TestCase("null")]
    [TestCase("[]")]
    [TestCase("{}")]
    [TestCase("{\"schema\": \"one\"}")]
    [TestCase("{\"schema\": 1}")]
    [TestCase("{\"schema\": 1, \"mode\": null}")]
    [TestCase("not JSON")]
    public void What_is_no_result_is_refused(string text)
    {
        File.WriteAllText(_file, text);
        Assert.That(Assert.Throws<LabException>(() => ResultFile.Read(_file))!.Error, Is.EqualTo(LabError.BadFile));
    }

    [Test]
    public void A_file_that_lacks_any_of_its_fields_is_read_or_refused_in_one_sentence()
    {
        string json = ResultFile.ToJson(Results.WithRatio(1, 1, 1));
        foreach (string path in PathsIn(JsonNode.Parse(json)))
        {
            JsonNode damaged = JsonNode.Parse(json)!;
            JsonNode node = damaged;
            string[] steps = path.Split('/');
            foreach (string step in steps[..^1])
                node = (node is JsonArray array ? array[int.Parse(step)] : node[step])!;
            node.AsObject().Remove(steps[^1]);
            File.WriteAllText(_file, damaged.ToJsonString());
            try
            {
                LabComparison.Of(ResultFile.Read(_file), ResultFile.Read(_file));
            }
            catch (LabException e)
            {
                Assert.That(e.Message, Does.Contain(_file), path);
            }
        }
    }

    [Test]
    public void A_file_that_is_cut_off_is_refused()
    {
        string json = ResultFile.ToJson(Results.WithRatio(1, 1, 1));
        for (int length = 0; length < json.Length - 2; length += 7)
        {
            File.WriteAllText(_file, json[..length]);
            Assert.Throws<LabException>(() => ResultFile.Read(_file), $"{length} characters");
        }
    }

    [Test]
    public void A_file_that_is_not_there_is_refused() =>
        Assert.That(Assert.Throws<LabException>(() => ResultFile.Read(_file + ".gone"))!.Error, Is.EqualTo(LabError.BadFile));

    private static IEnumerable<string> PathsIn(JsonNode? node) => node switch
    {
        JsonObject fields => fields.SelectMany(f => PathsIn(f.Value).Select(rest => $"{f.Key}/{rest}").Prepend(f.Key)),
        JsonArray items => items.SelectMany((item, i) => PathsIn(item).Select(rest => $"{i}/{rest}")),
        _ => [],
    };
}
