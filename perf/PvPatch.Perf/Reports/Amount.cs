using System.Globalization;
using PvPatch.Perf.Results;
using PvPatch.Perf.Statistics;

namespace PvPatch.Perf.Reports;

/// <summary>Figures as people read them: three digits, a unit that fits.</summary>
internal static class Amount
{
    /// <summary>A time.</summary>
    public static string Time(double nanoseconds) => nanoseconds switch
    {
        < 1e3 => $"{Digits(nanoseconds)} ns",
        < 1e6 => $"{Digits(nanoseconds / 1e3)} µs",
        < 1e9 => $"{Digits(nanoseconds / 1e6)} ms",
        _ => $"{Digits(nanoseconds / 1e9)} s",
    };

    /// <summary>A row's time with what it may be off by.</summary>
    public static string Time(RowResult row) => row switch
    {
        { Nanoseconds: { } time } => $"{Time(time.Median)} ±{time.RelativeWidth / 2:P0}",
        { Unavailable: not null } => "unavailable",
        _ => "failed",
    };

    /// <summary>A ratio; with a mark where its interval says that it is not to be relied on.</summary>
    public static string Ratio(RowResult row) => row switch
    {
        { IsBaseline: true } => "1",
        { Ratio: { } ratio } => Digits(ratio.Median) + (ratio.IsWide ? " ?" : ""),
        _ => "",
    };

    /// <summary>The interval of a ratio.</summary>
    public static string Range(Interval? ratio) => ratio is { } r ? $"{Digits(r.Low)} to {Digits(r.High)}" : "";

    /// <summary>A number of bytes; nothing for none known.</summary>
    public static string Bytes(double? bytes) => bytes is { } b ? b.ToString("0.##", CultureInfo.InvariantCulture) : "";

    /// <summary>The size of the code, with a sign where it is that of the baseline.</summary>
    public static string Code(MachineCode? code) => code is null ? "" : $"{code.Bytes}{(code.SameAsBaseline is true ? " =" : "")}";

    /// <summary>Something a second.</summary>
    public static string Rate(double perSecond) => perSecond switch
    {
        < 1e3 => $"{Digits(perSecond)}/s",
        < 1e6 => $"{Digits(perSecond / 1e3)} k/s",
        _ => $"{Digits(perSecond / 1e6)} M/s",
    };

    /// <summary>Three digits.</summary>
    public static string Digits(double value) => Math.Abs(value) switch
    {
        < 10 => value.ToString("0.00", CultureInfo.InvariantCulture),
        < 100 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.ToString("#,0", CultureInfo.InvariantCulture),
    };
}
