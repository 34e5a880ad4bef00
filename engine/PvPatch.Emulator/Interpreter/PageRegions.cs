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
    private readonly Dictionary<int, (TranslatedRegion Region, int Entry)> _entries = [];
    private readonly HashSet<ulong> _translated = [];
    private readonly HashSet<ulong> _refused = [];
    private readonly int[] _heat = new int[0x1000 >> HeatShift];

    /// <summary>
    /// An instruction was executed when somebody looked: how often that was so nearby. A page that changes again and again has to be
    /// looked at ever more often, since what is translated of it does not last.
    /// </summary>
    public int Heat(int offset) => ++_heat[offset >> HeatShift] >> Math.Min(page.Age, MostPatience);

    /// <summary>Whether an instruction is part of a region.</summary>
    public bool IsTranslated(ulong rip) => _translated.Contains(rip);

    /// <summary>Where the regions call sensitive ops.</summary>
    public IEnumerable<PatchedSite> SensitiveSites => _regions.SelectMany(region => region.SensitiveSites);

    /// <summary>Whether no region can start at an instruction.</summary>
    public bool IsRefused(ulong rip) => _refused.Contains(rip);

    /// <summary>No region can start at an instruction.</summary>
    public void Refuse(ulong rip) => _refused.Add(rip);

    /// <summary>From now on a region is entered at its entries, but for those where another one is.</summary>
    public void Install(TranslatedRegion region)
    {
        _regions.Add(region);
        _translated.UnionWith(region.Instructions);
        for (int entry = 0; entry < region.Entries.Count; entry++)
        {
            int offset = (int)(region.Entries[entry] & 0xfff);
            if (_entries.TryAdd(offset, (region, entry)))
                Enter(offset);
        }
    }

    /// <summary>Lets the decoded instruction at an offset, if there is one, enter the region that starts there, if one does.</summary>
    public void Enter(int offset)
    {
        if (_entries.TryGetValue(offset, out (TranslatedRegion Region, int Entry) found) && page[offset] != null)
            found.Region.EnterAt(page[offset], found.Entry);
    }

    /// <summary>Frees the regions. No code runs in them, and their page has no decoded instruction any more.</summary>
    public void Dispose()
    {
        foreach (TranslatedRegion region in _regions)
            region.Dispose();
    }
}
