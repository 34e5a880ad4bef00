using PvPatch.Emulator.Translator;
using PvPatch.Engine.Reports;

namespace PvPatch.Emulator.Interpreter;

/// <summary>The translated regions of a page of decoded instructions; they live until the page is reset.</summary>
/// <param name="page">The page.</param>
internal sealed unsafe class PageRegions(CodePage page) : IDisposable
{
    private const int HeatShift = 8;
    private const int MostPatience = 12;

    private readonly List<TranslatedRegion> _regions = [];
    private readonly Dictionary<int, Entrance> _entrances = [];
    private readonly bool[] _translated = new bool[PageCode.Size];
    private readonly bool[] _refused = new bool[PageCode.Size];
    private readonly int[] _heat = new int[PageCode.Size >> HeatShift];

    /// <summary>
    /// An instruction was executed when somebody looked: how often that was so nearby. A page that changes again and again has to be
    /// looked at ever more often, since what is translated of it does not last.
    /// </summary>
    public int Heat(int offset) => ++_heat[offset >> HeatShift] >> Math.Min(page.Age, MostPatience);

    /// <summary>Whether the instruction at an offset is part of a region.</summary>
    public bool IsTranslated(int offset) => _translated[offset];

    /// <summary>Whether a region is entered at the instruction at an offset.</summary>
    public bool IsEntered(int offset) => _entrances.ContainsKey(offset);

    /// <summary>Where the regions call sensitive ops.</summary>
    public IEnumerable<PatchedSite> SensitiveSites => _regions.SelectMany(region => region.SensitiveSites);

    /// <summary>Whether no region can start at an offset.</summary>
    public bool IsRefused(int offset) => _refused[offset];

    /// <summary>No region can start at an offset.</summary>
    public void Refuse(int offset) => _refused[offset] = true;

    /// <summary>From now on a region is entered at its entries, but for those where another one is.</summary>
    public void Install(TranslatedRegion region)
    {
        _regions.Add(region);
        foreach (int offset in region.Instructions)
            _translated[offset] = true;
        for (int entry = 0; entry < region.Entries.Length; entry++)
        {
            int offset = region.Entries[entry];
            if (_entrances.TryAdd(offset, new Entrance(region, entry)))
                Enter(offset);
        }
    }

    /// <summary>Lets the decoded instruction at an offset, if there is one, enter the region that starts there, if one does.</summary>
    public void Enter(int offset)
    {
        if (page[offset] != null && _entrances.TryGetValue(offset, out Entrance? found))
            found.Region.EnterAt(page[offset], found.Entry);
    }

    /// <summary>Frees the regions. No code runs in them, and their page has no decoded instruction any more.</summary>
    public void Dispose()
    {
        foreach (TranslatedRegion region in _regions)
            region.Dispose();
    }

    private sealed record Entrance(TranslatedRegion Region, int Entry);
}
