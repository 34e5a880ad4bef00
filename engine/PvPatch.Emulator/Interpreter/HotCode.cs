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
    /// <param name="heat">How often it must be asked for, and then what was never executed is left out; 0 translates all at once.</param>
    public void Translate(ulong rip, AccessMode mode, int heat)
    {
        if (code.CodeWidth != Marks.Code64 || !code.TryFindPage(rip, mode, out CodePage? page, out byte* bytes))
            return;
        int offset = PageCode.OffsetOf(rip);
        if (page.Regions.IsRefused(offset) || page.Regions.IsEntered(offset) || (heat == 0 && page.Regions.IsTranslated(offset)))
            return;
        if (heat > 0 && (page.Regions.Heat(offset) < heat || Translations.IsBusy))
            return;
        var pages = new List<CodePage> { page };
        RegionCode around = CodeAround(Copy(page, bytes), mode, pages, address => hooks.Touch(address, address) || (heat > 0 && !WasDecoded(address, pages)));
        if (!RegionCompiler.IsPossible || RegionCompiler.Find(around, rip) is not { } region)
        {
            page.Regions.Refuse(offset);
            return;
        }

        foreach (RegionBlock block in region.Blocks)
            NoteDecoded(block, pages);

        CpuState* state = cpu;
        SensitiveCalls? calls = sensitive;
        Translations.Want(pages, () => RegionCompiler.Compile(state, region, around, calls), atOnce: heat == 0);
    }

    /// <summary>What becomes of the code at an address that was fetched; nothing of it is installed, and no hook is minded.</summary>
    /// <exception cref="InvalidOperationException">It is no 64-bit code in RAM.</exception>
    public ExplainedRegion Explain(ulong rip, AccessMode mode)
    {
        if (code.CodeWidth != Marks.Code64 || !code.TryFindPage(rip, mode, out CodePage? page, out byte* bytes))
            throw new InvalidOperationException($"There is no 64-bit code to translate at 0x{rip:x}.");
        return RegionExplainer.Explain(cpu, CodeAround(Copy(page, bytes), mode, [], static _ => false), rip, sensitive);
    }

    /// <summary>Waits for what is being compiled and drops it.</summary>
    public void Dispose() => Translations.Dispose();

    /// <summary>The code that a region may be made of: a page, and others that are asked for, if execution was there.</summary>
    /// <param name="page">The page.</param>
    /// <param name="mode">The privilege of fetches.</param>
    /// <param name="pages">Takes the others.</param>
    /// <param name="isHooked">Whether somebody wants to be called before the instruction at an address.</param>
    private RegionCode CodeAround(PageCode page, AccessMode mode, List<CodePage> pages, Func<ulong, bool> isHooked) => new(
        page,
        firstRip =>
        {
            if (!code.TryRecallPage(firstRip, mode, out CodePage? found, out byte* bytes) || found.Age > MostChanges)
                return null;
            pages.Add(found);
            return Copy(found, bytes);
        },
        isHooked);

    private static PageCode Copy(CodePage page, byte* bytes) =>
        // SAFETY: the TLB vouches for a page of RAM at bytes.
        new(new ReadOnlySpan<byte>(bytes, PageCode.Size).ToArray(), page.Key.FirstRip, (bool[])page.Sought.Clone(), page.FetchedIn);

    private static bool WasDecoded(ulong rip, List<CodePage> pages)
    {
        foreach (CodePage page in pages)
        {
            if (PageCode.AreTogether(page.Key.FirstRip, rip))
                return page[PageCode.OffsetOf(rip)] != null;
        }

        return false;
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
