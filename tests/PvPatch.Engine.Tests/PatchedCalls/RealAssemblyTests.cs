using System.Reflection.Metadata;
using PvPatch.Engine.Il;
using PvPatch.Engine.PatchedCalls.Flow;
using PvPatch.Engine.PatchedCalls.Image;

namespace PvPatch.Engine.Tests.PatchedCalls;

/// <summary>The analysis over code that knows nothing of it.</summary>
internal sealed class RealAssemblyTests
{
    [TestCaseSource(typeof(RealAssemblies), nameof(RealAssemblies.Files))]
    public void Every_method_can_be_followed(string file)
    {
        using ModuleImage image = ModuleImage.Open(File.ReadAllBytes(file), file);
        var flow = new StackFlow(image, new SlotMap(image, new SlotTree([])));
        int followed = 0;
        foreach (MethodDefinitionHandle handle in image.MethodsWithIl)
        {
            flow.Follow(image.BodyOf(handle), []);
            Assert.That(flow.IsReached(0), Is.True);
            followed++;
        }

        TestContext.Out.WriteLine($"{followed} methods followed");
        Assert.That(followed, Is.GreaterThan(20));
    }

    [TestCaseSource(typeof(RealAssemblies), nameof(RealAssemblies.Files))]
    public void Nothing_changes_where_no_slot_is(string file)
    {
        PatchPlan plan = Patcher.Plan(FixtureProgram.Of(FixtureProgram.Names[0]).Table, [file]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(plan.Report.Sites, Is.Empty);
            Assert.That(plan.Images.Single().Bytes.AsSpan().SequenceEqual(File.ReadAllBytes(file)));
        }
    }
}
