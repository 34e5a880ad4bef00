using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine;

/// <summary>
/// Patches calls through op tables: rewrites the IL of each call site, same size, into what its slot holds. To the runtime
/// it is ordinary code, which it inlines, tiers and optimises as if it had been written so.
/// </summary>
public static class Patcher
{
    /// <summary>Plans how the images of a program are patched. Nothing is loaded and no file changes.</summary>
    /// <param name="table">The program's ops, with what is installed in them. It may belong to a loaded copy of the same images.</param>
    /// <param name="imageFiles">Paths of the program's assemblies.</param>
    /// <returns>The patched images, to be loaded by <see cref="ImageSet.Load"/>, and the report.</returns>
    /// <exception cref="PatchException">
    /// A file cannot be used: <see cref="PatchError.FileUnreadable"/>, <see cref="PatchError.NotAnImage"/>,
    /// <see cref="PatchError.NotManaged"/>, <see cref="PatchError.MixedMode"/>, <see cref="PatchError.BadImage"/>,
    /// <see cref="PatchError.DuplicateImage"/>. Sites that cannot be patched are no error; they are in the report.
    /// </exception>
    public static PatchPlan Plan(PvOpTable table, IReadOnlyList<string> imageFiles)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(imageFiles);
        return ImageFiles.Plan(table, imageFiles);
    }
}
