using Iced.Intel;
using PvPatch.Emulator.State;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Firmware;

/// <summary>The code that brings a processor from flat 32-bit protected mode into the state of a case, by the ways a kernel takes.</summary>
internal static class SystemLauncher
{
    private const uint Wide = SystemLayout.Launcher + 0x400;
    private const uint Narrow = SystemLayout.Launcher + 0x600;
    private const uint NarrowReal = SystemLayout.Launcher + 0x680;
    private const uint GdtPointer = SystemLayout.Launcher + 0xe00;
    private const uint IdtPointer = SystemLayout.Launcher + 0xe10;
    private const ushort RealCode = (ushort)(SystemLayout.Code >> 4);
    private const ushort RealData = (ushort)(SystemLayout.Data >> 4);
    private const ushort RealStack = 0x800;
    private const ulong VirtualMode = RFlags.Virtual8086;
    private const ulong KernelGsBase = 0x1234_5678_9abc;
    private const ulong EnteredEfer = EferBits.SyscallEnable | EferBits.LongModeEnable | EferBits.LongModeActive | EferBits.NoExecuteEnable;

    /// <summary>What lies in memory for a case: its launcher and its code.</summary>
    public static IEnumerable<(uint Address, byte[] Bytes)> Build(SystemCase one)
    {
        yield return (SystemLayout.Code, [.. one.Code, 0x0f, 0x0b]);
        yield return (SystemLayout.Code + 0x80, [0x0f, 0x0b]);
        yield return (GdtPointer, Pointer(SystemLayout.Gdt, SystemLayout.GdtLimit));
        yield return (IdtPointer, one.Mode == SystemMode.Real ? Pointer(0, 0x3ff) : Pointer(SystemLayout.Idt, one.IsLong ? (ushort)0xfff : (ushort)0x7ff));
        yield return (SystemLayout.Launcher, Assemble(32, SystemLayout.Launcher, a => Start(a, one)));
        if (one.IsLong)
            yield return (Wide, Assemble(64, Wide, a => EnterLong(a, one)));
        if (one.Mode == SystemMode.Real)
        {
            yield return (Narrow, Assemble(16, Narrow, a => LeaveProtection(a, one)));
            yield return (NarrowReal, Assemble(16, NarrowReal, a => EnterReal(a, one)));
        }
    }

    /// <summary>IP at the start of the code.</summary>
    public static ulong StartRip(SystemMode mode) => mode is SystemMode.Real or SystemMode.Virtual8086 ? 0 : SystemLayout.Code;

    /// <summary>DS, ES, FS and GS when the code begins; real handlers of virtual-8086 mode find them null.</summary>
    public static ushort DataSelector(SystemCase one) => one.Mode switch
    {
        SystemMode.Real => RealData,
        SystemMode.Virtual8086 => 0,
        SystemMode.Protected16 => SystemLayout.At(SystemLayout.Data16, one.Level),
        _ => SystemLayout.At(SystemLayout.Data32, one.Level),
    };

    /// <summary>CR0 and what follows in <see cref="SystemResult.System"/> when the code begins.</summary>
    public static ulong[] System(SystemCase one)
    {
        bool real = one.Mode == SystemMode.Real;
        ulong cr0 = Cr0Bits.ExtensionType | one.Cr0 | (real ? 0 : Cr0Bits.ProtectionEnable) | (HasPages(one) ? Cr0Bits.Paging : 0);
        ulong[] all =
        [
            cr0, 0, SystemLayout.PageTables, Cr4(one), 0xffff_0ff0, one.Debug[4] | 0x400, real ? 0ul : SystemLayout.TaskSelector,
            real ? 0ul : SystemLayout.LdtSelector, 0, 0, one.IsLong ? KernelGsBase : 0, one.IsLong ? EnteredEfer : 0,
        ];
        return all;
    }

    private static bool HasPages(SystemCase one) => one.IsLong || one.Mode is SystemMode.Paged32 or SystemMode.Pae32;

    private static ulong Cr4(SystemCase one) => one.Cr4 | (one.IsLong || one.Mode == SystemMode.Pae32 ? Cr4Bits.PhysicalAddressExtension : 0);

    private static byte[] Pointer(uint address, ushort limit) => [.. BitConverter.GetBytes(limit), .. BitConverter.GetBytes((ulong)address)];

    private static byte[] Assemble(int bitness, uint address, Action<Assembler> write)
    {
        var assembler = new Assembler(bitness);
        write(assembler);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), address);
        return stream.ToArray();
    }

    private static void Start(Assembler a, SystemCase one)
    {
        a.lgdt(__[GdtPointer]);
        a.lidt(__[IdtPointer]);
        a.mov(eax, (uint)Cr4(one));
        a.mov(cr4, eax);
        a.mov(eax, SystemLayout.PageTables);
        a.mov(cr3, eax);
        ushort sysenter = one.IsLong ? SystemLayout.Code64 : SystemLayout.Code32;
        Msr(a, State.Msr.SysenterCs, sysenter);
        Msr(a, State.Msr.SysenterEsp, SystemLayout.KernelStack);
        Msr(a, State.Msr.SysenterEip, SystemFirmware.Stub(one.IsLong ? 64 : 32, 0xfa));
        if (one.IsLong)
        {
            Msr(a, State.Msr.Efer, EferBits.LongModeEnable | EferBits.SyscallEnable | EferBits.NoExecuteEnable);
            Msr(a, State.Msr.Star, 0x0098_0088_0000_0000);
            Msr(a, State.Msr.Lstar, SystemFirmware.Stub(64, 0xf8));
            Msr(a, State.Msr.Cstar, SystemFirmware.Stub(64, 0xf9));
            Msr(a, State.Msr.SyscallMask, RFlags.InterruptEnable | RFlags.Trap | RFlags.Direction | RFlags.Carry);
            Msr(a, State.Msr.FsBase, 0);
            Msr(a, State.Msr.KernelGsBase, KernelGsBase);
        }

        a.mov(eax, (uint)(Cr0Bits.ProtectionEnable | Cr0Bits.ExtensionType | (HasPages(one) ? Cr0Bits.Paging : 0) | one.Cr0));
        a.mov(cr0, eax);
        if (one.IsLong)
        {
            FarJump(a, Wide, SystemLayout.Code64);
            return;
        }

        if (one.Mode == SystemMode.Real)
        {
            Debug(a, one);
            Segments(a, SystemLayout.Data16);
            a.mov(ss, ax);
            FarJump(a, Narrow, SystemLayout.Code16);
            return;
        }

        a.mov(eax, SystemLayout.Data32);
        a.mov(ss, ax);
        a.mov(esp, SystemLayout.KernelStack);
        Tables(a);
        Debug(a, one);
        PushFrame(a, one);
        if (one.Mode != SystemMode.Virtual8086)
            Segments(a, SystemLayout.At(one.Mode == SystemMode.Protected16 ? SystemLayout.Data16 : SystemLayout.Data32, one.Level));
        AssemblerRegister32[] registers = [eax, ecx, edx, ebx, esp, ebp, esi, edi];
        for (int i = 0; i < 8; i++)
        {
            if (i != 4)
                a.mov(registers[i], (uint)one.General[i]);
        }

        a.iretd();
    }

    private static void PushFrame(Assembler a, SystemCase one)
    {
        bool narrow = one.Mode == SystemMode.Protected16;
        if (one.Mode == SystemMode.Virtual8086)
        {
            foreach (uint value in new uint[] { RealData, RealData, RealData, RealData, RealStack, 0x800, (uint)(one.Flags | VirtualMode | RFlags.Fixed), RealCode, 0 })
                Push(a, value);
            return;
        }

        if (one.Level > 0)
        {
            Push(a, SystemLayout.At(narrow ? SystemLayout.Data16 : SystemLayout.Data32, one.Level));
            Push(a, one.Level == 3 ? SystemLayout.UserStack : SystemLayout.InnerStack);
        }
        else if (narrow)
        {
            a.mov(eax, SystemLayout.Data16);
            a.mov(ss, ax);
        }

        Push(a, (uint)(one.Flags | RFlags.Fixed));
        Push(a, SystemLayout.At(narrow ? SystemLayout.Code16 : SystemLayout.Code32, one.Level));
        Push(a, SystemLayout.Code);
    }

    private static void EnterLong(Assembler a, SystemCase one)
    {
        a.mov(eax, SystemLayout.Data32);
        a.mov(ss, ax);
        a.mov(esp, SystemLayout.KernelStack);
        Tables(a);
        for (int i = 0; i < 5; i++)
        {
            a.mov(rax, one.Debug[i]);
            a.mov(new[] { dr0, dr1, dr2, dr3, dr7 }[i], rax);
        }

        Push(a, SystemLayout.At(SystemLayout.Data32, one.Level));
        Push(a, one.Level switch { 0 => SystemLayout.KernelStack, 3 => SystemLayout.UserStack, _ => SystemLayout.InnerStack });
        Push(a, (uint)(one.Flags | RFlags.Fixed));
        Push(a, SystemLayout.At(one.Mode == SystemMode.Long64 ? SystemLayout.Code64 : SystemLayout.Code32, one.Level));
        Push(a, SystemLayout.Code);
        Segments(a, SystemLayout.At(SystemLayout.Data32, one.Level));
        AssemblerRegister64[] registers = [rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15];
        for (int i = 0; i < 16; i++)
        {
            if (i != 4)
                a.mov(registers[i], one.General[i]);
        }

        a.iretq();
    }

    private static void LeaveProtection(Assembler a, SystemCase one)
    {
        a.mov(eax, (uint)(Cr0Bits.ExtensionType | one.Cr0));
        a.mov(cr0, eax);
        a.db(0xea);
        a.dw((ushort)NarrowReal, 0);
    }

    private static void EnterReal(Assembler a, SystemCase one)
    {
        Segments(a, RealData);
        a.mov(ax, RealStack);
        a.mov(ss, ax);
        a.mov(sp, 0x800);
        foreach (ushort value in new ushort[] { (ushort)(one.Flags | RFlags.Fixed), RealCode, 0 })
        {
            a.mov(ax, value);
            a.push(ax);
        }

        AssemblerRegister32[] registers = [eax, ecx, edx, ebx, esp, ebp, esi, edi];
        for (int i = 0; i < 8; i++)
        {
            if (i != 4)
                a.mov(registers[i], (uint)one.General[i]);
        }

        a.iret();
    }

    private static void Tables(Assembler a)
    {
        a.mov(eax, SystemLayout.LdtSelector);
        a.lldt(ax);
        a.mov(eax, SystemLayout.TaskSelector);
        a.ltr(ax);
    }

    private static void Debug(Assembler a, SystemCase one)
    {
        for (int i = 0; i < 5; i++)
        {
            a.mov(eax, (uint)one.Debug[i]);
            a.mov(new[] { dr0, dr1, dr2, dr3, dr7 }[i], eax);
        }
    }

    private static void Segments(Assembler a, ushort selector)
    {
        a.mov(ax, selector);
        foreach (AssemblerRegisterSegment register in new[] { ds, es, fs, gs })
            a.mov(register, ax);
    }

    private static void Push(Assembler a, uint value)
    {
        a.mov(eax, value);
        if (a.Bitness == 64)
            a.push(rax);
        else
            a.push(eax);
    }

    private static void Msr(Assembler a, uint number, ulong value)
    {
        a.mov(ecx, number);
        a.mov(eax, (uint)value);
        a.mov(edx, (uint)(value >> 32));
        a.wrmsr();
    }

    private static void FarJump(Assembler a, uint address, ushort selector)
    {
        a.db(0xea);
        a.dd(address);
        a.dw(selector);
    }
}
