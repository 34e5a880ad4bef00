using PvPatch.Emulator.State;
using PvPatch.Paravirt.Hardware;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;
using static PvPatch.GuestOs.Tests.Ops.NativeOpRow;

namespace PvPatch.GuestOs.Tests.Ops;

internal static unsafe class NativeCpuRows
{
    private const uint NoSuchMsr = 0x9999;
    private const ulong Eio = unchecked((ulong)-5);

    public static NativeOpRow[] All { get; } =
    [
        Of("cpu.io_delay", "writes port 0x80", (cpu, seen) =>
        {
            Instructions.Out8(cpu, 0x80, 0x55);
            PvCpu.IoDelay(cpu);
            seen.Add(Instructions.In8(cpu, 0x80));
        }, 0),
        Of("cpu.get_debugreg", "reads the register of that number", (cpu, seen) =>
        {
            cpu->Dr[3] = 0x1234;
            seen.Add(PvCpu.GetDebugreg(cpu, 3));
        }, 0x1234),
        Of("cpu.set_debugreg", "writes that register alone", (cpu, seen) =>
        {
            PvCpu.SetDebugreg(cpu, 2, 0x77);
            seen.AddRange([cpu->Dr[1], cpu->Dr[2], cpu->Dr[3]]);
        }, 0, 0x77, 0),
        Of("cpu.read_cr0", "reads CR0", (cpu, seen) => seen.Add(PvCpu.ReadCr0(cpu) == cpu->Cr0 ? 1ul : 0), 1),
        Of("cpu.write_cr0", "writes CR0", (cpu, seen) =>
        {
            ulong before = cpu->Cr0;
            PvCpu.WriteCr0(cpu, before ^ Cr0Bits.WriteProtect);
            seen.Add(before ^ cpu->Cr0);
        }, Cr0Bits.WriteProtect),
        Of("cpu.write_cr4", "writes CR4", (cpu, seen) =>
        {
            ulong before = cpu->Cr4;
            PvCpu.WriteCr4(cpu, before ^ (1ul << 2));
            seen.Add(before ^ cpu->Cr4);
        }, 1ul << 2),
        Of("cpu.load_tr_desc", "loads base and limit and marks the TSS busy", (cpu, seen) =>
        {
            ulong* gdt = PerCpu.Of(cpu)->Gdt + Selectors.Tss / 8;
            gdt[0] = Selectors.TssLow(0x1122_3344_5566, 103);
            gdt[1] = Selectors.TssHigh(0x1122_3344_5566);
            cpu->Tr = default;
            PvCpu.LoadTrDesc(cpu);
            seen.AddRange([cpu->Tr.Selector, cpu->Tr.Base, cpu->Tr.Limit, cpu->Tr.Attributes, gdt[0] >> 40 & 0xff]);
        }, 0x40, 0x1122_3344_5566, 103, 0x8b, 0x8b),
        Of("cpu.load_gdt", "loads GDTR", (cpu, seen) =>
        {
            DescriptorTable table = new() { Base = 0x5000, Limit = 0x7f };
            PvCpu.LoadGdt(cpu, &table);
            seen.AddRange([cpu->Gdtr.Base, cpu->Gdtr.Limit]);
        }, 0x5000, 0x7f),
        Of("cpu.load_idt", "loads IDTR", (cpu, seen) =>
        {
            DescriptorTable before = cpu->Idtr;
            DescriptorTable table = new() { Base = before.Base, Limit = 0xff };
            PvCpu.LoadIdt(cpu, &table);
            seen.AddRange([cpu->Idtr.Base - before.Base, cpu->Idtr.Limit]);
            cpu->Idtr = before;
        }, 0, 0xff),
        Of("cpu.set_ldt", "loads LDTR, or empties it", (cpu, seen) =>
        {
            PvCpu.SetLdt(cpu, 0x6000, 4);
            seen.AddRange([cpu->Ldtr.Base, cpu->Ldtr.Limit]);
            PvCpu.SetLdt(cpu, 0x6000, 0);
            seen.AddRange([cpu->Ldtr.Selector, cpu->Ldtr.Limit]);
        }, 0x6000, 31, 0, 0),
        Of("cpu.load_tls", "copies three descriptors", (cpu, seen) =>
        {
            ulong* tls = stackalloc ulong[3] { 11, 12, 13 };
            PvCpu.LoadTls(cpu, tls);
            ulong* gdt = PerCpu.Of(cpu)->Gdt;
            seen.AddRange([gdt[Selectors.TlsIndex - 1], gdt[Selectors.TlsIndex], gdt[Selectors.TlsIndex + 1], gdt[Selectors.TlsIndex + 2], gdt[Selectors.TlsIndex + 3]]);
        }, 0, 11, 12, 13, 0),
        Of("cpu.write_gdt_entry", "writes 8 or 16 bytes", (cpu, seen) =>
        {
            ulong* table = stackalloc ulong[4] { 1, 1, 1, 1 };
            ulong* entry = stackalloc ulong[2] { 8, 9 };
            PvCpu.WriteGdtEntry(cpu, table, 0, entry, 8);
            PvCpu.WriteGdtEntry(cpu, table, 2, entry, 16);
            seen.AddRange([table[0], table[1], table[2], table[3]]);
        }, 8, 1, 8, 9),
        Of("cpu.write_idt_entry", "writes a gate", (cpu, seen) =>
        {
            GateDescriptor gate = GateDescriptor.Interrupt(0x1234_5678_9abc_def0, Selectors.KernelCode, 3);
            GateDescriptor* table = MemoryLayout.At<GateDescriptor>(cpu, MemoryLayout.Idt);
            PvCpu.WriteIdtEntry(cpu, table, 0x77, &gate);
            ulong* raw = (ulong*)(table + 0x77);
            seen.AddRange([raw[0], raw[1]]);
        }, 0x9abc_8e03_0010_def0, 0x1234_5678),
        Of("cpu.load_sp0", "writes the TSS", (cpu, seen) =>
        {
            PvCpu.LoadSp0(cpu, 0xffff_8880_0004_4000);
            seen.Add(*(ulong*)((byte*)&PerCpu.Of(cpu)->Tss + 4));
        }, 0xffff_8880_0004_4000),
        Of("cpu.wbinvd", "leaves memory and registers as they are", (cpu, seen) =>
        {
            byte[] before = new ReadOnlySpan<byte>(cpu, sizeof(CpuState)).ToArray();
            PvCpu.Wbinvd(cpu);
            seen.Add(new ReadOnlySpan<byte>(cpu, sizeof(CpuState)).SequenceEqual(before) ? 1ul : 0);
        }, 1),
        Of("cpu.cpuid", "answers leaf and subleaf", (cpu, seen) =>
        {
            CpuidRegisters vendor, level;
            PvCpu.Cpuid(cpu, 0, 0, &vendor);
            PvCpu.Cpuid(cpu, 0xb, 1, &level);
            seen.AddRange([vendor.Ebx, vendor.Edx, vendor.Ecx, level.Ebx]);
        }, 0x756e_6547, 0x4965_6e69, 0x6c65_746e, 1),
        Of("cpu.read_msr", "reads one that is there", (cpu, seen) =>
        {
            cpu->KernelGsBase = 0xabcd;
            seen.Add(PvCpu.ReadMsr(cpu, Msr.KernelGsBase));
        }, 0xabcd),
        OnMachine("cpu.read_msr", "reports one that is not there and reads 0", (guest, cpu, seen) =>
        {
            seen.Add(PvCpu.ReadMsr((CpuState*)cpu, NoSuchMsr));
            seen.Add((ulong)guest.Messages.Count(line => string.Equals(line, "unchecked MSR access error: RDMSR from 0x9999", StringComparison.Ordinal)));
        }, 0, 1),
        Of("cpu.write_msr", "writes one that is there", (cpu, seen) =>
        {
            PvCpu.WriteMsr(cpu, Msr.KernelGsBase, 0x4321);
            seen.Add(cpu->KernelGsBase);
        }, 0x4321),
        OnMachine("cpu.write_msr", "reports one that is not there", (guest, cpu, seen) =>
        {
            PvCpu.WriteMsr((CpuState*)cpu, NoSuchMsr, 7);
            seen.Add((ulong)guest.Messages.Count(line => string.Equals(line, "unchecked MSR access error: WRMSR to 0x9999 (tried to write 0x0000000000000007)", StringComparison.Ordinal)));
        }, 1),
        Of("cpu.read_msr_safe", "answers 0 or EIO", (cpu, seen) =>
        {
            int error;
            cpu->KernelGsBase = 5;
            seen.Add(PvCpu.ReadMsrSafe(cpu, Msr.KernelGsBase, &error));
            seen.Add((ulong)error);
            seen.Add(PvCpu.ReadMsrSafe(cpu, NoSuchMsr, &error));
            seen.Add((ulong)error);
        }, 5, 0, 0, Eio),
        Of("cpu.write_msr_safe", "answers 0 or EIO", (cpu, seen) =>
        {
            seen.Add((ulong)PvCpu.WriteMsrSafe(cpu, Msr.KernelGsBase, 6));
            seen.Add(cpu->KernelGsBase);
            seen.Add((ulong)PvCpu.WriteMsrSafe(cpu, NoSuchMsr, 6));
        }, 0, 6, Eio),
    ];
}
