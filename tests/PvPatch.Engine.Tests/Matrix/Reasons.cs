namespace PvPatch.Engine.Tests.Matrix;

/// <summary>The reports' reasons in few words, for the table and the names of tests.</summary>
internal static class Reasons
{
    /// <summary>A part of a reason, and the words for it. The first that fits is taken.</summary>
    private static readonly (string Part, string Words)[] Known =
    [
        ("it is virtual", "virtual"),
        ("it is generic", "generic"),
        ("it is synchronized", "synchronized"),
        ("returns a struct", "returns struct"),
        ("compiled once for all", "never tiered"),
        ("called from unmanaged code", "unmanaged caller"),
        ("is a static constructor", "static constructor"),
        ("no like in a copy", "no copy"),
        ("put its own code", "put back"),
        ("made while the program ran", "emitted code"),
        ("through a delegate", "delegate"),
        ("names of other assemblies", "called elsewhere"),
        ("is initialised when", "initialises its class"),
        ("cannot be told", "unknown"),
        ("an instantiation", "generic"),
        ("may have inlined it", "inlined"),
        ("compiled before", "compiled"),
    ];

    /// <summary>The words for a reason; the reason itself where there are none.</summary>
    public static string Short(string reason) =>
        Known.FirstOrDefault(k => reason.Contains(k.Part, StringComparison.Ordinal)).Words ?? reason;
}
