using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.Samples;

/// <summary>What the documentation shows is what is compiled here, and it does what the documentation says.</summary>
internal sealed class HashSampleTests
{
    [Test]
    public void The_documentation_shows_the_sample_as_it_is()
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "samples");
        string sample = File.ReadAllText(Path.Combine(folder, "HashSample.cs"));
        string shown = sample[sample.IndexOf("public static unsafe class HashOps", StringComparison.Ordinal)..].TrimEnd();
        Assert.That(File.ReadAllText(Path.Combine(folder, "engine.md")), Does.Contain(shown));
    }

    [Test]
    public void The_sample_is_patched_before_it_runs()
    {
        using LivePatch patch = HashSample.Start();
        PatchedSite site = patch.Report.Sites.Single(s => s.Op is "hash.add");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(site.State, Is.EqualTo(SiteState.Patched), site.Reason);
            Assert.That(HashSample.Checksum([1, 2, 3]), Is.EqualTo(new uint[] { 1, 2, 3 }.Aggregate(0u, HashSample.Plain)));
        }
    }

    [Test]
    public void Both_targets_give_the_same_checksum() =>
        Assert.That(HashSample.Fast(0x12345678, 0x9ABCDEF0), Is.EqualTo(HashSample.Plain(0x12345678, 0x9ABCDEF0)));
}
