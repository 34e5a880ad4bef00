using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Firmware;

/// <summary>
/// A ROM that runs system cases on any PC: after each reset it builds the memory of the next case, launches it, and when an
/// exception or interrupt arrives, writes the vector's stub, the registers and every changed double word to port 0xE9. Then it
/// resets the processor by a triple fault, the way in which a case that cannot even deliver a double fault ends too.
/// </summary>
internal static class SystemFirmware
{
    public const ushort OutputPort = 0xe9;
    public const byte DumpMark = (byte)'D';
    public const byte ShutdownMark = (byte)'S';
    public const byte EndMark = (byte)'E';

    private const uint SegmentBase = 0xf_0000;
    private const int SegmentSize = 0x1_0000;
    private const uint Stubs32 = 0xf_0000;
    private const uint Stubs64 = 0xf_1000;
    private const uint Stubs16 = 0xf_2000;
    private const uint StubSize = 8;
    private const uint Dumper32 = 0xf_4000;
    private const uint Dumper64 = 0xf_4400;
    private const uint Narrow = 0xf_4700;
    private const uint Dumper16 = 0xf_4800;
    private const uint Scanner = 0xf_5000;
    private const uint Runner = 0xf_6000;
    private const uint TablePointer = 0xf_7000;
    private const uint EmptyTablePointer = 0xf_7010;
    private const uint RunnerGdt = 0xf_7020;
    private const uint Entry = 0xf_8000;
    private const uint ResetVector = 0xf_fff0;
    /// <summary>Where the ROM counts the cases.</summary>
    public const uint CaseNumber = 0x60_0000;
    private const uint Running = 0x60_0004;
    private const uint Pristine = 0x70_0000;
    private const uint RunnerStack = 0x68_0000;
    private const uint EndOfPatches = uint.MaxValue;

    /// <summary>Where the stub of a vector stands, by the width of handlers.</summary>
    public static uint Stub(int bitness, uint vector) => bitness switch { 16 => Stubs16, 32 => Stubs32, _ => Stubs64 } + (vector * StubSize);

    /// <summary>
    /// The ROM for some cases; its last 64 KB belong below 1 MB too. It ends at 4 GB, as on a PC, unless told where it starts.
    /// </summary>
    public static byte[] Build(IReadOnlyList<SystemCase> cases, uint? start = null)
    {
        using var records = new MemoryStream();
        var bases = new Dictionary<SystemMode, int>();
        var starts = new List<(int Base, int Own)>();
        foreach (SystemCase one in cases)
        {
            if (!bases.TryGetValue(one.Mode, out int shared))
            {
                shared = (int)records.Position;
                bases.Add(one.Mode, shared);
                WritePatches(records, Patches(SystemLayout.Image(one.Mode)));
            }

            starts.Add((shared, (int)records.Position));
            WritePatches(records, [.. one.Memory.Select(p => (p.Key, p.Value)), .. SystemLauncher.Build(one)]);
        }

        int header = 4 + (8 * cases.Count);
        int size = (header + (int)records.Length + SegmentSize + SegmentSize - 1) / SegmentSize * SegmentSize;
        byte[] rom = new byte[size];
        uint romBase = start ?? (uint)(0x1_0000_0000 - size);
        BitConverter.TryWriteBytes(rom, cases.Count);
        for (int i = 0; i < cases.Count; i++)
        {
            BitConverter.TryWriteBytes(rom.AsSpan(4 + (8 * i)), romBase + (uint)(header + starts[i].Base));
            BitConverter.TryWriteBytes(rom.AsSpan(8 + (8 * i)), romBase + (uint)(header + starts[i].Own));
        }

        records.ToArray().CopyTo(rom, header);
        FillSegment(rom.AsSpan(size - SegmentSize), romBase);
        return rom;
    }

    private static List<(uint Address, byte[] Bytes)> Patches(byte[] image)
    {
        var patches = new List<(uint, byte[])>();
        for (int i = 0; i < image.Length; i += 64)
        {
            Span<byte> line = image.AsSpan(i, 64);
            if (line.ContainsAnyExcept((byte)0))
                patches.Add(((uint)i, line.ToArray()));
        }

        return patches;
    }

    private static void WritePatches(MemoryStream target, IEnumerable<(uint Address, byte[] Bytes)> patches)
    {
        foreach ((uint address, byte[] bytes) in patches)
        {
            target.Write(BitConverter.GetBytes(address));
            target.Write(BitConverter.GetBytes(bytes.Length));
            target.Write(bytes);
        }

        target.Write(BitConverter.GetBytes(EndOfPatches));
    }

    private static void FillSegment(Span<byte> segment, uint romBase)
    {
        segment.Fill(0xf4);
        for (uint vector = 0; vector < 256; vector++)
        {
            Put(segment, Stub(32, vector), 32, a => { a.push((sbyte)vector); a.jmp(Dumper32); });
            Put(segment, Stub(64, vector), 64, a => { a.push((sbyte)vector); a.jmp(Dumper64); });
            Put(segment, Stub(16, vector), 16, a => { a.push((sbyte)vector); a.jmp(Dumper16 & 0xffff); }, Stub(16, vector) & 0xffff);
        }

        Put(segment, Dumper32, 32, Dump32);
        Put(segment, Dumper64, 64, Dump64);
        Put(segment, Narrow, 32, LeaveLong);
        Put(segment, Dumper16, 16, Dump16, Dumper16 & 0xffff);
        Put(segment, Scanner, 32, Scan);
        Put(segment, Runner, 32, a => Run(a, romBase));
        Put(segment, Entry, 16, Enter, Entry & 0xffff);
        Put(segment, ResetVector, 16, a => a.db(0xea, 0x00, 0x80, 0x00, 0xf0), ResetVector & 0xffff);
        BitConverter.TryWriteBytes(segment[0x7000..], (ushort)0x17);
        BitConverter.TryWriteBytes(segment[0x7002..], (ulong)RunnerGdt);
        segment.Slice(0x7010, 16).Clear();
        BitConverter.TryWriteBytes(segment[0x7020..], 0ul);
        BitConverter.TryWriteBytes(segment[0x7028..], 0x00cf_9b00_0000_fffful);
        BitConverter.TryWriteBytes(segment[0x7030..], 0x00cf_9300_0000_fffful);
    }

    private static void Put(Span<byte> segment, uint address, int bitness, Action<Assembler> write, uint? rip = null)
    {
        var assembler = new Assembler(bitness);
        write(assembler);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), rip ?? address);
        stream.ToArray().CopyTo(segment[(int)(address - SegmentBase)..]);
    }

    /// <summary>Pushes what a case may have changed, and goes to the scanner with the stack pointer in ESI.</summary>
    private static void Dump32(Assembler a)
    {
        a.pushad();
        a.push(ds);
        a.push(es);
        a.push(fs);
        a.push(gs);
        foreach (AssemblerRegisterCR register in new[] { cr0, cr2, cr3, cr4 })
        {
            a.mov(eax, register);
            a.push(eax);
        }

        foreach (AssemblerRegisterDR register in new[] { dr6, dr7 })
        {
            a.mov(eax, register);
            a.push(eax);
        }

        a.str(eax);
        a.push(eax);
        a.sldt(eax);
        a.push(eax);
        a.mov(esi, esp);
        a.mov(eax, cr0);
        a.and(eax, 0x7fff_ffff);
        a.mov(cr0, eax);
        a.jmp(Scanner);
    }

    private static void Dump64(Assembler a)
    {
        foreach (AssemblerRegister64 register in new[] { rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15 })
            a.push(register);
        foreach (AssemblerRegisterSegment register in new[] { ds, es, fs, gs })
        {
            a.mov(eax, register);
            a.push(rax);
        }

        foreach (AssemblerRegisterCR register in new[] { cr0, cr2, cr3, cr4 })
        {
            a.mov(rax, register);
            a.push(rax);
        }

        foreach (AssemblerRegisterDR register in new[] { dr6, dr7 })
        {
            a.mov(rax, register);
            a.push(rax);
        }

        a.str(eax);
        a.push(rax);
        a.sldt(eax);
        a.push(rax);
        foreach (uint msr in new uint[] { 0xc000_0100, 0xc000_0101, 0xc000_0102, 0xc000_0080 })
        {
            a.mov(ecx, msr);
            a.rdmsr();
            a.push(rdx);
            a.push(rax);
        }

        a.mov(rsi, rsp);
        a.lgdt(__[TablePointer]);
        a.mov(rax, 0x0000_0008_0000_0000 + Narrow);
        a.push(rax);
        a.jmp(__fword_ptr[rsp]);
    }

    /// <summary>From 64-bit code to the scanner: compatibility mode first, then no paging. PCIDs would forbid that.</summary>
    private static void LeaveLong(Assembler a)
    {
        a.mov(eax, cr4);
        a.and(eax, ~(1 << 17));
        a.mov(cr4, eax);
        a.mov(eax, cr0);
        a.and(eax, 0x7fff_ffff);
        a.mov(cr0, eax);
        a.jmp(Scanner);
    }

    private static void Dump16(Assembler a)
    {
        a.pushad();
        a.push(ds);
        a.push(es);
        a.push(fs);
        a.push(gs);
        foreach (AssemblerRegisterCR register in new[] { cr0, cr2, cr3, cr4 })
        {
            a.mov(eax, register);
            a.push(eax);
        }

        foreach (AssemblerRegisterDR register in new[] { dr6, dr7 })
        {
            a.mov(eax, register);
            a.push(eax);
        }

        a.xor(esi, esi);
        a.mov(si, ss);
        a.shl(esi, 4);
        a.movzx(eax, sp);
        a.add(esi, eax);
        ToFlat(a);
        a.db(0x66, 0xea, 0x00, 0x50, 0x0f, 0x00, 0x08, 0x00); // jmp far 8:Scanner
    }

    /// <summary>Into protected mode with the runner's flat segments; the far jump is the caller's.</summary>
    private static void ToFlat(Assembler a)
    {
        a.db(0x66, 0x2e, 0x0f, 0x01, 0x16, 0x00, 0x70); // lgdt cs:[TablePointer]
        a.mov(eax, cr0);
        a.or(eax, 1);
        a.mov(cr0, eax);
    }

    private static void Enter(Assembler a)
    {
        a.cli();
        ToFlat(a);
        a.db(0x66, 0xea, 0x00, 0x60, 0x0f, 0x00, 0x08, 0x00); // jmp far 8:Runner
    }

    private static void FlatSegments(Assembler a)
    {
        a.db(0x2e, 0x0f, 0x01, 0x15);
        a.dd(TablePointer); // lgdt cs:[TablePointer]
        a.mov(ax, 0x10);
        a.mov(ds, ax);
        a.mov(es, ax);
        a.mov(ss, ax);
        a.mov(esp, RunnerStack);
        a.cld();
    }

    /// <summary>ESI: the dumped stack pointer.</summary>
    private static void Scan(Assembler a)
    {
        Label next = a.CreateLabel();
        Label same = a.CreateLabel();
        Label put = a.CreateLabel();
        Label putByte = a.CreateLabel();
        FlatSegments(a);
        a.xor(eax, eax);
        a.mov(dr7, eax); // the scan itself hits no breakpoint
        a.mov(dx, OutputPort);
        a.mov(al, DumpMark);
        a.@out(dx, al);
        a.mov(eax, esi);
        a.call(put);
        a.xor(edi, edi);
        a.Label(ref next);
        a.mov(ebx, __dword_ptr[edi]);
        a.cmp(ebx, __dword_ptr[edi + (int)Pristine]);
        a.je(same);
        a.mov(eax, edi);
        a.call(put);
        a.mov(eax, ebx);
        a.call(put);
        a.Label(ref same);
        a.add(edi, 4);
        a.cmp(edi, SystemLayout.WatchedBytes);
        a.jb(next);
        a.mov(eax, EndOfPatches);
        a.call(put);
        a.mov(__dword_ptr[Running], 0);
        a.inc(__dword_ptr[CaseNumber]);
        a.lidt(__[EmptyTablePointer]);
        a.int3();
        a.Label(ref put);
        a.mov(ecx, 4);
        a.Label(ref putByte);
        a.@out(dx, al);
        a.shr(eax, 8);
        a.dec(ecx);
        a.jne(putByte);
        a.ret();
    }

    private static void Run(Assembler a, uint romBase)
    {
        Label fresh = a.CreateLabel();
        Label go = a.CreateLabel();
        Label apply = a.CreateLabel();
        Label applied = a.CreateLabel();
        FlatSegments(a);
        a.mov(dx, OutputPort);
        a.cmp(__dword_ptr[Running], 0);
        a.je(fresh);
        a.mov(al, ShutdownMark);
        a.@out(dx, al);
        a.mov(__dword_ptr[Running], 0);
        a.inc(__dword_ptr[CaseNumber]);
        a.Label(ref fresh);
        a.mov(ebp, __dword_ptr[CaseNumber]);
        a.cmp(ebp, __dword_ptr[romBase]);
        a.jb(go);
        a.mov(al, EndMark);
        a.@out(dx, al);
        a.mov(dx, 0xf4); // QEMU's isa-debug-exit
        a.@out(dx, al);
        a.mov(dx, 0x8900); // Bochs's shutdown port
        foreach (char letter in "Shutdown")
        {
            a.mov(al, (byte)letter);
            a.@out(dx, al);
        }

        a.hlt();
        a.Label(ref go);
        a.xor(edi, edi);
        a.xor(eax, eax);
        a.mov(ecx, SystemLayout.WatchedBytes / 4);
        a.rep.stosd();
        a.mov(esi, __dword_ptr[(ebp * 8) + (int)(romBase + 4)]);
        a.call(apply);
        a.mov(esi, __dword_ptr[(ebp * 8) + (int)(romBase + 8)]);
        a.call(apply);
        a.xor(esi, esi);
        a.mov(edi, Pristine);
        a.mov(ecx, SystemLayout.WatchedBytes / 4);
        a.rep.movsd();
        a.mov(__dword_ptr[Running], 1);
        a.mov(eax, SystemLayout.Launcher);
        a.jmp(eax);
        a.Label(ref apply);
        a.lodsd();
        a.cmp(eax, EndOfPatches);
        a.je(applied);
        a.mov(edi, eax);
        a.lodsd();
        a.mov(ecx, eax);
        a.rep.movsb();
        a.jmp(apply);
        a.Label(ref applied);
        a.ret();
    }
}
