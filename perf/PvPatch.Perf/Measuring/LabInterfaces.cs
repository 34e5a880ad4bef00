namespace PvPatch.Perf.Measuring;

/// <summary>A class of benchmarks that spend their time in another method: its machine code is shown instead of theirs.</summary>
public interface IMeasuredCode
{
    /// <summary>What the benchmark that ran last spent its time in; null where that is more than one method.</summary>
    Delegate? Measured { get; }
}

/// <summary>A class of benchmarks that count something besides time. It is reported a second.</summary>
public interface IEventCounts
{
    /// <summary>What was counted since the last call, for the benchmark that ran since, by name.</summary>
    IReadOnlyDictionary<string, long> TakeEvents();
}

/// <summary>
/// A class of benchmarks that measure themselves, for instance what other processes take: each is called once for a sample, and once
/// to warm up.
/// </summary>
public interface IMeasuredTime
{
    /// <summary>Nanoseconds of the benchmark that ran last.</summary>
    double Nanoseconds { get; }
}

/// <summary>A class whose samples are shorter in a quick run.</summary>
public interface IQuickRun
{
    /// <summary>Told before it is set up.</summary>
    bool IsQuick { set; }
}

/// <summary>A class whose time grows with one of its parameters: the growth is fitted and drawn.</summary>
/// <param name="parameter">The parameter's name; its values are whole numbers.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class GrowthAttribute(string parameter) : Attribute
{
    /// <summary>The parameter's name.</summary>
    public string Parameter { get; } = parameter;

    /// <summary>The greatest size that a quick run measures.</summary>
    public long QuickUpTo { get; init; } = long.MaxValue;

    /// <summary>The least size that the fit uses: below it fixed costs prevail.</summary>
    public long FitFrom { get; init; } = 1;
}

/// <summary>A class that not every process measures: where the layout of code decides little, and preparing takes long.</summary>
/// <param name="most">How many processes do.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class LaunchesAttribute(int most) : Attribute
{
    /// <summary>How many processes do.</summary>
    public int Most { get; } = most;

    /// <summary>How many seconds each of them takes for a family, about, if that is more than others take.</summary>
    public double Seconds { get; init; }

    /// <summary>The same for a quick run.</summary>
    public double QuickSeconds { get; init; }
}

/// <summary>A class of which a quick run measures only some values of a parameter.</summary>
/// <param name="parameter">The parameter's name.</param>
/// <param name="values">The values, as text.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class QuickValuesAttribute(string parameter, params string[] values) : Attribute
{
    /// <summary>The parameter's name.</summary>
    public string Parameter { get; } = parameter;

    /// <summary>The values, as text.</summary>
    public IReadOnlyList<string> Values { get; } = values;
}
