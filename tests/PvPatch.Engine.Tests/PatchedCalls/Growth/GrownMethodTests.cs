using System.Reflection;
using System.Reflection.Emit;
using PvPatch.Engine.Il;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls;
using PvPatch.Engine.PatchedCalls.Flow;
using PvPatch.Engine.PatchedCalls.Growth;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.PatchedCalls.Growth;

/// <summary>Methods whose sites outgrow their bytes compute what they did before.</summary>
internal sealed class GrownMethodTests
{
    private static readonly long[] Arguments = [0, 1, 2, 3, 4, 5, -17, 1000, 123456789];

    [TestCaseSource(typeof(FixtureProgram), nameof(FixtureProgram.Names))]
    public void Fixtures_with_grown_sites_give_the_same_values(string fixture)
    {
        FixtureProgram program = FixtureProgram.Of(fixture);
        using ImageSet before = Copy(program, fixture), after = Copy(program, fixture); // some methods count their calls
        int grown = 0;
        using var image = ModuleImage.Open(File.ReadAllBytes(program.File), program.File);
        var sites = new ModuleSites(image, program.Table, new SlotTree(program.Table.Ops), PatchWay.Late, limit: GrowthLimit.Anything);
        foreach (RewrittenMethod method in sites.Methods.Where(m => m.Growth is not null))
        {
            if (before[fixture].ManifestModule.ResolveMethod(method.Body.Token) is not MethodInfo { IsStatic: true } original || !IsCase(original))
                continue;
            Func<long, long> copy = CopyOf((MethodInfo)after[fixture].ManifestModule.ResolveMethod(method.Body.Token)!, method).CreateDelegate<Func<long, long>>();
            foreach (long argument in Arguments)
                Assert.That(ResultOf(() => copy(argument)), Is.EqualTo(ResultOf(() => original.CreateDelegate<Func<long, long>>()(argument))), $"{original.Name}({argument})");
            grown++;
        }

        Assert.That(grown, Is.GreaterThan(10));
        Assert.That(sites.Rows.Where(r => r.Method.EndsWith("_Inline", StringComparison.Ordinal) || r.Method.Contains("Larger", StringComparison.Ordinal)).Select(r => r.Replacement), Is.All.Match("^(inline|constant) "));
    }

    [TestCase(3)]
    [TestCase(20261122)]
    public void Random_methods_with_every_target_written_at_its_sites_give_the_same_values(int seed)
    {
        const int Methods = 150;
        string name = FixtureProgram.Names[1];
        string folder = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, $"grown-{seed}")).FullName;
        string file = Path.Combine(folder, $"{name}.dll");
        RandomMethods.Write(FixtureProgram.FileOf(name), file, seed, Methods);
        using var set = ImageSet.LoadUnpatched([file]);
        Assembly program = set[name];
        var table = FixtureProgram.TableOf(program);
        FixtureProgram.Install(table, program);
        table.Install([.. table.Ops.Where(o => table.TargetOf(o.Name) is PvTarget.MethodTarget).Select(o => KeyValuePair.Create(o.Name, PvTarget.Inline(((PvTarget.MethodTarget)table.TargetOf(o.Name)).Info)))]);

        using var image = ModuleImage.Open(File.ReadAllBytes(file), file);
        var sites = new ModuleSites(image, table, new SlotTree(table.Ops), PatchWay.Late, limit: GrowthLimit.Anything);
        int edits = 0;
        foreach (RewrittenMethod method in sites.Methods.Where(m => m.Body.Name.StartsWith("RandomMethods.", StringComparison.Ordinal) && m.Growth is not null))
        {
            var original = (MethodInfo)program.ManifestModule.ResolveMethod(method.Body.Token)!;
            Func<long, long, long> before = original.CreateDelegate<Func<long, long, long>>(), after = CopyOf(original, method).CreateDelegate<Func<long, long, long>>();
            foreach ((long a, long b) in ((long, long)[])[(0, 0), (1, -1), (5, 3), (-7, 100), (123456789012, 6)])
                Assert.That(ResultOf(() => after(a, b)), Is.EqualTo(ResultOf(() => before(a, b))), $"seed {seed}, {original.Name}({a}, {b})");
            edits += method.Growth!.Edits.Count;
        }

        Assert.That(edits, Is.GreaterThan(Methods));
    }

    private static ImageSet Copy(FixtureProgram program, string fixture)
    {
        var set = ImageSet.LoadUnpatched([program.File]);
        FixtureProgram.TableOf(set[fixture]).InstallFrom(program.Table);
        return set;
    }

    private static DynamicMethod CopyOf(MethodInfo original, RewrittenMethod method) =>
        GrownCopy.Of(original, IlGrower.Grow(method.Body, method.Il, method.Growth!), method.Growth!.Locals);

    private static bool IsCase(MethodInfo method) =>
        method.ReturnType == typeof(long) && method.GetParameters() is [{ ParameterType: var only }] && only == typeof(long) && !method.DeclaringType!.IsGenericType;

    /// <summary>The value, or the exception that the method ends with.</summary>
    private static object ResultOf(Func<long> method)
    {
        try
        {
            return method();
        }
        catch (Exception e) when (e is not InvalidProgramException)
        {
            return e.GetType();
        }
    }
}
