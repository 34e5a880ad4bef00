using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
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
    public void Following_methods_one_after_another_tells_what_following_each_alone_does(string file)
    {
        using ModuleImage image = ModuleImage.Open(File.ReadAllBytes(file), file);
        var map = new SlotMap(image, new SlotTree([]));
        var shared = new StackFlow(image, map);
        foreach (MethodDefinitionHandle handle in image.MethodsWithIl)
        {
            Engine.Il.MethodBody body = image.BodyOf(handle);
            var alone = new StackFlow(image, map);
            shared.Follow(body, []);
            alone.Follow(body, []);
            for (int i = 0; i < alone.Code.Length; i++)
            {
                bool isSame = shared.Below(i) == alone.Below(i) && shared.LoadedFrom(i) == alone.LoadedFrom(i) && shared.IsReached(i) == alone.IsReached(i)
                    && Sources(shared.InputsOf(i)).SequenceEqual(Sources(alone.InputsOf(i)));
                if (!isSame)
                    Assert.Fail($"{body.Name} at {alone.Code[i].Offset}");
            }
        }
    }

    [TestCaseSource(typeof(RealAssemblies), nameof(RealAssemblies.Files))]
    public void Bodies_are_those_that_the_framework_reads(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        using ModuleImage image = ModuleImage.Open(bytes, file);
        using var pe = new PEReader(new MemoryStream(bytes));
        foreach (PlacedIl place in image.Methods)
        {
            Engine.Il.MethodBody body = image.BodyOf(place.Method);
            MethodBodyBlock read = pe.GetMethodBody(image.Metadata.GetMethodDefinition(place.Method).RelativeVirtualAddress);
            bool isSame = read.GetILBytes()!.AsSpan().SequenceEqual(body.Il) && image.IlAt(place).SequenceEqual(body.Il)
                && bytes.AsSpan(body.Offset, body.Il.Length).SequenceEqual(body.Il)
                && read.MaxStack == body.MaxStack && read.LocalSignature == body.LocalSignature
                && read.LocalVariablesInitialized == body.InitLocals && read.ExceptionRegions.Length == body.Regions.Length;
            if (!isSame)
                Assert.Fail(body.Name);
        }
    }

    private static int[] Sources(ReadOnlySpan<FlowEntry> entries)
    {
        var sources = new int[entries.Length];
        for (int i = 0; i < sources.Length; i++)
            sources[i] = entries[i].Source;
        return sources;
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
