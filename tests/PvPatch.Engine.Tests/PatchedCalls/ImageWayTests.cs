using System.Reflection;
using System.Runtime.CompilerServices;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.PatchedCalls;

/// <summary>Every fixture method ends as its name says, and gives the same value before and after.</summary>
internal sealed class ImageWayTests
{
    private static readonly long[] Arguments = [1, 2, 3, 4, 5, 17, 1000, 123456789];

    private static IEnumerable<TestCaseData> Cases() =>
        FixtureProgram.Names.SelectMany(name => FixtureProgram.Cases(Assembly.LoadFile(FixtureProgram.FileOf(name)))
            .Select(m => new TestCaseData(name, m.DeclaringType!.FullName, m.Name).SetArgDisplayNames(name[(name.LastIndexOf('.') + 1)..], m.Name)));

    [TestCaseSource(nameof(Cases))]
    public void A_site_ends_as_its_name_says(string fixture, string type, string method)
    {
        FixtureProgram program = FixtureProgram.Of(fixture);
        PatchedSite[] rows = [.. program.Plan.Report.Sites.Where(s => IsOf(s, type, method))];
        string all = string.Join('\n', rows.Select(r => $"{r.State} {r.Op} {r.Reason ?? r.Replacement}: {r.Before} -> {r.After}"));
        Assert.That(rows, Is.Not.Empty, "a method without rows proves nothing");
        string verdict = method[(method.LastIndexOf('_') + 1)..];
        switch (verdict)
        {
            case "Direct":
                Assert.That(rows.Select(r => r.Replacement), Is.All.StartsWith("call ").Or.StartsWith("inline "), all); // inline where other ways have no room for it
                break;
            case "Inline":
                Assert.That(rows.Select(r => r.Replacement), Is.All.Match("^(inline|constant) "), all);
                break;
            case "Gone":
                Assert.That(rows.Select(r => r.Replacement), Is.All.AnyOf("gone", "its argument"), all);
                break;
            case "Metadata":
                Assert.That(rows.Select(r => r.Way), Is.All.EqualTo(PatchWay.Metadata), all);
                break;
            case "Mixed":
                Assert.That(rows.Select(r => r.Replacement).Distinct(StringComparer.Ordinal).Count(), Is.GreaterThan(1), all);
                return;
            default:
                Assert.That(verdict, Is.EqualTo("Left"));
                Assert.That(rows.Select(r => r.State), Has.Some.EqualTo(SiteState.Left), all);
                return;
        }

        Assert.That(rows.Select(r => r.State), Is.All.EqualTo(SiteState.Patched), all);
    }

    [TestCaseSource(nameof(Cases))]
    public void A_method_gives_the_same_value_patched(string fixture, string type, string method)
    {
        FixtureProgram program = FixtureProgram.Of(fixture);
        Func<long, long> before = FunctionOf(program.Unpatched, type, method);
        Func<long, long> after = FunctionOf(program.Patched, type, method);
        foreach (long argument in Arguments)
            Assert.That(after(argument), Is.EqualTo(before(argument)), $"{method}({argument})");
    }

    [TestCaseSource(typeof(FixtureProgram), nameof(FixtureProgram.Names))]
    public void Every_patched_method_holds_the_planned_IL(string fixture) =>
        Assert.That(FixtureProgram.Of(fixture).PatchedSet.Verify(), Is.GreaterThan(50));

    [TestCaseSource(typeof(FixtureProgram), nameof(FixtureProgram.Names))]
    public void Other_IL_than_the_plan_wrote_is_seen(string fixture)
    {
        FixtureProgram program = FixtureProgram.Of(fixture);
        PlannedImage image = program.Plan.Images.Single() with { Bytes = File.ReadAllBytes(program.File) };
        using ImageSet set = ImageSet.Load(new PatchPlan([image], program.Plan.Report));
        var error = Assert.Throws<PatchException>(() => set.Verify());
        using (Assert.EnterMultipleScope())
        {
            Assert.That(error!.Error, Is.EqualTo(PatchError.NotAsPlanned));
            Assert.That(error.Method, Is.EqualTo(image.Methods[0].Body.Name));
            Assert.That(error.Offset, Is.Not.Null);
            Assert.That(error.Il, Is.Not.Empty);
        }
    }

    [TestCaseSource(typeof(FixtureProgram), nameof(FixtureProgram.Names))]
    public void Every_method_compiles(string fixture)
    {
        int compiled = 0;
        foreach (Type type in FixtureProgram.Of(fixture).Patched.GetTypes())
        {
            Type closed = type.IsGenericTypeDefinition ? type.MakeGenericType(typeof(string)) : type;
            const BindingFlags Declared = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
            foreach (MethodInfo method in closed.GetMethods(Declared).Where(m => !m.IsAbstract))
            {
                MethodInfo whole = method.IsGenericMethodDefinition ? method.MakeGenericMethod(typeof(int)) : method;
                RuntimeTypeHandle[] arguments = [.. closed.GetGenericArguments().Concat(whole.GetGenericArguments()).Select(a => a.TypeHandle)];
                Assert.That(() => RuntimeHelpers.PrepareMethod(whole.MethodHandle, arguments), Throws.Nothing, $"{whole}");
                compiled++;
            }
        }

        Assert.That(compiled, Is.GreaterThan(100));
    }

    [TestCaseSource(typeof(FixtureProgram), nameof(FixtureProgram.Names))]
    public void A_patched_wrapper_has_no_trace_of_its_slot(string fixture)
    {
        const string Wrapper = "PvPatch.Engine.Fixtures.Shapes.OneArgument_Direct";
        PatchedSite row = FixtureProgram.Of(fixture).Plan.Report.Sites.Single(s => s.Method.Equals(Wrapper, StringComparison.Ordinal));
        Assert.That(row.After, Does.Match("^nop x1[0-9]+ \\| (nop|nop x2); call Native::Negate$"), row.Before);
    }

    private static bool IsOf(PatchedSite site, string type, string method) =>
        site.Method.Equals($"{type}.{method}", StringComparison.Ordinal) || site.Method.Contains($"<{method}>", StringComparison.Ordinal)
            || site.Method.EndsWith($".{method}", StringComparison.Ordinal)
            || site.Method.StartsWith($"PvPatch.Engine.Fixtures.{method}", StringComparison.Ordinal);

    private static Func<long, long> FunctionOf(Assembly program, string type, string method) =>
        program.GetType(type, throwOnError: true)!.GetMethod(method)!.CreateDelegate<Func<long, long>>();
}
