using System.Reflection;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Image;

namespace PvPatch.Engine.Tests.PatchedCalls;

/// <summary>The fixtures of one compiler setting, loaded twice: as they are, and patched.</summary>
internal sealed class FixtureProgram
{
    /// <summary>Names of both fixture assemblies: the same source, compiled in both ways.</summary>
    public static readonly string[] Names = ["PvPatch.Engine.Fixtures.Debug", "PvPatch.Engine.Fixtures.Release"];

    private static readonly Dictionary<string, Lazy<FixtureProgram>> Programs =
        Names.ToDictionary(n => n, n => new Lazy<FixtureProgram>(() => new FixtureProgram(n)), StringComparer.Ordinal);

    private FixtureProgram(string name)
    {
        File = FileOf(name);
        Unpatched = ImageSet.LoadUnpatched([File])[name];
        Table = FixtureProgram.TableOf(Unpatched);
        Install(Table, Unpatched);
        WriteByHand(Unpatched);
        Plan = Patcher.Plan(Table, [File]);

        PatchedSet = ImageSet.Load(Plan);
        Patched = PatchedSet[name];
        FixtureProgram.TableOf(Patched).InstallFrom(Table);
    }

    public string File { get; }

    public PvOpTable Table { get; }

    public PatchPlan Plan { get; }

    public Assembly Unpatched { get; }

    public Assembly Patched { get; }

    public ImageSet PatchedSet { get; }

    public static FixtureProgram Of(string name) => Programs[name].Value;

    /// <summary>The table of every slot of the fixtures.</summary>
    public static PvOpTable TableOf(Assembly program) =>
        new(program.GetType("PvPatch.Engine.Fixtures.Pv", throwOnError: true)!, program.GetType("PvPatch.Engine.Fixtures.PvSlots", throwOnError: true)!);

    public static string FileOf(string name) => Path.Combine(AppContext.BaseDirectory, $"{name}.dll");

    /// <summary>The methods with sites of their own; those of Inliners have them in what they call.</summary>
    public static IEnumerable<MethodInfo> Cases(Assembly assembly) =>
        assembly.GetExportedTypes().Where(t => t.IsAbstract && t.IsSealed && t.Name is not "Inliners").SelectMany(FunctionsOf);

    /// <summary>The methods that call wrappers of sites.</summary>
    public static MethodInfo[] Inliners(Assembly assembly) => [.. FunctionsOf(assembly.GetType("PvPatch.Engine.Fixtures.Inliners", throwOnError: true)!)];

    public static void Install(PvOpTable table, Assembly program)
    {
        Type native = program.GetType("PvPatch.Engine.Fixtures.Native", throwOnError: true)!;
        var targets = new Dictionary<string, PvTarget>(StringComparer.Ordinal)
        {
            ["math.add"] = PvTarget.Method(native, "Add"),
            ["math.negate"] = PvTarget.Method(native, "Negate"),
            ["math.bump"] = PvTarget.Method(native, "Bump"),
            ["math.narrow"] = PvTarget.Method(native, "Narrow"),
            ["small.nothing"] = PvTarget.Nop,
            ["small.ten"] = PvTarget.Nop,
            ["small.same"] = PvTarget.Identity,
            ["small.same_byte"] = PvTarget.Identity,
            ["small.seven"] = PvTarget.Constant(7),
            ["small.minus_one"] = PvTarget.Constant(-1),
            ["small.huge"] = PvTarget.Constant(0x123456789ABC),
            ["deep.get"] = PvTarget.Method(native, "Get"),
            ["plain.mean"] = PvTarget.Method(native, "Mean"),
            ["plain.root"] = PvTarget.Method(typeof(Math), "Sqrt"),
            ["plain.turn"] = PvTarget.Method(native, "Turn"),
            ["stubborn.set_up"] = PvTarget.Method(native, "SetUp"),
            ["stubborn.entry"] = PvTarget.Method(native, "SetUp"),
            ["stubborn.private"] = PvTarget.Method(native, "Private"),
            ["stubborn.foreign"] = PvTarget.Method(typeof(Math), "Cbrt"),
            ["stubborn.by_hand"] = PvTarget.Method(native, "SetUp"),
        };
        foreach (MethodInfo method in program.GetType("PvPatch.Engine.Fixtures.InlineTargets", throwOnError: true)!.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
        {
            if (table.Ops.Any(o => o.Name.Equals($"inline.{method.Name}", StringComparison.OrdinalIgnoreCase)))
                targets[$"inline.{method.Name.ToLowerInvariant()}"] = PvTarget.Inline(method);
        }

        AddSlotTargets(targets, native, program.GetType("PvPatch.Engine.Fixtures.SlotTargets", throwOnError: true)!);
        table.Install(targets.Where(t => table.Ops.Any(o => o.Name.Equals(t.Key, StringComparison.Ordinal))));
    }

    private static IEnumerable<MethodInfo> FunctionsOf(Type type) =>
        type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
            .Where(m => m.GetParameters() is [{ ParameterType: var only }] && only == typeof(long) && m.ReturnType == typeof(long));

    private static void AddSlotTargets(Dictionary<string, PvTarget> targets, Type native, Type own)
    {
        string[] negating =
        [
            "object.negate", "object.property", "object.inner", "object.only", "array.three", "managed.negate", "convention.cdecl", "convention.stdcall",
            "convention.thiscall", "convention.member", "volatile.negate",
        ];
        foreach (string op in negating)
            targets[op] = PvTarget.Method(native, "Negate");
        foreach (string op in (string[])["object.nested", "object.inherited", "array.zero"])
            targets[op] = PvTarget.Method(native, "SetUp");
        targets["managed.text"] = PvTarget.Method(own, "Text");
        targets["managed.by_ref"] = PvTarget.Method(own, "ByRefs");
        targets["managed.span"] = PvTarget.Method(own, "Span");
        targets["managed.read_only"] = PvTarget.Method(own, "ReadOnly");
        targets["parameter.of_table"] = PvTarget.Method(own.Assembly.GetType("PvPatch.Engine.Fixtures.ParameterTargets", throwOnError: true)!, "OfTable_Left");
        targets["managed.none"] = PvTarget.Constant(0);
        targets["type.not"] = PvTarget.Method(own, "Not");
        targets["type.by_ref"] = PvTarget.Method(own, "ByRef");
        targets["type.shade"] = PvTarget.Method(own, "Darker");
        targets["type.both"] = PvTarget.Method(own, "Swap");
        targets["type.money"] = PvTarget.Method(own, "Money");
        targets["type.pointer"] = PvTarget.Method(own, "Pointer");
        targets["type.half"] = PvTarget.Method(own, "Half");
        targets["constant.yes"] = PvTarget.Constant(1);
        targets["constant.letter"] = PvTarget.Constant('ü');
        targets["constant.light"] = PvTarget.Constant(7);
        targets["constant.pi"] = PvTarget.ConstantReal(Math.PI);
        targets["constant.quarter"] = PvTarget.ConstantReal(0.25);
        targets["constant.address"] = PvTarget.Constant(0x7FFF_1234);
    }

    /// <summary>Puts the entry of another op into a slot, behind the table's back.</summary>
    private static void WriteByHand(Assembly program)
    {
        FieldInfo field = program.GetType("PvPatch.Engine.Fixtures.Pv", throwOnError: true)!.GetField("Stubborn")!;
        object ops = field.GetValue(null)!;
        Type type = ops.GetType();
        type.GetField("ByHand")!.SetValue(ops, type.GetField("SetUp")!.GetValue(ops));
        field.SetValue(null, ops);
    }
}
