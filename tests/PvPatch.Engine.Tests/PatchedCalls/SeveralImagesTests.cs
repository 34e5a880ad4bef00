using Mono.Cecil;
using Mono.Cecil.Cil;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.PatchedCalls;

/// <summary>A program of two images: the tables are in one, calls through them also in the other.</summary>
internal sealed class SeveralImagesTests
{
    private const string Callers = CallersImage.Name;

    private static readonly string Tables = FixtureProgram.Names[1];
    private static readonly string CallersFile = Path.Combine(AppContext.BaseDirectory, "callers", "Callers.dll");

    [OneTimeSetUp]
    public void WriteCallers() => CallersImage.Write(Tables, CallersFile);

    [Test]
    public void Each_image_is_patched_and_sees_the_others_copy()
    {
        FixtureProgram program = FixtureProgram.Of(Tables);
        PatchPlan plan = Patcher.Plan(program.Table, [CallersFile, program.File]);
        PatchedSite[] rows = [.. plan.Report.Sites.Where(s => s.Module.Equals(Callers, StringComparison.Ordinal))];
        using ImageSet set = ImageSet.Load(plan);
        FixtureProgram.TableOf(set[Tables]).InstallFrom(program.Table);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(rows.Select(r => $"{r.Method}: {r.State} {r.Reason ?? r.Replacement}"), Is.EqualTo(new[]
            {
                "Callers.Negate: Patched call Native.Negate",
                "Callers.Same: Patched its argument",
            }));
            Assert.That(set.Verify(), Is.GreaterThan(50));
            Assert.That(Result(set, "Negate", 5), Is.EqualTo(-5));
            Assert.That(Result(set, "Same", 5), Is.EqualTo(5));
            Assert.That(Result(set, "Wrapped", 5), Is.EqualTo(-5), "a patched wrapper of the other image");
        }
    }

    [Test]
    public void A_name_that_the_set_has_not_is_refused()
    {
        using ImageSet set = ImageSet.LoadUnpatched([CallersFile]);
        Assert.That(() => set["Nobody"], Throws.InstanceOf<PatchException>().With.Property(nameof(PatchException.Error)).EqualTo(PatchError.UnknownImage));
    }

    [Test]
    public void Targets_of_another_build_have_no_token([Values] bool keepsVersionId)
    {
        string folder = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "rebuilt")).FullName;
        string rebuilt = Path.Combine(folder, $"{Tables}.dll");
        using (var assembly = AssemblyDefinition.ReadAssembly(FixtureProgram.FileOf(Tables)))
        {
            assembly.MainModule.Mvid = keepsVersionId ? assembly.MainModule.Mvid : Guid.NewGuid();
            TypeDefinition native = assembly.MainModule.GetType("PvPatch.Engine.Fixtures.Native");
            native.Methods.Insert(0, CallersImage.Empty(assembly.MainModule, "Newcomer"));
            native.Methods[0].Body.GetILProcessor().Emit(OpCodes.Ldarg_0);
            native.Methods[0].Body.GetILProcessor().Emit(OpCodes.Ret);
            assembly.Write(rebuilt);
        }

        PatchReport report = Patcher.Plan(FixtureProgram.Of(Tables).Table, [rebuilt]).Report;
        Assert.That(
            report.Sites.Single(s => s.Method.EndsWith(".OneArgument_Direct", StringComparison.Ordinal)).Reason,
            Is.EqualTo("no token for Native.Negate in this module: the installed one is of another build"));
    }

    private static object Result(ImageSet set, string method, long argument) => set[Callers].GetType(Callers, throwOnError: true)!.GetMethod(method)!.Invoke(null, [argument])!;
}
