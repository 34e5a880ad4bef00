using Mono.Cecil;

namespace PvPatch.Architecture.Tests;

/// <summary>The arrows of docs/architecture.md, held on the built assemblies.</summary>
public sealed class OneWayArrowsTests
{
    /// <summary>Each assembly with all of ours that it may use.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["PvPatch.Engine"] = [],
        ["PvPatch.Emulator"] = ["PvPatch.Engine"],
        ["PvPatch.Paravirt"] = ["PvPatch.Engine", "PvPatch.Emulator"],
        ["PvPatch.Hosts"] = ["PvPatch.Engine", "PvPatch.Emulator", "PvPatch.Paravirt"],
        ["PvPatch.GuestOs"] = ["PvPatch.Engine", "PvPatch.Emulator", "PvPatch.Paravirt"],
        ["PvPatch.Oracle"] = ["PvPatch.Engine", "PvPatch.Emulator"],
        ["PvPatch"] = ["PvPatch.Engine", "PvPatch.Emulator", "PvPatch.Paravirt", "PvPatch.Hosts", "PvPatch.GuestOs", "PvPatch.Oracle", "PvPatch.Perf"],
        ["PvPatch.Perf"] = ["PvPatch.Engine", "PvPatch.Emulator", "PvPatch.Paravirt", "PvPatch.Hosts", "PvPatch.GuestOs"],
    };

    private static IEnumerable<string> Assemblies => Directory.EnumerateFiles(TestContext.CurrentContext.TestDirectory, "PvPatch*.dll")
        .Select(file => Path.GetFileNameWithoutExtension(file))
        .Where(name => !name.EndsWith(".Tests", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal);

    [Test]
    public void Every_assembly_of_the_product_is_here_and_listed() =>
        Assert.That(Assemblies, Is.EquivalentTo(Allowed.Keys));

    [TestCaseSource(nameof(Assemblies))]
    public void An_assembly_uses_only_lower_ones(string assembly)
    {
        using ModuleDefinition module = Read(assembly);
        string[] uses = [.. module.AssemblyReferences.Select(reference => reference.Name).Where(Allowed.ContainsKey)];
        Assert.That(uses, Is.SubsetOf(Allowed[assembly]));
    }

    [TestCaseSource(nameof(Assemblies))]
    public void Namespaces_stand_in_no_circle(string assembly)
    {
        using ModuleDefinition module = Read(assembly);
        string? circle = new NamespaceGraph(module).FindCircle();
        Assert.That(circle, Is.Null, () => $"{assembly}:\n{circle}");
    }

    [Test]
    public void A_circle_is_found_and_named()
    {
        using ModuleDefinition module = ModuleDefinition.ReadModule(typeof(OneWayArrowsTests).Assembly.Location);
        string? circle = new NamespaceGraph(module).FindCircle();
        Assert.That(circle, Does.Contain("Circle.Left -> PvPatch.Architecture.Tests.Circle.Right").And.Contain("Circle.Right -> PvPatch.Architecture.Tests.Circle.Left"));
    }

    private static ModuleDefinition Read(string assembly) =>
        ModuleDefinition.ReadModule(Path.Combine(TestContext.CurrentContext.TestDirectory, assembly + ".dll"));
}
