namespace PvPatch.Samples.PluginBackend.Chess;

/// <summary>Moves of a chess rook.</summary>
public static class Rook
{
    /// <summary>How many squares lie on the way from one to another.</summary>
    public static double Distance(double x1, double y1, double x2, double y2) => Math.Abs(x1 - x2) + Math.Abs(y1 - y2);
}
