using System.Reflection;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Engine.PatchedCalls.Late;
using PvPatch.Engine.PatchedCalls.Loaded;
using PvPatch.Engine.PatchedCalls.Switching;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine;

/// <summary>
/// Patches calls through op tables: rewrites the IL of each call site, same size, into what its slot holds. To the runtime
/// it is ordinary code, which it inlines, tiers and optimises as if it had been written so.
/// </summary>
public static class Patcher
{
    /// <summary>What a call of an op would become, by the rules alone: no image is looked at and no slot is written.</summary>
    /// <param name="op">The op.</param>
    /// <param name="target">What its slot would hold.</param>
    /// <returns>A few words, as in the rows of a report: <c>call Crc32.Add</c>.</returns>
    public static string ReplacementOf(PvOp op, PvTarget target)
    {
        ArgumentNullException.ThrowIfNull(op);
        ArgumentNullException.ThrowIfNull(target);
        return CallReplacement.Choose(op, target).ToString();
    }

    /// <summary>Plans how the images of a program are patched. Nothing is loaded and no file changes.</summary>
    /// <param name="table">The program's ops, with what is installed in them. It may belong to a loaded copy of the same images.</param>
    /// <param name="imageFiles">Paths of the program's assemblies.</param>
    /// <param name="log">Who is told what is planned.</param>
    /// <returns>The patched images, to be loaded by <see cref="ImageSet.Load"/>, and the report.</returns>
    /// <exception cref="PatchException">
    /// A file cannot be used: <see cref="PatchError.FileUnreadable"/>, <see cref="PatchError.NotAnImage"/>,
    /// <see cref="PatchError.NotManaged"/>, <see cref="PatchError.MixedMode"/>, <see cref="PatchError.BadImage"/>,
    /// <see cref="PatchError.DuplicateImage"/>. Sites that cannot be patched are no error; they are in the report.
    /// </exception>
    public static PatchPlan Plan(PvOpTable table, IReadOnlyList<string> imageFiles, PatchLog? log = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        CheckRooted(table);
        ArgumentNullException.ThrowIfNull(imageFiles);
        return ImageFiles.Plan(table, imageFiles, new PatchEvents(log));
    }

    /// <summary>
    /// Patches the program that runs: the images in memory of the assemblies that reach the table's slots, now, and of those
    /// that are loaded later. Call it once everything is installed and before the code that is to be fast has run: what was
    /// compiled before goes through the slots until the runtime compiles it anew, and is reported so.
    /// </summary>
    /// <param name="table">The program's ops, with what is installed in them.</param>
    /// <param name="options">What to patch, if not everything that reaches the slots.</param>
    /// <returns>What was done, and the way back. It need not be kept: the patch stays, and so does the watch.</returns>
    /// <exception cref="PatchException">
    /// <see cref="PatchError.UnsupportedPlatform"/>: images in memory are patched on Linux only, on other systems use
    /// <see cref="Plan"/>. Assemblies and sites that cannot be patched are no error; they are in the result.
    /// </exception>
    public static LivePatch Apply(PvOpTable table, ApplyOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        CheckRooted(table);
        CheckPlatform();
        return new LivePatch(table, options ?? new ApplyOptions());
    }

    /// <summary>
    /// Tells what <see cref="Apply"/> with <see cref="ApplyOptions.Switchable"/> would do, without doing it: which sites would call
    /// their targets directly, and what keeps the others from it. No call is led elsewhere and no slot is written. The copies
    /// that it compiles to find out are kept for <see cref="Apply"/>.
    /// </summary>
    /// <param name="table">The program's ops, with what is installed in them.</param>
    /// <param name="options">Which assemblies, if not every loaded one that reaches the slots; nothing else of it is asked.</param>
    /// <returns>
    /// A row a site: <see cref="SiteState.Patched"/> if it would follow a switch by a direct call, else through its slot, with the
    /// reason: <see cref="SiteState.Left"/> for methods that cannot be redirected, <see cref="SiteState.Deferred"/> for those
    /// that callers may inline as they are.
    /// </returns>
    /// <exception cref="PatchException"><see cref="PatchError.UnsupportedPlatform"/>, or an image cannot be read.</exception>
    public static PatchReport PlanSwitch(PvOpTable table, ApplyOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        CheckRooted(table);
        CheckPlatform();
        Func<Assembly, bool> isWanted = options?.Assemblies ?? BoundAssemblies.ToSlotsOf(table.Ops).Reach;
        return new PatchReport(SwitchedProgram.Planned(table, new EntrySwap(), AppDomain.CurrentDomain.GetAssemblies().Where(isWanted)));
    }

    private static void CheckRooted(PvOpTable table)
    {
        if (table.IsUnmanaged)
            throw new PatchException(PatchError.UnsupportedRoot, $"No static field leads to the slots of {table.Ops[0].Path[0].DeclaringType!.Name}, so no compiled call can be proven to use them; emitted calls can.");
    }

    private static void CheckPlatform()
    {
        if (!OperatingSystem.IsLinux())
            throw new PatchException(PatchError.UnsupportedPlatform, "Images in memory are patched on Linux only; plan the image files instead.");
    }
}
