using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Translator;
using PvPatch.Engine.Reports;

namespace PvPatch.Emulator.Interpreter;

/// <summary>The translated regions that have code of a page of decoded instructions; they live until one of their pages is reset.</summary>
/// <param name="page">The page.</param>
internal sealed unsafe class PageRegions(CodePage page)
{
    /// <summary>How often execution must be seen near a place before somebody thinks of translating it.</summary>
    private const int Hot = 6;

    /// <summary>Places nearer to each other than two to this power of bytes are looked at together.</summary>
    public const int HeatShift = 8;

    private const int MostPatience = 12;

    private readonly List<InstalledRegion> _regions = [];
    private readonly Dictionary<int, Entrance> _entrances = [];
    private readonly bool[] _translated = new bool[PageCode.Size];
    private readonly bool[] _refused = new bool[PageCode.Size];
    private readonly int[] _heat = new int[PageCode.Size >> HeatShift];
    private readonly int[] _postponed = new int[PageCode.Size >> HeatShift];

    /// <summary>
    /// An instruction was executed when somebody looked: whether that was so often nearby that it may be worth translating.
    /// </summary>
    public bool IsHot(int offset)
    {
        _heat[offset >> HeatShift]++;
        return Heat(offset) >= Math.Max(Hot, _postponed[offset >> HeatShift]);
    }

    /// <summary>
    /// How often execution was seen near an offset. A page that changes again and again has to be looked at ever more often, since what is
    /// translated of it does not last.
    /// </summary>
    public int Heat(int offset) => _heat[offset >> HeatShift] >> Math.Min(page.Age, MostPatience);

    /// <summary>It is not yet worth it: not before it was seen twice as often.</summary>
    public void Postpone(int offset) => _postponed[offset >> HeatShift] = 2 * Heat(offset);

    /// <summary>Whether the instruction at an offset is part of a region.</summary>
    public bool IsTranslated(int offset) => _translated[offset];

    /// <summary>Whether a region is entered at the instruction at an offset.</summary>
    public bool IsEntered(int offset) => _entrances.ContainsKey(offset);

    /// <summary>Where the regions that were made for this page call sensitive ops.</summary>
    public IEnumerable<PatchedSite> SensitiveSites => _regions.Where(region => region.Pages[0] == page).SelectMany(region => region.Code.SensitiveSites);

    /// <summary>Whether no region can start at an offset.</summary>
    public bool IsRefused(int offset) => _refused[offset];

    /// <summary>No region can start at an offset.</summary>
    public void Refuse(int offset) => _refused[offset] = true;

    /// <summary>From now on the region is entered at its entries in the page, but for those where another one is.</summary>
    public void Add(InstalledRegion region)
    {
        _regions.Add(region);
        Open(region);
    }

    /// <summary>From now on the region is not entered in the page.</summary>
    public void Remove(InstalledRegion region)
    {
        _regions.Remove(region);
        foreach (ulong rip in region.Code.Entries)
        {
            if (_entrances.TryGetValue(PageCode.OffsetOf(rip), out Entrance? entrance) && entrance.Region == region)
            {
                entrance.Leave();
                _entrances.Remove(PageCode.OffsetOf(rip));
            }
        }

        Array.Clear(_translated);
        foreach (InstalledRegion left in _regions)
            Open(left);
    }

    /// <summary>Lets the decoded instruction at an offset, if there is one, enter the region that starts there, if one does.</summary>
    public void Enter(int offset)
    {
        if (page[offset] != null && _entrances.TryGetValue(offset, out Entrance? found))
            found.Enter(page[offset]);
    }

    /// <summary>The page is no longer as it was: no region that has code of it is entered anywhere.</summary>
    public void Drop()
    {
        while (_regions.Count > 0)
            _regions[^1].Dispose();
    }

    private void Open(InstalledRegion region)
    {
        foreach (ulong rip in region.Code.Instructions)
        {
            if (PageCode.AreTogether(rip, page.Key.FirstRip))
                _translated[PageCode.OffsetOf(rip)] = true;
        }

        for (int entry = 0; entry < region.Code.Entries.Length; entry++)
        {
            ulong rip = region.Code.Entries[entry];
            if (PageCode.AreTogether(rip, page.Key.FirstRip) && _entrances.TryAdd(PageCode.OffsetOf(rip), new Entrance(region, entry)))
                Enter(PageCode.OffsetOf(rip));
        }
    }

    /// <summary>Where a region is entered, and what the interpreter does there.</summary>
    private sealed class Entrance(InstalledRegion region, int entry)
    {
        private DecodedInstruction* _entered;
        private delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> _handler;

        public InstalledRegion Region => region;

        public void Enter(DecodedInstruction* u)
        {
            _entered = u;
            _handler = u->Handler;
            region.Code.EnterAt(u, entry);
        }

        public void Leave()
        {
            if (_entered == null)
                return;
            _entered->Handler = _handler;
            _entered->Marks &= ~Marks.TakesWaitingFlags;
        }
    }
}
