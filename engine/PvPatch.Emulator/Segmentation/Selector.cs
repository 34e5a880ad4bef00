namespace PvPatch.Emulator.Segmentation;

/// <summary>The parts of a segment selector (Intel SDM vol. 3, 3.4.2).</summary>
internal static class Selector
{
    /// <summary>Whether it selects nothing.</summary>
    public static bool IsNull(ushort selector) => (selector & ~3) == 0;

    /// <summary>Whether it selects from the LDT.</summary>
    public static bool IsLocal(ushort selector) => (selector & 4) != 0;

    /// <summary>The requested privilege level.</summary>
    public static int RequestedPrivilege(ushort selector) => selector & 3;

    /// <summary>The error code that names it (Intel SDM vol. 3, 6.13).</summary>
    public static uint ErrorCode(ushort selector) => selector & ~3u;

    /// <summary>The selector with another requested privilege level.</summary>
    public static ushort WithPrivilege(ushort selector, int level) => (ushort)((selector & ~3) | level);
}
