namespace PvPatch.Engine.Il;

/// <summary>What the metadata reader throws when an image contradicts itself.</summary>
internal static class Damage
{
    /// <summary>Whether an exception tells of a damaged image, and not of a mistake in this program.</summary>
    public static bool IsShownBy(Exception exception) =>
        exception is BadImageFormatException or InvalidDataException or ArgumentException or InvalidCastException or InvalidOperationException
            or OverflowException or IndexOutOfRangeException or NotSupportedException;
}
