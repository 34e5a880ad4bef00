using System.Collections.Concurrent;
using System.Reflection;
using PvPatch.Engine;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.Reports;
using PvPatch.Perf.Measuring;

namespace PvPatch.Perf.Rows;

/// <summary>In which form an op is called.</summary>
public enum OpForm
{
    /// <summary>Through its slot.</summary>
    Slot,

    /// <summary>Patched before the image was loaded.</summary>
    Image,

    /// <summary>Patched in memory before the code was compiled.</summary>
    InPlace,

    /// <summary>Patched when the code was hot already.</summary>
    Late,
}

/// <summary>Copies of this assembly, each in a load context of its own, with its sites in one of the forms.</summary>
internal static class OpCopies
{
    private const int HotCalls = 50;
    private const int MostTries = 3;

    private static readonly Assembly Here = typeof(OpCopies).Assembly;
    private static readonly ConcurrentDictionary<OpForm, Assembly> Copies = new();

    /// <summary>A loop of the copy that has this form. The copies are made once and kept, for they cannot be unloaded.</summary>
    /// <param name="form">The form.</param>
    /// <param name="loop">A method of <see cref="OpLoops"/>.</param>
    public static Func<int, long> Loop(OpForm form, string loop) => Loop(Copies.GetOrAdd(form, Make), loop);

    /// <summary>An unpatched copy.</summary>
    /// <param name="collectible">Whether it can be unloaded.</param>
    public static ImageSet Load(bool collectible) => ImageSet.LoadUnpatched([Here.Location], collectible);

    /// <summary>The op table of a copy, with everything installed.</summary>
    /// <param name="copy">The copy.</param>
    public static PvOpTable Fill(Assembly copy)
    {
        Type targets = Of(copy, typeof(LabTargets));
        MethodInfo Method(string name) => targets.GetMethod(name)!;
        var table = new PvOpTable(Of(copy, typeof(LabOps)));
        table.Install(new Dictionary<string, PvTarget>(StringComparer.Ordinal)
        {
            ["lab.step"] = PvTarget.Method(Method(nameof(LabTargets.Step))),
            ["lab.none"] = PvTarget.Method(Method(nameof(LabTargets.None))),
            ["lab.two"] = PvTarget.Method(Method(nameof(LabTargets.Two))),
            ["lab.three"] = PvTarget.Method(Method(nameof(LabTargets.Three))),
            ["lab.four"] = PvTarget.Method(Method(nameof(LabTargets.Four))),
            ["lab.pair"] = PvTarget.Method(Method(nameof(LabTargets.Pair))),
            ["lab.quad"] = PvTarget.Method(Method(nameof(LabTargets.Quad))),
            ["lab.nop"] = PvTarget.Nop,
            ["lab.constant"] = PvTarget.Constant(7),
            ["lab.identity"] = PvTarget.Identity,
            ["lab.direct"] = PvTarget.Method(Method(nameof(LabTargets.Two))),
            ["lab.inline"] = PvTarget.Inline(Method(nameof(LabTargets.Add))),
            ["lab.called"] = PvTarget.Method(Method(nameof(LabTargets.Called))),
        });
        return table;
    }

    /// <summary>A type of a copy.</summary>
    /// <param name="copy">The copy.</param>
    /// <param name="type">The type here.</param>
    public static Type Of(Assembly copy, Type type) => copy.GetType(type.FullName!, throwOnError: true)!;

    /// <summary>Plans the image way.</summary>
    /// <param name="table">A filled table.</param>
    public static PatchPlan Plan(PvOpTable table) => Checked(Patcher.Plan(table, [Here.Location]), plan => plan.Report);

    /// <summary>Patches a copy that is loaded.</summary>
    /// <param name="table">Its table, filled.</param>
    /// <param name="copy">The copy.</param>
    /// <param name="redirectCompiled">Whether code that is hot is led to copies.</param>
    public static LivePatch Apply(PvOpTable table, Assembly copy, bool redirectCompiled) =>
        Checked(Patcher.Apply(table, new ApplyOptions { Assemblies = a => a == copy, WatchLoads = false, RedirectCompiled = redirectCompiled }), patch => patch.Report);

    /// <summary>
    /// Makes a copy. Now and then a number in other code looks like the address of a slot, and a site is left alone for it; a copy elsewhere
    /// has other addresses.
    /// </summary>
    private static Assembly Make(OpForm form)
    {
        for (int tries = 1; ; tries++)
        {
            try
            {
                return MakeOnce(form);
            }
            catch (InvalidOperationException) when (tries < MostTries)
            {
                // The next one says why, if it is the last.
            }
        }
    }

    private static Assembly MakeOnce(OpForm form)
    {
        Assembly copy = Load(collectible: false)[Here.GetName().Name!];
        PvOpTable table = Fill(copy);
        switch (form)
        {
            case OpForm.Image:
                copy = ImageSet.Load(Plan(table))[Here.GetName().Name!];
                Fill(copy);
                break;
            case OpForm.InPlace:
                Apply(table, copy, redirectCompiled: false).Dispose();
                break;
            case OpForm.Late:
                MakeHot(copy);
                Apply(table, copy, redirectCompiled: true).Dispose();
                break;
        }

        return copy;
    }

    /// <summary>Runs every loop until it has the last code it gets.</summary>
    private static void MakeHot(Assembly copy)
    {
        Func<int, long>[] loops = [.. typeof(OpLoops).GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly).Select(loop => Loop(copy, loop.Name))];
        SettledCode.Reach(() =>
        {
            foreach (Func<int, long> run in loops)
            {
                for (int i = 0; i < HotCalls; i++)
                    run(100);
            }
        });
    }

    private static Func<int, long> Loop(Assembly copy, string loop) => Of(copy, typeof(OpLoops)).GetMethod(loop)!.CreateDelegate<Func<int, long>>();

    /// <summary>A figure of a site that was not patched would be one of the slot.</summary>
    private static T Checked<T>(T patch, Func<T, PatchReport> report) =>
        report(patch).Sites.FirstOrDefault(site => site.State != SiteState.Patched) is { } unpatched
            ? throw new InvalidOperationException($"{unpatched.Method} is not patched: {unpatched.Reason}")
            : patch;
}
