using PvPatch.Emulator.Hooks;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Translator;

namespace PvPatch.Emulator.Interpreter;

/// <summary>Has the decoded code that is executed often translated, with the code of other pages that belongs to it.</summary>
internal sealed unsafe class HotCode(CpuState* cpu, CodeCache code, HookRanges<InstructionHook> hooks, SensitiveCalls? sensitive) : IDisposable
{
    /// <summary>A page that changed more often is in no region of another one, which would not last.</summary>
    private const int MostChanges = 3;

    /// <summary>A region may have so many instructions for each look that found execution in it: more wait too long, fewer are compiled for nothing (measured).</summary>
    private const int InstructionsPerLook = 4;

    /// <summary>What compiles regions.</summary>
    public Translations Translations { get; } = new();

    /// <summary>Lets what was translated meanwhile be executed. If there is too much of it, all is forgotten.</summary>
    public void FollowTranslator()
    {
        if (Translations.IsReady)
            Translations.Take();
        if (Translations.IsFull)
        {
            code.ForgetPages();
            Translations.Forgotten();
        }
    }

    /// <summary>Whether an instruction that was decoded is part of a translated region.</summary>
    public bool IsTranslated(ulong rip, AccessMode mode) =>
        code.CodeWidth == Marks.Code64 && code.TryFindPage(rip, mode, out CodePage? page, out _) && page.Regions.IsTranslated(PageCode.OffsetOf(rip));

    /// <summary>Translates what is around an instruction that was decoded, unless that was tried before.</summary>
    /// <param name="rip">The instruction's address.</param>
    /// <param name="mode">The privilege of its fetch.</param>
    /// <param name="atOnce">Not only if execution was seen there often enough, and code that was never decoded too.</param>
    public void Translate(ulong rip, AccessMode mode, bool atOnce)
    {
        if (code.CodeWidth != Marks.Code64 || !code.TryFindPage(rip, mode, out CodePage? page, out byte* bytes))
            return;
        int offset = PageCode.OffsetOf(rip);
        if (page.Regions.IsRefused(offset) || page.Regions.IsEntered(offset) || (atOnce && page.Regions.IsTranslated(offset)))
            return;
        if (!atOnce && (!page.Regions.IsHot(offset) || Translations.IsBusy))
            return;
        var pages = new List<CodePage> { page };
        RegionCode around = CodeAround(page, bytes, mode, pages, all: atOnce, address => hooks.Touch(address, address));
        if (!RegionCompiler.IsPossible || RegionCompiler.Find(around, rip) is not { } region)
        {
            page.Regions.Refuse(offset);
            return;
        }

        if (!atOnce && !IsWorth(region, pages))
        {
            page.Regions.Postpone(offset);
            return;
        }

        if (region.At(rip) is not { IsEntry: true })
            page.Regions.Refuse(offset);
        foreach (RegionBlock block in region.Blocks)
            NoteDecoded(block, pages);

        CpuState* state = cpu;
        SensitiveCalls? calls = sensitive;
        Translations.Want(pages, () => RegionCompiler.Compile(state, region, around, calls), atOnce);
    }

    /// <summary>What becomes of the code at an address that was fetched; nothing of it is installed, and no hook is minded.</summary>
    /// <exception cref="InvalidOperationException">It is no 64-bit code in RAM.</exception>
    public ExplainedRegion Explain(ulong rip, AccessMode mode)
    {
        if (code.CodeWidth != Marks.Code64 || !code.TryFindPage(rip, mode, out CodePage? page, out byte* bytes))
            throw new InvalidOperationException($"There is no 64-bit code to translate at 0x{rip:x}.");
        return RegionExplainer.Explain(cpu, CodeAround(page, bytes, mode, [], all: true, static _ => false), rip, sensitive);
    }

    /// <summary>Waits for what is being compiled and drops it.</summary>
    public void Dispose() => Translations.Dispose();

    /// <summary>The code that a region may be made of: a page, and others that are asked for, if execution was there.</summary>
    /// <param name="page">The page.</param>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="mode">The privilege of fetches.</param>
    /// <param name="pages">Takes the others.</param>
    /// <param name="all">Not only instructions that were decoded since they, or those before them, were executed.</param>
    /// <param name="isHooked">Whether somebody wants to be called before the instruction at an address.</param>
    private RegionCode CodeAround(CodePage page, byte* bytes, AccessMode mode, List<CodePage> pages, bool all, Func<ulong, bool> isHooked) => new(
        Copy(page, bytes, all),
        firstRip =>
        {
            if (!code.TryRecallPage(firstRip, mode, out CodePage? found, out byte* others) || found.Age > MostChanges)
                return null;
            pages.Add(found);
            return Copy(found, others, all);
        },
        isHooked);

    private static PageCode Copy(CodePage page, byte* bytes, bool all)
    {
        bool[] decoded = new bool[PageCode.Size];
        bool[] sought = new bool[PageCode.Size];
        bool[] translated = new bool[PageCode.Size];
        for (int offset = 0; offset < PageCode.Size; offset++)
        {
            if (page[offset] == null)
                continue;
            decoded[offset] = true;
            sought[offset] = page[offset]->IsSought;
            translated[offset] = page.Regions.IsTranslated(offset);
        }

        // SAFETY: the TLB vouches for a page of RAM at bytes.
        return new PageCode(new ReadOnlySpan<byte>(bytes, PageCode.Size).ToArray(), page.Key.FirstRip, sought, all ? null : decoded, translated, page.FetchedIn);
    }

    /// <summary>
    /// Whether execution was seen in a region often enough for its size. To compile an instruction, the runtime takes as long as the interpreter
    /// takes for what it executes between two or three looks: code that is executed no longer than that is better left to the interpreter.
    /// </summary>
    private static bool IsWorth(Region region, List<CodePage> pages)
    {
        int seen = 0;
        int instructions = 0;
        foreach (CodePage page in pages)
        {
            int last = -1;
            foreach (RegionBlock block in region.Blocks)
            {
                if (!PageCode.AreTogether(block.Start, page.Key.FirstRip))
                    continue;
                instructions += block.Instructions.Length;
                int place = PageCode.OffsetOf(block.Start) >> PageRegions.HeatShift;
                if (place != last)
                    seen += page.Regions.Heat(PageCode.OffsetOf(block.Start));
                last = place;
            }
        }

        return InstructionsPerLook * seen >= instructions;
    }

    /// <summary>Writes to the bytes of a block must be seen from now on.</summary>
    private void NoteDecoded(RegionBlock block, List<CodePage> pages)
    {
        foreach (CodePage page in pages)
        {
            ulong start = Math.Max(block.Start, page.Key.FirstRip);
            ulong end = Math.Min(block.End, page.Key.FirstRip + PageCode.Size);
            if (start < end)
                CodePages.Decoded(cpu, page.Key.Physical | (start & ~Tlb.PageMask), (int)(end - start));
        }
    }
}
