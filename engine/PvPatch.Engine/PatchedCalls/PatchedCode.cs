using System.Reflection;
using System.Reflection.Emit;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls;

/// <summary>A time that lasted, in readings of <see cref="System.Diagnostics.Stopwatch"/>.</summary>
/// <param name="Begun">Before the first step.</param>
/// <param name="Ended">After the last.</param>
internal readonly record struct Interval(long Begun, long Ended);

/// <summary>Which IL the runtime found for a method, and when.</summary>
/// <param name="IsPatchedAtFirst">Whether the image was loaded with patched bytes.</param>
/// <param name="Written">When the patched bytes were written over the loaded ones; <see langword="null"/> if they never were.</param>
/// <param name="Restored">When the original ones were written back.</param>
internal sealed record IlHistory(bool IsPatchedAtFirst, Interval? Written, Interval? Restored);

/// <summary>A copy that a method's calls were led to.</summary>
/// <param name="Method">The method.</param>
/// <param name="Copy">The copy.</param>
/// <param name="Holds">Whether they still are.</param>
internal sealed record LedMethod(MethodBase Method, DynamicMethod Copy, bool Holds);

/// <summary>What is known of the code of a method whose sites were rewritten.</summary>
/// <param name="Method">The method.</param>
/// <param name="Sites">Its rows of the report.</param>
/// <param name="Il">Its IL.</param>
/// <param name="Older">Methods whose code was compiled before the patch, and holds or may hold the old sites.</param>
/// <param name="Unknown">What else may hold them and cannot be named; <see langword="null"/> if nothing.</param>
/// <param name="Led">Copies that calls were led to: of this method, and of the older ones.</param>
internal sealed record PatchedCode(
    MethodBase Method, IReadOnlyList<PatchedSite> Sites, IlHistory Il, IReadOnlyCollection<MethodBase> Older, string? Unknown, IReadOnlyList<LedMethod> Led);
