using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace PvPatch.Perf.Reports;

/// <summary>
/// A drawing as SVG. Its colours are variables with a value for light and one for dark surroundings, so it reads well in both; fonts
/// are the reader's, nothing is loaded.
/// </summary>
internal sealed class SvgCanvas
{
    private const string Style = """
        .chart { --text: #1f2328; --dim: #59636e; --grid: #d1d9e0; --bar: #8c959f; --mark: #0969da; --one: #1a7f37; --two: #8250df; --three: #bc4c00; --four: #0969da; --five: #bf3989; font: 12px system-ui, sans-serif; }
        @media (prefers-color-scheme: dark) { .chart { --text: #f0f6fc; --dim: #9198a1; --grid: #3d444d; --bar: #656c76; --mark: #4493f8; --one: #3fb950; --two: #ab7df8; --three: #db6d28; --four: #4493f8; --five: #db61a2; } }
        .chart text { fill: var(--text); } .chart .dim { fill: var(--dim); } .chart .title { font-weight: 600; font-size: 14px; }
        .chart .grid, .chart .linear { stroke: var(--grid); } .chart .linear { stroke-dasharray: 2 5; stroke: var(--dim); stroke-opacity: .6; } .chart .error { stroke: var(--text); stroke-width: 1.2; } .chart .bar { fill: var(--bar); } .chart .mark { fill: var(--mark); }
        .chart polyline { fill: none; stroke-width: 2; }
        """;

    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private readonly XElement _root;

    /// <summary>An empty one.</summary>
    /// <param name="width">In pixels.</param>
    /// <param name="height">In pixels.</param>
    /// <param name="title">What it shows, also for those who cannot see it.</param>
    public SvgCanvas(double width, double height, string title)
    {
        _root = new XElement(
            Svg + "svg",
            new XAttribute("viewBox", $"0 0 {N(width)} {N(height)}"),
            new XAttribute("width", N(width)),
            new XAttribute("height", N(height)),
            new XAttribute("class", "chart"),
            new XAttribute("role", "img"),
            new XElement(Svg + "title", title),
            new XElement(Svg + "style", Style));
        Text(12, 22, title, "title");
    }

    /// <summary>A text.</summary>
    /// <param name="x">Where it is anchored.</param>
    /// <param name="y">Its base line.</param>
    /// <param name="text">The text.</param>
    /// <param name="look">A class of the style.</param>
    /// <param name="anchor"><c>start</c>, <c>middle</c> or <c>end</c>.</param>
    public void Text(double x, double y, string text, string look = "", string anchor = "start") =>
        Add("text", text, ("x", N(x)), ("y", N(y)), ("class", look), ("text-anchor", anchor));

    /// <summary>A line.</summary>
    public void Line(double x1, double y1, double x2, double y2, string look) =>
        Add("line", null, ("x1", N(x1)), ("y1", N(y1)), ("x2", N(x2)), ("y2", N(y2)), ("class", look));

    /// <summary>A line in the colour of a broken line.</summary>
    public void ColouredLine(double x1, double y1, double x2, double y2, string colour) =>
        Add("line", null, ("x1", N(x1)), ("y1", N(y1)), ("x2", N(x2)), ("y2", N(y2)), ("style", $"stroke: var(--{colour})"));

    /// <summary>A rectangle with a text that shows when one points at it.</summary>
    public void Bar(double x, double y, double width, double height, string look, string tip) =>
        _root.Add(new XElement(
            Svg + "rect", new XAttribute("x", N(x)), new XAttribute("y", N(y)), new XAttribute("width", N(width)), new XAttribute("height", N(height)),
            new XAttribute("rx", 2), new XAttribute("class", look), new XElement(Svg + "title", tip)));

    /// <summary>A broken line with a point at each corner.</summary>
    /// <param name="points">The corners.</param>
    /// <param name="colour">The word of a colour: <c>one</c> to <c>five</c>.</param>
    public void Path(IReadOnlyList<(double X, double Y)> points, string colour)
    {
        Add("polyline", null, ("points", string.Join(' ', points.Select(p => $"{N(p.X)},{N(p.Y)}"))), ("style", $"stroke: var(--{colour})"));
        foreach ((double x, double y) in points)
            Add("circle", null, ("cx", N(x)), ("cy", N(y)), ("r", "3"), ("style", $"fill: var(--{colour})"));
    }

    /// <summary>A text in the colour of a line.</summary>
    public void ColouredText(double x, double y, string text, string colour) =>
        Add("text", text, ("x", N(x)), ("y", N(y)), ("style", $"fill: var(--{colour})"));

    /// <summary>The document.</summary>
    public override string ToString() => _root.ToString(SaveOptions.None).ReplaceLineEndings("\n") + "\n";

    private void Add(string element, string? text, params (string Name, string Value)[] attributes) =>
        _root.Add(new XElement(Svg + element, attributes.Where(a => a.Value.Length > 0).Select(a => new XAttribute(a.Name, a.Value)), Valid(text)));

    /// <summary>Without characters that XML cannot have.</summary>
    private static string? Valid(string? text) => text is null ? null : new StringBuilder().AppendJoin("", text.Where(c => c >= ' ' && !char.IsSurrogate(c))).ToString();

    private static string N(double number) => number.ToString("0.##", CultureInfo.InvariantCulture);
}
