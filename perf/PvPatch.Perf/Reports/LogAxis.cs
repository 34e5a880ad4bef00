namespace PvPatch.Perf.Reports;

/// <summary>A logarithmic axis in pixels.</summary>
/// <param name="Least">Its least value, above 0.</param>
/// <param name="Greatest">Its greatest.</param>
/// <param name="From">Where the least is, in pixels.</param>
/// <param name="To">Where the greatest is.</param>
internal sealed record LogAxis(double Least, double Greatest, double From, double To)
{
    private const int MostTicks = 9;

    /// <summary>Values for which there is a line: powers of ten, and between them where there is room.</summary>
    public IEnumerable<double> Ticks
    {
        get
        {
            double[] all = [.. TicksBy([1, 2, 5])];
            return all.Length <= MostTicks ? all : TicksBy([1]);
        }
    }

    /// <summary>An axis that has room for all values.</summary>
    /// <param name="values">Those above 0 count.</param>
    /// <param name="from">Where it begins, in pixels.</param>
    /// <param name="to">Where it ends.</param>
    public static LogAxis Over(IEnumerable<double> values, double from, double to)
    {
        double[] shown = [.. values.Where(v => v > 0 && double.IsFinite(v)).DefaultIfEmpty(1)];
        return new LogAxis(shown.Min() / 1.1, shown.Max() * 1.1, from, to);
    }

    /// <summary>Where a value is; at the end where it would be beyond it.</summary>
    /// <param name="value">The value.</param>
    public double At(double value) =>
        From + ((To - From) * Math.Clamp(Math.Log(Math.Max(value, Least) / Least) / Math.Log(Greatest / Least), 0, 1));

    private IEnumerable<double> TicksBy(double[] steps) =>
        from power in Enumerable.Range((int)Math.Floor(Math.Log10(Least)), (int)Math.Ceiling(Math.Log10(Greatest / Least)) + 2)
        from step in steps
        let tick = step * Math.Pow(10, power)
        where tick >= Least && tick <= Greatest
        select tick;
}
