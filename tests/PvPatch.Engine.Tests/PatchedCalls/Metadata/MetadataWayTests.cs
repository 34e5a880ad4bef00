using System.Reflection;
using System.Runtime.Loader;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Tests.PatchedCalls.Metadata;

/// <summary>Targets that a module has no token for, wherever they are and whoever may name them.</summary>
internal sealed class MetadataWayTests
{
    private const string Shapes = "PvPatch.Engine.Fixtures.Shapes", NegateCaller = "OneArgument_Direct";

    private static readonly string Fixture = FixtureProgram.Names[1];
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "targets");
    private static readonly string TargetsFile = Path.Combine(Folder, "Targets.dll");

    [OneTimeSetUp]
    public void WriteTargets()
    {
        TargetsImage.Write(Fixture, TargetsFile);
        TargetsImage.Write(Fixture, Path.Combine(Folder, "Outside.dll"), "Outside");
    }

    [TestCase("Targets", "Public", 15)]
    [TestCase("Targets", "Internal", 25)]
    [TestCase("Targets", "Private", 35)]
    [TestCase("Targets+Inner", "Nested", 45)]
    public void A_target_in_another_image_of_the_set_is_called(string type, string method, long expected)
    {
        using var program = new Program([FixtureProgram.FileOf(Fixture), TargetsFile]);
        program.Install("math.negate", program.Unpatched[TargetsImage.Name].GetType(type)!, method);
        program.AssertPatched("math.negate", NegateCaller, 5, expected);
    }

    [TestCase("Private", 35)]
    [TestCase("Public", 15)]
    public void A_target_in_an_assembly_that_only_its_own_context_knows_is_called(string method, long expected)
    {
        using var program = new Program([FixtureProgram.FileOf(Fixture)]);
        Assembly outside = new AssemblyLoadContext("plug-in").LoadFromAssemblyPath(Path.Combine(Folder, "Outside.dll"));
        program.Install("math.negate", outside.GetType(TargetsImage.Name)!, method);
        program.AssertPatched("math.negate", NegateCaller, 5, expected);
    }

    [Test]
    public void A_private_target_in_the_host_program_is_called()
    {
        using var program = new Program([FixtureProgram.FileOf(Fixture)]);
        program.Install("math.negate", typeof(Nest), "Hidden");
        program.AssertPatched("math.negate", NegateCaller, 5, 65);
    }

    [Test]
    public void A_target_that_takes_a_struct_of_the_patched_module_is_called()
    {
        using var program = new Program([FixtureProgram.FileOf(Fixture), TargetsFile]);
        program.Install("plain.turn", program.Unpatched[TargetsImage.Name].GetType(TargetsImage.Name)!, "Swap");
        program.AssertPatched("plain.turn", "StructByValue_Direct", 5);
    }

    [Test]
    public void A_target_that_takes_a_pointer_is_called()
    {
        using var program = new Program([FixtureProgram.FileOf(Fixture), TargetsFile]);
        program.Install("math.bump", program.Unpatched[TargetsImage.Name].GetType(TargetsImage.Name)!, "Bump");
        program.AssertPatched("math.bump", "VoidOp_Direct", 5);
    }

    [Test]
    public void A_target_outside_the_set_that_takes_the_sets_struct_is_refused()
    {
        using var program = new Program([FixtureProgram.FileOf(Fixture)]);
        var plugIn = new PlugIn(program.Unpatched[Fixture]);
        program.Install("plain.turn", plugIn.LoadFromAssemblyPath(Path.Combine(Folder, "Outside.dll")).GetType(TargetsImage.Name)!, "Swap");
        program.AssertLeft("plain.turn", "no token for Targets.Swap in this module: it takes or gives Pair of another copy of this program");
    }

    [Test]
    public void A_target_that_can_be_unloaded_is_refused()
    {
        using var program = new Program([FixtureProgram.FileOf(Fixture)]);
        var passing = new AssemblyLoadContext("passing", isCollectible: true);
        program.Install("math.negate", passing.LoadFromAssemblyPath(Path.Combine(Folder, "Outside.dll")).GetType(TargetsImage.Name)!, "Public");
        program.AssertLeft("math.negate", "no token for Targets.Public in this module: its assembly can be unloaded");
    }

    [Test]
    public void A_target_of_an_assembly_made_in_this_process_is_refused()
    {
        using var program = new Program([FixtureProgram.FileOf(Fixture)]);
        var module = System.Reflection.Emit.AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("Made"), System.Reflection.Emit.AssemblyBuilderAccess.Run).DefineDynamicModule("Made");
        System.Reflection.Emit.TypeBuilder type = module.DefineType("Made", TypeAttributes.Public);
        System.Reflection.Emit.ILGenerator il = type.DefineMethod("Same", MethodAttributes.Public | MethodAttributes.Static, typeof(long), [typeof(long)]).GetILGenerator();
        il.Emit(System.Reflection.Emit.OpCodes.Ldarg_0);
        il.Emit(System.Reflection.Emit.OpCodes.Ret);
        program.Install("math.negate", type.CreateType(), "Same");
        program.AssertLeft("math.negate", "no token for Made.Same in this module: its assembly was made in this process, no image can refer to it");
    }

    [Test]
    public void A_name_that_leads_to_another_copy_is_refused()
    {
        using var program = new Program([FixtureProgram.FileOf(Fixture)]);
        Assembly copy = new AssemblyLoadContext("copy").LoadFromAssemblyPath(typeof(Nest).Assembly.Location);
        program.Install("math.negate", copy.GetType(typeof(Nest).FullName!)!, "Hidden");
        program.AssertLeft("math.negate", "no token for Nest.Hidden in this module: the name PvPatch.Engine.Tests leads to another copy of its assembly");
    }

    /// <summary>Binds what it loads to one given assembly, where that is referred to.</summary>
    private sealed class PlugIn(Assembly given) : AssemblyLoadContext("plug-in")
    {
        protected override Assembly? Load(AssemblyName assemblyName) => assemblyName.Name!.Equals(given.GetName().Name, StringComparison.Ordinal) ? given : null;
    }

    private static class Nest
    {
#pragma warning disable IDE0051 // installed by name
        private static long Hidden(long a) => a + 60;
#pragma warning restore IDE0051
    }

    /// <summary>A set of images with the fixture's targets, and what a test installs over them.</summary>
    private sealed class Program : IDisposable
    {
        private readonly string[] _files;
        private readonly PvOpTable _table;

        public Program(string[] files)
        {
            _files = files;
            Unpatched = ImageSet.LoadUnpatched(files);
            _table = TableOf(Unpatched);
            FixtureProgram.Install(_table, Unpatched[Fixture]);
        }

        public ImageSet Unpatched { get; }

        public void Install(string op, Type type, string method) => _table.Install([KeyValuePair.Create(op, PvTarget.Method(type, method))]);

        public void AssertPatched(string op, string caller, long argument, long? expected = null)
        {
            PatchPlan plan = Patcher.Plan(_table, _files);
            PatchedSite[] rows = [.. plan.Report.Sites.Where(s => s.Op.Equals(op, StringComparison.Ordinal) && s.Method.Equals($"{Shapes}.{caller}", StringComparison.Ordinal))];
            using ImageSet set = ImageSet.Load(plan);
            PvOpTable table = TableOf(set);
            table.InstallFrom(_table);
            long value = 0;
            IReadOnlyDictionary<string, long> throughSlots = table.CountCalls(() => value = Call(set, caller, argument));
            using (Assert.EnterMultipleScope())
            {
                Assert.That(rows, Is.Not.Empty);
                Assert.That(rows.Select(r => (r.State, r.Way)), Is.All.EqualTo((SiteState.Patched, PatchWay.Metadata)), string.Join('\n', rows.Select(r => r.Reason)));
                Assert.That(set.Verify(), Is.GreaterThan(50));
                Assert.That(value, Is.EqualTo(expected ?? Call(Unpatched, caller, argument)));
                Assert.That(throughSlots, Does.Not.ContainKey(op));
            }
        }

        public void AssertLeft(string op, string reason)
        {
            PatchedSite[] rows = [.. Patcher.Plan(_table, _files).Report.Sites.Where(s => s.Op.Equals(op, StringComparison.Ordinal) && s.Method.StartsWith(Shapes, StringComparison.Ordinal))];
            Assert.That(rows.Select(r => r.Reason), Is.Not.Empty.And.All.EqualTo(reason));
        }

        public void Dispose() => Unpatched.Dispose();

        private static PvOpTable TableOf(ImageSet set) => FixtureProgram.TableOf(set[Fixture]);

        private static long Call(ImageSet set, string method, long argument) =>
            set[Fixture].GetType(Shapes, throwOnError: true)!.GetMethod(method)!.CreateDelegate<Func<long, long>>()(argument);
    }
}
