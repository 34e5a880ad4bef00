using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Iced.Intel;
using PvPatch.Emulator.Hooks;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Translator;
using PvPatch.Engine.Reports;

namespace PvPatch.Emulator.Interpreter;

/// <summary>
/// The decoded instructions of one CPU, page by page. A page is decoded run by run: from an address that is executed to the
/// next branch that never falls through, the end of the page, or what is decoded already. Bytes that were decoded are
/// noted in <see cref="CodePages"/>; when they change, the page's version tells, and it is decoded anew.
/// </summary>
internal sealed unsafe class CodeCache : IDisposable
{
    private const int LongestRun = 64;
    private const int MostPages = 4096;
    private const ulong NoAddress = 1ul << 62;

    private readonly CpuState* _cpu;
    private readonly HookRanges<InstructionHook> _hooks;
    private readonly SensitiveCalls? _sensitive;
    private readonly ulong* _jumpCaches;
    private readonly int[] _known = new int[2 * ControlFlow.JumpCacheEntries];
    private readonly Dictionary<CodePageKey, CodePage> _pages = [];
    private readonly CodeDecoder _decoder = new();
    private readonly Instruction[] _run = new Instruction[LongestRun];
    private readonly StraddlingCode _straddling;
    private int _knownCount;
    private int _knownHooks;
    private int _knownTargets;
    private SensitiveOps* _knownSlots;
    private ulong _knownGeneration;
    private Marks _knownWidth;
    private ulong _knownBase;
    private uint _knownLimit;

    public CodeCache(CpuState* cpu, HookRanges<InstructionHook> hooks, SensitiveCalls? sensitive)
    {
        _cpu = cpu;
        _hooks = hooks;
        _sensitive = sensitive;
        _knownHooks = hooks.Version;
        _knownTargets = sensitive?.Version ?? 0;
        _knownSlots = cpu->Sensitive;
        // SAFETY: two caches of pairs; Dispose releases them.
        _jumpCaches = (ulong*)NativeMemory.AlignedAlloc(2 * ControlFlow.JumpCacheEntries * 16, 64);
        for (int i = 0; i < 2 * ControlFlow.JumpCacheEntries; i++)
            _jumpCaches[2 * i] = NoAddress;
        _straddling = new StraddlingCode(cpu, hooks, _decoder);
        ForgetAddresses();
    }

    /// <summary>The width of the code that CS now selects.</summary>
    public Marks CodeWidth
    {
        get
        {
            if ((_cpu->Efer & EferBits.LongModeActive) != 0 && (_cpu->Cs.Attributes & SegmentAttributes.Long) != 0)
                return Marks.Code64;
            return (_cpu->Cs.Attributes & SegmentAttributes.Big) != 0 ? Marks.Code32 : Marks.None;
        }
    }

    /// <summary>Gives the CPU the jump cache and the epoch of user or supervisor code.</summary>
    public void Serve(bool user)
    {
        // SAFETY: the second cache stands behind the first one.
        _cpu->JumpCache = _jumpCaches + (user ? 2 * ControlFlow.JumpCacheEntries : 0);
        _cpu->FetchEpoch = (_cpu->FetchEpoch & ~1ul) | (user ? 1ul : 0);
    }

    /// <summary>Forgets all decoded instructions if hooks changed since the last call.</summary>
    public void FollowHooks()
    {
        if (_hooks.Version == _knownHooks)
            return;
        _knownHooks = _hooks.Version;
        ForgetPages();
        _straddling.Forget();
    }

    /// <summary>Forgets what was translated if other sensitive ops were installed since the last call: it is bound to those before.</summary>
    public void FollowSensitive()
    {
        if (!HasOtherTargets)
            return;
        _knownTargets = _sensitive!.Version;
        _knownSlots = _cpu->Sensitive;
        ForgetPages();
    }

    /// <summary>Whether a hook, a sensitive op or a translation is no longer as the decoded instructions that are executed have it.</summary>
    public bool IsStale =>
        _hooks.Version != _knownHooks || HasOtherTargets || _cpu->TlbGeneration != _knownGeneration;

    private bool HasOtherTargets => _sensitive != null && (_sensitive.Version != _knownTargets || _cpu->Sensitive != _knownSlots);

    /// <summary>Where translated code calls sensitive ops, by address: each once, though several regions may have it.</summary>
    public IEnumerable<PatchedSite> SensitiveSites => _pages.Values.SelectMany(page => page.Regions.SensitiveSites).DistinctBy(site => site.Method + site.Op, StringComparer.Ordinal);

    /// <summary>Forgets where addresses lead, if translations, the width of the code, its base or its limit changed since the last call.</summary>
    public void FollowTranslations()
    {
        Marks width = CodeWidth;
        ulong codeBase = width == Marks.Code64 ? 0 : _cpu->Cs.Base;
        uint limit = width == Marks.Code64 ? uint.MaxValue : _cpu->Cs.Limit;
        if (_cpu->TlbGeneration == _knownGeneration && width == _knownWidth && codeBase == _knownBase && limit == _knownLimit)
            return;
        _knownGeneration = _cpu->TlbGeneration;
        _knownWidth = width;
        _knownBase = codeBase;
        _knownLimit = limit;
        ForgetAddresses();
    }

    /// <summary>Forgets where addresses lead: decoded bytes, the mode or translations changed.</summary>
    public void ForgetAddresses()
    {
        _cpu->FetchEpoch += 2;
        for (; _knownCount > 0; _knownCount--)
        {
            // SAFETY: Find notes indices of pairs of both caches.
            _jumpCaches[2 * _known[_knownCount - 1]] = NoAddress;
        }
    }

    /// <summary>The linear address of an instruction.</summary>
    public ulong Linear(ulong rip) => CodeWidth == Marks.Code64 ? rip : (uint)(_cpu->Cs.Base + rip);

    /// <summary>The instruction at RIP, decoded; null with the fault of its fetch.</summary>
    /// <param name="rip">RIP, EIP or IP.</param>
    /// <param name="mode">The privilege of the fetch.</param>
    /// <param name="isSought">An indirect jump or call led here.</param>
    /// <param name="fault">The exception of the fetch.</param>
    public DecodedInstruction* Find(ulong rip, AccessMode mode, bool isSought, out MemoryFault fault)
    {
        Marks width = CodeWidth;
        ulong linear = Linear(rip);
        if (width != Marks.Code64 && rip > _cpu->Cs.Limit)
        {
            fault = new MemoryFault(MemoryFault.GeneralProtection, 0, linear);
            return null;
        }

        fault = default;
        byte* host = Tlb.ForExecute(Tlb.Table(_cpu, mode), linear);
        ulong physical = host == null ? 0 : Tlb.Physical(_cpu, mode, linear);
        if (host == null && !Tlb.TryFill(_cpu, linear, AccessKind.Execute, mode, out physical, out host, out fault))
            return null;
        if (host == null || !CodePages.Covers(_cpu, physical))
            return _straddling.Find(rip, linear, InSegment(rip, width, CodeDecoder.LongestInstruction), mode, width, out fault);

        int offset = (int)(linear & 0xfff);
        int end = offset + InSegment(rip, width, 0x1000 - offset);
        CodePage page = Page(new CodePageKey(physical & Tlb.PageMask, rip - (uint)offset, width, end));
        *page.FetchedIn = _cpu->FetchEpoch;
        DecodedInstruction* found = page[offset];
        if (found == null)
            found = DecodeRun(page, host, physical, rip, width, end);
        if (found->Length == 0)
            return _straddling.Find(rip, linear, InSegment(rip, width, CodeDecoder.LongestInstruction), mode, width, out fault);

        found->IsSought |= isSought;
        ulong* entry = _cpu->JumpCache + (2 * ((rip ^ (rip >> 12)) & (ControlFlow.JumpCacheEntries - 1)));
        if (entry[0] == NoAddress)
            _known[_knownCount++] = (int)((entry - _jumpCaches) / 2);
        entry[1] = (ulong)found;
        entry[0] = rip;
        return found;
    }

    public void Dispose()
    {
        foreach (CodePage page in _pages.Values)
            page.Dispose();
        _straddling.Dispose();
        // SAFETY: the constructor made the block.
        NativeMemory.AlignedFree(_jumpCaches);
    }

    /// <summary>The page of 64-bit code that an address lies in, if it is RAM and some of it was decoded already, and its bytes.</summary>
    public bool TryFindPage(ulong rip, AccessMode mode, [NotNullWhen(true)] out CodePage? page, out byte* bytes)
    {
        // Data may have taken the TLB's entry for the code.
        page = null;
        bytes = Tlb.ForExecute(Tlb.Table(_cpu, mode), rip & Tlb.PageMask);
        ulong physical = bytes == null ? 0 : Tlb.Physical(_cpu, mode, rip & Tlb.PageMask);
        if (bytes == null && (!Tlb.TryFill(_cpu, rip & Tlb.PageMask, AccessKind.Execute, mode, out physical, out bytes, out _) || bytes == null))
            return false;
        if (!CodePages.Covers(_cpu, physical))
            return false;
        page = Page(KeyOf64(physical, rip));
        return true;
    }

    /// <summary>The same without a change of anything: only if the TLB has the page, and its code is as it was when it was decoded.</summary>
    public bool TryRecallPage(ulong rip, AccessMode mode, [NotNullWhen(true)] out CodePage? page, out byte* bytes)
    {
        page = null;
        bytes = Tlb.ForExecute(Tlb.Table(_cpu, mode), rip & Tlb.PageMask);
        return bytes != null && Tlb.Physical(_cpu, mode, rip) is var physical && _pages.TryGetValue(KeyOf64(physical, rip), out page) &&
            page.Version == CodePages.Version(_cpu, physical);
    }

    private static CodePageKey KeyOf64(ulong physical, ulong rip) => new(physical & Tlb.PageMask, rip & Tlb.PageMask, Marks.Code64, PageCode.Size);

    private CodePage Page(CodePageKey key)
    {
        uint version = CodePages.Version(_cpu, key.Physical);
        if (!_pages.TryGetValue(key, out CodePage? page))
        {
            if (_pages.Count == MostPages)
                ForgetPages();
            page = new CodePage(key, version);
            _pages.Add(key, page);
        }
        else if (page.Version != version)
        {
            ForgetAddresses();
            page.Reset(version);
        }

        return page;
    }

    /// <summary>Forgets all decoded instructions, and what was translated of them.</summary>
    public void ForgetPages()
    {
        ForgetAddresses();
        foreach (CodePage page in _pages.Values)
            page.Dispose();
        _pages.Clear();
    }

    /// <summary>How many of some bytes at RIP the code segment's limit lets be fetched.</summary>
    private int InSegment(ulong rip, Marks width, int bytes) =>
        width == Marks.Code64 ? bytes : (int)Math.Min((ulong)bytes, (ulong)_cpu->Cs.Limit - rip + 1);

    private DecodedInstruction* DecodeRun(CodePage page, byte* host, ulong physical, ulong rip, Marks width, int end)
    {
        int first = (int)(physical & 0xfff);
        int offset = first;
        bool ends = false;
        bool straddles = false;
        Decoder decoder = _decoder.Start(host, end - first, rip, width);
        int count = 0;
        while (!ends && count < LongestRun && offset < end && (count == 0 || page[offset] == null))
        {
            ref Instruction instruction = ref _run[count];
            decoder.Decode(out instruction);
            if (decoder.LastError == DecoderError.NoMoreBytes)
            {
                straddles = true;
                break;
            }

            // Iced stops an invalid instruction at the byte that made it so; the rest is not looked at.
            count++;
            offset += instruction.Length;
            ends = instruction.IsInvalid || NeverFallsThrough(instruction.FlowControl);
        }

        DecodedInstruction* block = page.Allocate(count + 1);
        int place = first;
        for (int i = 0; i < count; i++)
        {
            ref Instruction instruction = ref _run[i];
            OperandDecoder.Fill(_cpu, instruction, host + (place - first), width, block + i);
            if (instruction.IsInvalid)
                block[i].Handler = instruction.Length >= CodeDecoder.LongestInstruction ? &Faults.TooLong : &Faults.InvalidOpcode;
            if (_hooks.Touch(block[i].Rip, block[i].Rip))
                HookedInstruction.Put(block + i, page.Allocate(2));
            page[place] = block + i;
            page.Enter(place);
            place += instruction.Length;
        }

        CodePages.Decoded(_cpu, physical, (straddles ? end : place) - first);
        ulong behind = rip + (ulong)(place - first);
        DecodedInstruction* last = block + count;
        *last = new DecodedInstruction { Rip = width == Marks.Code64 ? behind : (uint)behind, Marks = width };
        if (straddles)
        {
            last->Handler = &Faults.Straddling;
            page[place] = last;
        }
        else
        {
            last->Handler = &ControlFlow.Continue;
            last->Target = place < end && !ends ? page[place] : null;
            last->Length = 1;
        }

        return block;
    }

    private static bool NeverFallsThrough(FlowControl flow) =>
        flow is not (FlowControl.Next or FlowControl.ConditionalBranch or FlowControl.XbeginXabortXend);
}
