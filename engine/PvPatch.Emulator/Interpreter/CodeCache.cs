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
/// An instruction in two pages is not kept by address: its bytes are fetched and compared each time.
/// </summary>
internal sealed unsafe class CodeCache : IDisposable
{
    private const int LongestRun = 64;
    private const int MostPages = 4096;
    private const int LongestInstruction = 15;
    private const ulong NoAddress = 1ul << 62;

    private readonly CpuState* _cpu;
    private readonly HookRanges<InstructionHook> _hooks;
    private readonly SensitiveCalls? _sensitive;
    private readonly ulong* _jumpCaches;
    private readonly Dictionary<CodePageKey, CodePage> _pages = [];
    private readonly PageReader _reader = new();
    private readonly Decoder _decoder64;
    private readonly Decoder _decoder32;
    private readonly Decoder _decoder16;
    private readonly Instruction[] _run = new Instruction[LongestRun];
    private readonly Dictionary<StraddlingKey, CodePage> _straddling = [];
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
        _decoder64 = Decoder.Create(64, _reader);
        _decoder32 = Decoder.Create(32, _reader);
        _decoder16 = Decoder.Create(16, _reader);
        ForgetAddresses();
    }

    /// <summary>What compiles regions.</summary>
    public Translations Translations { get; } = new();

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

    /// <summary>The jump cache of user or supervisor code.</summary>
    public ulong* JumpCache(bool user) => _jumpCaches + (user ? 2 * ControlFlow.JumpCacheEntries : 0);

    /// <summary>Forgets all decoded instructions if hooks changed since the last call.</summary>
    public void FollowHooks()
    {
        if (_hooks.Version == _knownHooks)
            return;
        _knownHooks = _hooks.Version;
        ForgetPages();
        ForgetStraddling();
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
    public IEnumerable<PatchedSite> SensitiveSites => _pages.Values.SelectMany(page => page.Regions.SensitiveSites).DistinctBy(site => site.Method + site.Op);

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
        for (int i = 0; i < 2 * ControlFlow.JumpCacheEntries; i++)
        {
            // SAFETY: both caches together have twice as many pairs.
            _jumpCaches[2 * i] = NoAddress;
        }
    }

    /// <summary>The linear address of an instruction.</summary>
    public ulong Linear(ulong rip) => CodeWidth == Marks.Code64 ? rip : (uint)(_cpu->Cs.Base + rip);

    /// <summary>The instruction at RIP, decoded; null with the fault of its fetch.</summary>
    public DecodedInstruction* Find(ulong rip, AccessMode mode, out MemoryFault fault)
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
            return Straddling(rip, linear, mode, width, out fault);

        int offset = (int)(linear & 0xfff);
        int end = offset + InSegment(rip, width, 0x1000 - offset);
        CodePage page = Page(new CodePageKey(physical & Tlb.PageMask, rip - (uint)offset, width, end));
        DecodedInstruction* found = page[offset];
        if (found == null)
            found = DecodeRun(page, host, physical, rip, width, end);
        if (found->Length == 0)
            return Straddling(rip, linear, mode, width, out fault);

        page.Sought[offset] = true;
        ulong* entry = _cpu->JumpCache + (2 * ((rip ^ (rip >> 12)) & (ControlFlow.JumpCacheEntries - 1)));
        entry[1] = (ulong)found;
        entry[0] = rip;
        return found;
    }

    /// <summary>Lets what was translated meanwhile be executed. If there is too much of it, all is forgotten.</summary>
    public void FollowTranslator()
    {
        if (Translations.IsReady)
            Translations.Take();
        if (Translations.IsFull)
        {
            ForgetPages();
            Translations.Forgotten();
        }
    }

    /// <summary>Whether an instruction that was decoded is part of a translated region.</summary>
    public bool IsTranslated(ulong rip, AccessMode mode) =>
        CodeWidth == Marks.Code64 && TryFindPage(rip, mode, out CodePage? page, out _, out _) && page.Regions.IsTranslated(PageCode.OffsetOf(rip));

    /// <summary>Translates what is around an instruction that was decoded, unless that was tried before.</summary>
    /// <param name="rip">The instruction's address.</param>
    /// <param name="mode">The privilege of its fetch.</param>
    /// <param name="heat">How often it must be asked for; 0 translates it at once.</param>
    public void Translate(ulong rip, AccessMode mode, int heat)
    {
        if (CodeWidth != Marks.Code64 || !TryFindPage(rip, mode, out CodePage? page, out byte* host, out ulong physical))
            return;
        int offset = PageCode.OffsetOf(rip);
        if (page.Regions.IsRefused(offset) || page.Regions.IsEntered(offset) || (heat == 0 && page.Regions.IsTranslated(offset)))
            return;
        if (heat > 0 && (page.Regions.Heat(offset) < heat || Translations.IsBusy))
            return;
        PageCode code = CodeAround(rip, host, (bool[])page.Sought.Clone(), address => _hooks.Touch(address, address) || (heat > 0 && page[PageCode.OffsetOf(address)] == null));
        if (!RegionCompiler.IsPossible || RegionCompiler.Find(code, rip) is not { } region)
        {
            page.Regions.Refuse(offset);
            return;
        }

        foreach (RegionBlock block in region.Blocks)
            CodePages.Decoded(_cpu, (physical & Tlb.PageMask) | (block.Start & 0xfff), (int)(block.End - block.Start));

        CpuState* cpu = _cpu;
        SensitiveCalls? sensitive = _sensitive;
        Translations.Want(page, () => RegionCompiler.Compile(cpu, region, code, sensitive), atOnce: heat == 0);
    }

    /// <summary>What becomes of the code at an address that was fetched; nothing of it is installed, and no hook is minded.</summary>
    /// <exception cref="InvalidOperationException">It is no 64-bit code in RAM.</exception>
    public ExplainedRegion Explain(ulong rip, AccessMode mode)
    {
        if (CodeWidth != Marks.Code64 || !TryFindPage(rip, mode, out CodePage? page, out byte* host, out _))
            throw new InvalidOperationException($"There is no 64-bit code to translate at 0x{rip:x}.");
        return RegionExplainer.Explain(_cpu, CodeAround(rip, host, (bool[])page.Sought.Clone(), static _ => false), rip, _sensitive);
    }

    public void Dispose()
    {
        Translations.Dispose();
        foreach (CodePage page in _pages.Values.Concat(_straddling.Values))
            page.Dispose();
        // SAFETY: the constructor made the block.
        NativeMemory.AlignedFree(_jumpCaches);
    }

    /// <summary>A copy of the page around an address.</summary>
    private static PageCode CodeAround(ulong rip, byte* host, bool[] sought, Func<ulong, bool> isHooked) =>
        new(new ReadOnlySpan<byte>(host - (rip & 0xfff), 0x1000).ToArray(), rip & Tlb.PageMask, sought, isHooked);

    /// <summary>The page of 64-bit code that an address lies in, if it is RAM and some of it was decoded already.</summary>
    private bool TryFindPage(ulong rip, AccessMode mode, [NotNullWhen(true)] out CodePage? page, out byte* host, out ulong physical)
    {
        // Data may have taken the TLB's entry for the code.
        page = null;
        host = Tlb.ForExecute(Tlb.Table(_cpu, mode), rip);
        physical = host == null ? 0 : Tlb.Physical(_cpu, mode, rip);
        if (host == null && (!Tlb.TryFill(_cpu, rip, AccessKind.Execute, mode, out physical, out host, out _) || host == null))
            return false;
        if (!CodePages.Covers(_cpu, physical))
            return false;
        page = Page(new CodePageKey(physical & Tlb.PageMask, rip & Tlb.PageMask, Marks.Code64, 0x1000));
        return true;
    }

    private CodePage Page(CodePageKey key)
    {
        uint version = CodePages.Version(_cpu, key.Physical);
        if (!_pages.TryGetValue(key, out CodePage? page))
        {
            if (_pages.Count == MostPages)
                ForgetPages();
            page = new CodePage(version);
            _pages.Add(key, page);
        }
        else if (page.Version != version)
        {
            ForgetAddresses();
            page.Reset(version);
        }

        return page;
    }

    private void ForgetPages()
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
        Decoder decoder = DecoderOf(width);
        int first = (int)(physical & 0xfff);
        int offset = first;
        bool ends = false;
        bool straddles = false;
        _reader.Start(host, end - first);
        decoder.IP = rip;
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
                block[i].Handler = instruction.Length >= LongestInstruction ? &Faults.TooLong : &Faults.InvalidOpcode;
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

    private Decoder DecoderOf(Marks width) => width switch
    {
        Marks.Code64 => _decoder64,
        Marks.Code32 => _decoder32,
        _ => _decoder16,
    };

    private static bool NeverFallsThrough(FlowControl flow) =>
        flow is not (FlowControl.Next or FlowControl.ConditionalBranch or FlowControl.XbeginXabortXend);

    /// <summary>An instruction whose bytes lie in two pages, or where there is no memory.</summary>
    private DecodedInstruction* Straddling(ulong rip, ulong linear, AccessMode mode, Marks width, out MemoryFault fault)
    {
        byte* bytes = stackalloc byte[LongestInstruction];
        int allowed = InSegment(rip, width, LongestInstruction);
        int inFirst = (int)Math.Min((ulong)allowed, 0x1000 - (linear & 0xfff));
        fault = default;
        if (!TryFetch(linear, inFirst, mode, bytes, out fault))
            return null;
        Decoder decoder = DecoderOf(width);
        _reader.Start(bytes, inFirst);
        decoder.IP = rip;
        decoder.Decode(out Instruction instruction);
        if (decoder.LastError == DecoderError.NoMoreBytes)
        {
            if (inFirst < allowed && !TryFetch(linear + (uint)inFirst, allowed - inFirst, mode, bytes + inFirst, out fault))
                return null;
            _reader.Start(bytes, allowed);
            decoder.IP = rip;
            decoder.Decode(out instruction);
            if (decoder.LastError == DecoderError.NoMoreBytes)
            {
                // Its bytes go beyond the segment's limit, or it is longer than any instruction may be.
                fault = new MemoryFault(MemoryFault.GeneralProtection, 0, linear);
                return null;
            }
        }

        ulong low = 0;
        ulong high = 0;
        for (int i = 0; i < instruction.Length; i++)
        {
            // SAFETY: an instruction has at most the 15 bytes of the buffer.
            if (i < sizeof(ulong))
                low |= (ulong)bytes[i] << (8 * i);
            else
                high |= (ulong)bytes[i] << (8 * (i - sizeof(ulong)));
        }

        var key = new StraddlingKey(low, high, instruction.Length, rip, width);
        if (_straddling.TryGetValue(key, out CodePage? known))
            return known[0];
        if (_straddling.Count == MostPages)
            ForgetStraddling();

        var page = new CodePage(0);
        DecodedInstruction* block = page.Allocate(2);
        OperandDecoder.Fill(_cpu, instruction, bytes, width, block);
        if (instruction.IsInvalid)
            block->Handler = instruction.Length >= LongestInstruction ? &Faults.TooLong : &Faults.InvalidOpcode;
        block[1] = new DecodedInstruction { Rip = ControlFlow.Next(block), Marks = width, Handler = &ControlFlow.Continue, Length = 1 };
        if (_hooks.Touch(rip, rip))
            HookedInstruction.Put(block, page.Allocate(2));
        page[0] = block;
        _straddling.Add(key, page);
        return block;
    }

    private void ForgetStraddling()
    {
        foreach (CodePage page in _straddling.Values)
            page.Dispose();
        _straddling.Clear();
    }

    private bool TryFetch(ulong linear, int size, AccessMode mode, byte* target, out MemoryFault fault)
    {
        if (!ReservedBytes.TryReserve(_cpu, linear, size, AccessKind.Execute, mode, out ReservedBytes found, out fault))
            return false;
        found.FetchTo(_cpu, target);
        return true;
    }

    private sealed record StraddlingKey(ulong LowBytes, ulong HighBytes, int Length, ulong Rip, Marks CodeWidth)
    {
        public bool Equals(StraddlingKey? other) =>
            other != null && LowBytes == other.LowBytes && HighBytes == other.HighBytes && Length == other.Length && Rip == other.Rip && CodeWidth == other.CodeWidth;

        public override int GetHashCode() => (int)(Rip ^ (Rip >> 32) ^ LowBytes);
    }

    private sealed class PageReader : CodeReader
    {
        private byte* _next;
        private int _left;

        public void Start(byte* bytes, int count)
        {
            _next = bytes;
            _left = count;
        }

        public override int ReadByte()
        {
            if (_left == 0)
                return -1;
            _left--;
            // SAFETY: Start was given left more bytes.
            return *_next++;
        }
    }
}
