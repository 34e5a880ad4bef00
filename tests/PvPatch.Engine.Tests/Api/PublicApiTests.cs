using PublicApiGenerator;

namespace PvPatch.Engine.Tests.Api;

/// <summary>What others build on changes on purpose only: the public surface stands in a file that is reviewed.</summary>
internal sealed class PublicApiTests
{
    private const string Approved = "engine/PvPatch.Engine/PublicApi.txt";

    [Test]
    public void The_public_surface_is_the_approved_one()
    {
        string surface = typeof(Patcher).Assembly.GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false, UseDenyNamespacePrefixesForExtensionMethods = false })
            .ReplaceLineEndings("\n").TrimEnd() + "\n";
        if (Environment.GetEnvironmentVariable("PVPATCH_APPROVE") is "1")
            File.WriteAllText(Path.Combine(Repository.Root, Approved), surface);
        Assert.That(Repository.Text(Approved), Is.EqualTo(surface), $"PVPATCH_APPROVE=1 writes it to {Approved}, for you to review.");
    }
}
