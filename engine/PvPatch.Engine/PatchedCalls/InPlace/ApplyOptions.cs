using System.Reflection;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.InPlace;

/// <summary>What <see cref="Patcher.Apply"/> patches.</summary>
public sealed record ApplyOptions
{
    /// <summary>
    /// Which assemblies. Without it: every one that holds the table's slots or is bound to one that does, and has an image.
    /// It is asked on the thread that loads an assembly, and may be asked about any.
    /// </summary>
    public Func<Assembly, bool>? Assemblies { get; init; }

    /// <summary>Whether assemblies that are loaded later are patched too, before any of their methods is compiled.</summary>
    public bool WatchLoads { get; init; } = true;

    /// <summary>
    /// Whether methods that were compiled before are led to copies made from the patched IL. Stack traces then show the copy's
    /// name. Without it they go through the slots until the runtime compiles them anew.
    /// </summary>
    public bool RedirectCompiled { get; init; }

    /// <summary>
    /// Whether the targets can be changed while the program runs (<see cref="LivePatch.Switch"/>). The images then keep their
    /// calls through the slots, which are right whatever is installed, and each method that has a site and can be redirected
    /// is led to a copy with direct calls. <see cref="RedirectCompiled"/> has no meaning then.
    /// </summary>
    public bool Switchable { get; init; }

    /// <summary>Who is told what is patched, refused and restored, as it happens.</summary>
    public PatchLog? Log { get; init; }
}
