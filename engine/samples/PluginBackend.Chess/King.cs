namespace PvPatch.Samples.PluginBackend.Chess;

/// <summary>Moves of a chess king.</summary>
public static class King
{
    /// <summary>How many squares lie between two.</summary>
    public static double Distance(double x1, double y1, double x2, double y2) => Math.Max(Math.Abs(x1 - x2), Math.Abs(y1 - y2));
}
