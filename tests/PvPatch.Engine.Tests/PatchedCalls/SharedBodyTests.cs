using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.PatchedCalls;

/// <summary>Images in which methods share their bytes, as tools make them that fold equal bodies.</summary>
internal sealed class SharedBodyTests
{
    private static readonly string Fixture = FixtureProgram.Names[1];

    [Test]
    public void Methods_that_have_one_body_are_left()
    {
        string file = Path.Combine(Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "one-body")).FullName, $"{Fixture}.dll");
        byte[] bytes = File.ReadAllBytes(FixtureProgram.FileOf(Fixture));
        using (var image = new PEReader([.. bytes]))
        {
            // The second method's row gets the address of the first one's body (ECMA-335, partition II, 22.26).
            MetadataReader metadata = image.GetMetadataReader();
            MethodDefinitionHandle[] methods = [.. metadata.MethodDefinitions.Where(m => metadata.GetString(metadata.GetMethodDefinition(m).Name) is "Leaf_Direct" or "StructByValue_Direct")];
            Assert.That(methods, Has.Length.EqualTo(2));
            int row = image.PEHeaders.MetadataStartOffset + metadata.GetTableMetadataOffset(TableIndex.MethodDef)
                + ((MetadataTokens.GetRowNumber(methods[1]) - 1) * metadata.GetTableRowSize(TableIndex.MethodDef));
            BitConverter.TryWriteBytes(bytes.AsSpan(row), metadata.GetMethodDefinition(methods[0]).RelativeVirtualAddress);
        }

        File.WriteAllBytes(file, bytes);
        PatchReport report = Patcher.Plan(FixtureProgram.Of(Fixture).Table, [file]).Report;
        Assert.That(
            report.Sites.Where(s => s.Reason is "another method has the same bytes of IL").Select(s => s.Method.Split('.')[^1]),
            Is.EquivalentTo(new[] { "Leaf_Direct", "StructByValue_Direct" }));
    }
}
