using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Firmware;

/// <summary>Makes random system cases: an instruction that depends on mode, privilege, descriptors or pages, with operands from the layout's stock.</summary>
internal sealed class SystemGenerator(int seed)
{
    private readonly Random _random = new(seed);
    private readonly List<byte> _code = [];
    private SystemMode _mode;
    private SystemCase _case = new();

    private int Bits => _mode switch
    {
        SystemMode.Long64 => 64,
        SystemMode.Real or SystemMode.Virtual8086 or SystemMode.Protected16 => 16,
        _ => 32,
    };

    private bool Wide { get; set; }

    /// <summary>The next case.</summary>
    public SystemCase Next()
    {
        _mode = Pick(Enum.GetValues<SystemMode>());
        int level = _mode switch
        {
            SystemMode.Real => 0,
            SystemMode.Virtual8086 => 3,
            _ => Pick(0, 0, 3, 3, 1, 2),
        };
        _code.Clear();
        ulong flags = (Chance(3) ? RFlags.IoPrivilegeLevel : (ulong)_random.Next(4) << 12) | (Chance(2) ? RFlags.Carry | RFlags.Zero : 0);
        flags |= (Chance(8) ? RFlags.NestedTask : 0) | (Chance(8) ? RFlags.AlignmentCheck : 0) | (Chance(12) ? RFlags.Trap : 0);
        if (_mode is SystemMode.Real)
            flags &= ushort.MaxValue & ~RFlags.NestedTask;
        _case = new SystemCase
        {
            Mode = _mode,
            Level = level,
            Flags = flags,
            Cr0 = (Chance(8) ? Cr0Bits.TaskSwitched : 0) | (Chance(12) ? Cr0Bits.Emulation : 0) | (Chance(4) ? Cr0Bits.MonitorCoprocessor : 0) |
                (Chance(2) ? Cr0Bits.WriteProtect : 0) | (Chance(8) ? Cr0Bits.AlignmentMask : 0) | Cr0Bits.NumericError,
            Cr4 = (Chance(4) ? Cr4Bits.UserModeInstructionPrevention : 0) | (Chance(2) ? Cr4Bits.DebuggingExtensions : 0) | (Chance(4) ? Cr4Bits.TimeStampDisable : 0),
        };
        for (int i = 0; i < 16; i++)
            _case.General[i] = i == 4 || (i > 7 && !_case.IsLong) ? 0 : (ulong)_random.Next(0x1_0000);
        Emit();
        SystemCase made = new() { Mode = _mode, Level = level, Flags = flags, Cr0 = _case.Cr0, Cr4 = _case.Cr4, Code = [.. _code] };
        _case.General.CopyTo(made.General, 0);
        _case.Debug.CopyTo(made.Debug, 0);
        foreach ((uint place, byte[] bytes) in _case.Memory)
            made.Memory.Add(place, bytes);
        return made;
    }

    private bool Chance(int oneIn) => _random.Next(oneIn) == 0;

    private T Pick<T>(params T[] from) => from[_random.Next(from.Length)];

    /// <summary>An operand-size prefix in one of three cases; REX.W in 64-bit code.</summary>
    private void Size()
    {
        Wide = Bits == 32;
        if (!Chance(3))
            return;
        Wide = Bits == 16;
        _code.Add(Bits == 64 && Chance(2) ? (byte)0x48 : (byte)0x66);
    }

    private bool Paragraphs => _mode is SystemMode.Real or SystemMode.Virtual8086;

    private ushort CodeSelector() => Paragraphs ? (ushort)(SystemLayout.Code >> 4) : AnySelector();

    private ushort AnySelector() => _random.Next(10) switch
    {
        < 3 => (ushort)(Pick(SystemLayout.Code32, SystemLayout.Data32, SystemLayout.Code16, SystemLayout.Data16, SystemLayout.Code64) + (8 * _random.Next(4)) | _random.Next(4)),
        < 4 => (ushort)(Pick(SystemLayout.TaskSelector, SystemLayout.OtherTask, SystemLayout.NarrowTask, SystemLayout.BusyTask, SystemLayout.LdtSelector) | _random.Next(4)),
        < 5 => (ushort)(Pick(SystemLayout.SmallData, SystemLayout.DownData, SystemLayout.SmallCode, SystemLayout.BothWidths) | _random.Next(4)),
        < 6 => (ushort)(SystemLayout.Gates + (16 * _random.Next(SystemLayout.GateCount)) | _random.Next(4)),
        < 9 => (ushort)(SystemLayout.Zoo + (8 * _random.Next(256)) | _random.Next(4)),
        _ => Pick((ushort)0, (ushort)3, (ushort)0xfffb, (ushort)_random.Next(0x1_0000), (ushort)(4 | 8 | _random.Next(4)), (ushort)(4 | 0x10 | _random.Next(4)), (ushort)0x1000),
    };

    private void Bytes(params byte[] bytes) => _code.AddRange(bytes);

    private void Word(uint value) => _code.AddRange(BitConverter.GetBytes((ushort)value));

    private void Long(uint value) => _code.AddRange(BitConverter.GetBytes(value));

    /// <summary>PUSH of an immediate in the code's own width, whatever the selector.</summary>
    private void Push(uint value)
    {
        _code.Add(0x68);
        if (Bits == 16)
            Word(value);
        else
            Long(value);
    }

    /// <summary>Where far transfers go: to the UD2 behind the code, or where there is no page.</summary>
    private uint Target()
    {
        if (Paragraphs)
            return 0x80;
        bool pages = _mode is not (SystemMode.Protected16 or SystemMode.Protected32);
        return pages && Bits != 16 && Chance(5) ? 0x7fff_fff0 : SystemLayout.Code + 0x80;
    }

    /// <summary>A memory operand [disp]: near the data or around a small segment's limit.</summary>
    private void Memory(byte modrmReg)
    {
        uint place = Pick(SystemLayout.Data, SystemLayout.Data + 1, SystemLayout.Data + 0xffe, 0u, 0xffcu, 0xffdu, 0x1000u, 0xffffu, 0xfffdu, 0x1_0000u);
        Memory(modrmReg, place);
    }

    private void Memory(byte modrmReg, uint place)
    {
        switch (Bits)
        {
            case 16:
                Bytes((byte)(0x06 | (modrmReg << 3)));
                Word(place);
                break;
            case 32:
                Bytes((byte)(0x05 | (modrmReg << 3)));
                Long(place);
                break;
            default:
                Bytes((byte)(0x04 | (modrmReg << 3)), 0x25);
                Long(place);
                break;
        }
    }

    private uint PointerPlace => _mode is SystemMode.Real or SystemMode.Virtual8086 ? 0x100u : SystemLayout.Data + 0x100;

    /// <summary>A far pointer in memory with the operand size that was just chosen.</summary>
    private void FarPointer(uint offset, ushort selector)
    {
        bool quad = _code.Contains(0x48);
        byte[] bytes = quad
            ? [.. BitConverter.GetBytes((ulong)offset), .. BitConverter.GetBytes(selector)]
            : Wide || (Bits == 64 && !_code.Contains(0x66)) ? [.. BitConverter.GetBytes(offset), .. BitConverter.GetBytes(selector)]
            : [.. BitConverter.GetBytes((ushort)offset), .. BitConverter.GetBytes(selector)];
        _case.Memory[SystemLayout.Data + 0x100] = bytes;
    }

    private void Emit()
    {
        ushort selector = AnySelector();
        _case.General[0] = (_case.General[0] & ~0xfffful) | selector;
        switch (_random.Next(34))
        {
            case 0 or 1: // MOV Sreg, AX, then an access through it
                Bytes(0x8e, (byte)(0xc0 | (Pick(0, 2, 3, 3, 4, 5) << 3)));
                if (Chance(2))
                {
                    Bytes(0x8a);
                    Memory(0);
                }

                break;
            case 2: // POP Sreg
                Push(selector);
                if (Bits == 64)
                    Bytes(0x0f, Pick((byte)0xa1, (byte)0xa9));
                else
                    Bytes(Pick((byte)0x07, (byte)0x17, (byte)0x1f));
                break;
            case 3: // LDS and its kind
                Size();
                if (Bits != 64 && Chance(2))
                    Bytes(Pick((byte)0xc4, (byte)0xc5));
                else
                    Bytes(0x0f, Pick((byte)0xb2, (byte)0xb4, (byte)0xb5));
                FarPointer(0x1234_5678, selector);
                Memory(3, PointerPlace);
                break;
            case 4 or 5: // JMP and CALL far, direct
                if (Bits == 64)
                    goto case 7;
                Size();
                Bytes(Pick((byte)0xea, (byte)0x9a));
                if (Wide)
                    Long(Target());
                else
                    Word(Target());
                Word(CodeSelector());
                break;
            case 6:
            case 7: // JMP and CALL far through memory
                Size();
                FarPointer(Target(), CodeSelector());
                Bytes(0xff);
                Memory(Pick((byte)3, (byte)5), PointerPlace);
                break;
            case 8 or 9: // RETF
                Push(AnySelector());
                Push(Pick(SystemLayout.UserStack, SystemLayout.InnerStack, 0x1_0010u));
                Push(CodeSelector());
                Push(Target());
                if (Chance(3))
                    Bytes(0xca, 4, 0);
                else
                    Bytes(0xcb);
                break;
            case 10 or 11 or 12: // IRET
                Push(AnySelector());
                Push(Pick(SystemLayout.UserStack, SystemLayout.InnerStack, 0x1_0010u));
                uint target = Target();
                bool mayBecomeVirtual = target == SystemLayout.Code + 0x80; // about a higher EIP there, manual and emulators differ
                Push((uint)_random.Next(0x40_0000) & (mayBecomeVirtual && Chance(4) ? uint.MaxValue : ~(uint)(RFlags.Virtual8086 | RFlags.NestedTask)));
                Push(CodeSelector());
                Push(target);
                if (Bits == 64)
                    Bytes(0x48);
                Bytes(0xcf);
                break;
            case 13 or 14: // INT n, INT3, INTO, INT1
                Bytes(Pick<byte[]>([0xcd, (byte)(0x40 + _random.Next(0xb0))], [0xcd, (byte)(0x40 + _random.Next(0xb0))], [0xcc], [0xce], [0xcd, 0x80]));
                break;
            case 15: // LLDT, LTR, VERR, VERW, SLDT, STR of AX
                Bytes(0x0f, 0x00, (byte)(0xc0 | (_random.Next(6) << 3)));
                break;
            case 16: // LAR, LSL
                Size();
                Bytes(0x0f, Pick((byte)2, (byte)3), 0xd8);
                break;
            case 17: // ARPL AX, BX (MOVSXD in 64-bit code)
                Bytes(0x63, 0xd8);
                break;
            case 18: // SGDT, SIDT, LGDT, LIDT
                Size();
                Bytes(0x0f, 0x01);
                Memory((byte)_random.Next(_mode == SystemMode.Real ? 3 : 4), PointerPlace);
                break;
            case 19: // SMSW, LMSW, CLTS
                Bytes(Pick<byte[]>([0x0f, 0x01, 0xe0], [0x0f, 0x01, 0xf0], [0x0f, 0x06]));
                _case.General[0] = (ulong)_random.Next(16);
                break;
            case 20: // MOV to and from control registers
                ControlMove();
                break;
            case 21: // MOV to and from debug registers
                _case.General[0] = Pick(0ul, 0x2000ul, 0x400ul, 0xfffful, 0xffff_ffff_fffful);
                if (!_case.IsLong)
                    _case.General[0] &= uint.MaxValue;
                Bytes(0x0f, Pick((byte)0x21, (byte)0x23), (byte)(0xc0 | (_random.Next(8) << 3)));
                break;
            case 22: // PUSHF, POPF, CLI, STI
                Push((uint)_random.Next(0x40_0000));
                Size();
                Bytes(Pick((byte)0x9c, (byte)0x9d, (byte)0x9d, (byte)0xfa, (byte)0xfb));
                break;
            case 23: // IN and OUT
                _case.General[2] = 0x600 + (ulong)_random.Next(0x200); // where no PC has a device
                Bytes(Pick<byte[]>([0xec], [0xed], [0xe4, 0xed], [0xe6, 0x80], [0xee], [0xef]));
                if ((_case.Cr4 & Cr4Bits.DebuggingExtensions) != 0 && Chance(2))
                {
                    _case.Debug[2] = _case.General[2] & (Chance(2) ? ~1ul : ~0ul);
                    _case.Debug[4] = 0x0200_0010ul | (ulong)Pick(0, 1, 3) << 26;
                }

                break;
            case 24: // system calls
                Bytes(Pick<byte[]>(_mode == SystemMode.Long64 ? [0x0f, 0x05] : [0x0f, 0x34], [0x0f, 0x34], [0x0f, 0x35], [0x0f, 0x07], [0x0f, 0x01, 0xf8]));
                break;
            case 25: // stacks: a segment, then PUSH, POP, PUSHA, ENTER, LEAVE
                StackUse();
                break;
            case 26: // accesses around the limit of a segment
                Bytes(0xb8);
                LimitAccess();
                break;
            case 27: // only level 0: HLT for the others, INVLPG, RDMSR, WBINVD, RDPMC, RDTSC, STAC
                if (_case.Level == 0)
                    Bytes(0x0f, 0x01, 0x38);
                else
                    Bytes(Pick<byte[]>([0xf4], [0x0f, 0x01, 0x38], [0x0f, 0x32], [0x0f, 0x30], [0x0f, 0x09], [0x0f, 0x08], [0x0f, 0x01, 0xcb]));
                break;
            case 28: // debug breakpoints around some accesses
                Breakpoint();
                break;
            case 29 or 30: // repeated string instructions that run into a limit or a missing page
                Repeated();
                break;
            case 31 when Bits != 64 && Chance(2): // decimal adjustments
                _case.General[0] = (ulong)_random.Next(0x1_0000);
                Bytes(Pick<byte[]>([0x37], [0x3f], [0xd4, 10], [0xd5, 10], [0x27], [0x2f], [0xd4, 0]));
                break;
            case 31: // coprocessor instructions under EM, TS and MP
                _case.Memory[SystemLayout.Data + 0x100] = [0];
                Bytes(Pick<byte[]>([0xd9, 0xe8], [0x9b], [0x0f, 0x10, 0xc1], [0x0f, 0x77], [0x0f, 0x6f, 0xc1]));
                break;
            default: // page rights
                PageRights();
                break;
        }
    }

    private void ControlMove()
    {
        int register = Pick(0, 0, 2, 3, 4, 4, 1, 5, Bits == 64 ? 8 : 0);
        ulong bit = 1ul << _random.Next(_case.IsLong && Chance(4) ? 64 : 32);
        ulong current = register switch
        {
            0 => 0x31 | _case.Cr0 | (_mode is SystemMode.Protected16 or SystemMode.Protected32 or SystemMode.Real ? 0 : Cr0Bits.Paging),
            4 => _case.Cr4 | (_case.IsLong || _mode == SystemMode.Pae32 ? 0x20ul : 0),
            3 => SystemLayout.PageTables,
            _ => 0,
        };
        if (_mode == SystemMode.Real)
            current &= ~1ul;

        // Without paging or protection the code would go on elsewhere, and cache bits are not everywhere alike.
        bool leaves = register == 0 && bit is 1 or (1ul << 31) or (1ul << 30) or (1ul << 29);
        _case.General[0] = leaves || (register == 3 && bit < 1ul << 32 && bit > 0xfff) ? current : current ^ bit;
        if (register == 4 && bit is not (0x4 or 0x8 or 0x10 or 0x20 or 0x80 or 0x200 or 0x400 or 0x800 or (1ul << 16)) && bit < 1ul << 25)
            _case.General[0] = current;
        if (register >= 8)
            Bytes(0x44);
        Bytes(0x0f, Pick((byte)0x20, (byte)0x22), (byte)(0xc0 | ((register & 7) << 3)));
    }

    private void StackUse()
    {
        if (Bits != 64 && Chance(2))
            Bytes(0x8e, 0xd0);
        Size();
        Bytes(Bits == 64 // With 16-bit operands, emulators differ about ENTER and LEAVE in 64-bit code; the host CPU judges those.
            ? Pick<byte[]>([0x50], [0x58], [0x60], [0x61], [0x9c])
            : Pick<byte[]>([0x50], [0x58], [0x60], [0x61], [0xc8, 0x10, 0, 0], [0xc8, 0x10, 0, 3], [0xc9], [0x9c]));
        if (Chance(3))
            _case.General[5] = Pick(SystemLayout.UserStack - 0x40, 0xfffful, 0x41ul);
    }

    private void LimitAccess()
    {
        ushort segment = Pick(SystemLayout.SmallData, SystemLayout.DownData, SystemLayout.SmallCode);
        if (Bits == 16)
            Word(segment | 3u);
        else
            Long(segment | 3u);
        Bytes(0x8e, Pick((byte)0xd8, (byte)0xc0));
        Size();
        Bytes(Pick((byte)0x8b, (byte)0x89, (byte)0x8a, (byte)0xff, (byte)0x01));
        Memory(0);
    }

    private void Breakpoint()
    {
        int number = _random.Next(4);
        bool traps = (_case.Flags & RFlags.Trap) != 0; // a trap before a breakpoint: processors differ in the bits they report
        ulong place = !traps && Chance(3) ? SystemLayout.Code + (ulong)_random.Next(8) : SystemLayout.Data + 0x100 + (ulong)_random.Next(8);
        _case.Debug[number] = place;
        int kind = place < SystemLayout.Data ? 0 : Pick(1, 3, 3);
        int length = kind == 0 ? 0 : Pick(0, 1, 3);
        _case.Debug[4] = (1ul << (2 * number)) | ((ulong)kind << (16 + (4 * number))) | ((ulong)length << (18 + (4 * number)));
        uint low = _mode is SystemMode.Real or SystemMode.Virtual8086 ? 0x100 : SystemLayout.Data + 0x100;
        Bytes(Pick((byte)0x8b, (byte)0x89, (byte)0x8a, (byte)0x88, (byte)0x01));
        Memory(0, low + (uint)_random.Next(8));
        Bytes(0x90);
    }

    private void Repeated()
    {
        _case.General[1] = (ulong)_random.Next(12);
        uint low = Paragraphs ? 0 : SystemLayout.Data;
        _case.General[6] = low + Pick(0x100u, 0xffcu, 0xffeu, 0xfffu, 4u);
        _case.General[7] = low + Pick(0x200u, 0xff8u, 0xffau, 0xffbu, 0x1004u);
        _case.General[2] = 0x600;
        if (Chance(3))
            Bytes(0xfd);
        if (Chance(3) && !Paragraphs)
            Bytes(0xb8, (byte)(Pick(SystemLayout.SmallData, SystemLayout.DownData) | 3), 0);
        if (_code.Count > 1)
            Bytes([.. Bits == 16 ? Array.Empty<byte>() : [0, 0], 0x8e, 0xc0]);
        if ((_case.Flags & RFlags.Trap) == 0)
            Bytes(Pick((byte)0xf2, (byte)0xf3)); // Bochs does not set RF for a trap between two steps, as the manual asks (SDM vol. 3, 17.3.1.1)
        Size();
        Bytes(Pick((byte)0xa4, (byte)0xa5, (byte)0xa6, (byte)0xa7, (byte)0xaa, (byte)0xab, (byte)0xac, (byte)0xae, (byte)0xaf, (byte)0x6c, (byte)0x6f));
        if (!Paragraphs && _mode is not (SystemMode.Protected16 or SystemMode.Protected32) && Chance(2))
            Entry(SystemLayout.Data + 0x1000, (uint)_random.Next(8));
    }

    /// <summary>The entry of a page, where the mode has pages.</summary>
    private void Entry(uint page, ulong bits)
    {
        if (_mode is SystemMode.Real or SystemMode.Virtual8086 or SystemMode.Protected16 or SystemMode.Protected32)
            return;
        uint size = _mode == SystemMode.Paged32 ? 4u : 8;
        uint tables = SystemLayout.PageTables + (_mode switch { SystemMode.Paged32 => 0x1000u, SystemMode.Pae32 => 0x2000, _ => 0x3000 });
        _case.Memory[tables + ((page >> 12) * size)] = BitConverter.GetBytes(page | bits)[..(int)size];
    }

    private void PageRights()
    {
        uint page = Pick(SystemLayout.Data, SystemLayout.Data + 0x1000, SystemLayout.UserStack - 0x1000, SystemLayout.Code);
        ulong bits = (uint)_random.Next(8) | Pick(0u, 0x20u, 0x60u);
        if (_case.IsLong && Chance(3))
            bits |= 1ul << Pick(63, 51, 46);
        Entry(page, bits);
        Bytes(Pick((byte)0x8b, (byte)0x89, (byte)0x01, (byte)0x50, (byte)0x58, (byte)0x8b));
        if ((_code[^1] & 0xf0) != 0x50)
            Memory(0);
    }
}
