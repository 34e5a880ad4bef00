using PvPatch.Engine.Ops;

namespace PvPatch.Samples.PluginBackend.Route;

/// <summary>The slot: how far two points are from each other is the backend's word.</summary>
public static unsafe class RouteOps
{
    [PvOp("route.distance", summary: "Gives the distance of two points")]
    public static delegate* unmanaged<double, double, double, double, double> Distance;
}

/// <summary>The length of a way around some points.</summary>
public static class Round
{
    /// <summary>Distances that one round asks for.</summary>
    public const int Legs = 1000;

    private static readonly (double X, double Y)[] Points = [.. Enumerable.Range(0, Legs + 1).Select(i => ((double)(i * 37 % 101), (double)(i * 53 % 97)))];

    /// <summary>The length of so many rounds.</summary>
    public static unsafe ulong Length(int rounds)
    {
        double length = 0;
        for (int i = 0; i < rounds * Legs; i++)
        {
            ((double x1, double y1), (double x2, double y2)) = (Points[i % Legs], Points[(i % Legs) + 1]);
            length += RouteOps.Distance(x1, y1, x2, y2);
        }

        return (ulong)length;
    }

    /// <summary>The same, with a delegate as plug-ins are called elsewhere.</summary>
    public static ulong LengthByDelegate(int rounds, Func<double, double, double, double, double> distance)
    {
        double length = 0;
        for (int i = 0; i < rounds * Legs; i++)
        {
            ((double x1, double y1), (double x2, double y2)) = (Points[i % Legs], Points[(i % Legs) + 1]);
            length += distance(x1, y1, x2, y2);
        }

        return (ulong)length;
    }
}
