using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Hardware;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Log;

namespace PvPatch.Paravirt.Native;

/// <summary>CPU ops as the bare hardware does them (Linux: native_* in asm/special_insns.h, asm/desc.h, asm/msr.h).</summary>
internal static unsafe class NativeCpu
{
    private const int Eio = 5;
    private const ushort DelayPort = 0x80;

    public static void IoDelay(CpuState* cpu) => Instructions.Out8(cpu, DelayPort, 0);

    // SAFETY: debug registers are 0-7; the mask keeps any other number inside the fixed buffer, as the encoding does.
    public static ulong GetDebugreg(CpuState* cpu, int number) => cpu->Dr[number & 7];

    public static void SetDebugreg(CpuState* cpu, int number, ulong value) => cpu->Dr[number & 7] = value;

    public static ulong ReadCr0(CpuState* cpu) => cpu->Cr0;

    public static void WriteCr0(CpuState* cpu, ulong value) => Instructions.MovToCr(cpu, 0, value);

    public static void WriteCr4(CpuState* cpu, ulong value) => Instructions.MovToCr(cpu, 4, value);

    /// <summary>LTR: loads the TSS descriptor of the GDT and marks it busy (Intel SDM vol. 2, LTR).</summary>
    public static void LoadTrDesc(CpuState* cpu)
    {
        ulong* descriptor = PerCpu.Of(cpu)->Gdt + Selectors.Tss / sizeof(ulong);
        ulong low = descriptor[0];
        cpu->Tr = new Segment
        {
            Selector = Selectors.Tss,
            Attributes = (ushort)(((low >> 40) & 0xf0ff) | 2),
            Limit = (uint)((low & 0xffff) | (low >> 32 & 0xf_0000)),
            Base = (low >> 16 & 0xff_ffff) | (low >> 56 << 24) | (descriptor[1] << 32),
        };
        descriptor[0] = low | (2ul << 40);
    }

    public static void LoadGdt(CpuState* cpu, DescriptorTable* table) => cpu->Gdtr = *table;

    public static void LoadIdt(CpuState* cpu, DescriptorTable* table) => cpu->Idtr = *table;

    public static void SetLdt(CpuState* cpu, ulong address, uint entries) => cpu->Ldtr = entries == 0
        ? default
        : new Segment { Selector = 0x50, Attributes = 0x82, Limit = (entries * sizeof(ulong)) - 1, Base = address };

    public static void LoadTls(CpuState* cpu, ulong* descriptors)
    {
        ulong* gdt = PerCpu.Of(cpu)->Gdt + Selectors.TlsIndex;
        gdt[0] = descriptors[0];
        gdt[1] = descriptors[1];
        gdt[2] = descriptors[2];
    }

    public static void WriteGdtEntry(CpuState* cpu, ulong* table, int index, ulong* descriptor, int size)
    {
        table[index] = descriptor[0];
        if (size == 16)
            table[index + 1] = descriptor[1];
    }

    public static void WriteIdtEntry(CpuState* cpu, GateDescriptor* table, int vector, GateDescriptor* gate) => table[vector] = *gate;

    public static void LoadSp0(CpuState* cpu, ulong stack) => PerCpu.Of(cpu)->Tss.Rsp0 = stack;

    public static void Wbinvd(CpuState* cpu) => cpu->Sensitive->Wbinvd(cpu);

    public static void Cpuid(CpuState* cpu, uint leaf, uint subleaf, CpuidRegisters* result) => cpu->Sensitive->Cpuid(cpu, leaf, subleaf, result);

    public static ulong ReadMsr(CpuState* cpu, uint msr)
    {
        int error;
        ulong value = ReadMsrSafe(cpu, msr, &error);
        if (error != 0)
            KernelLog.Print(cpu, $"unchecked MSR access error: RDMSR from 0x{msr:x}");
        return value;
    }

    public static void WriteMsr(CpuState* cpu, uint msr, ulong value)
    {
        if (WriteMsrSafe(cpu, msr, value) != 0)
            KernelLog.Print(cpu, $"unchecked MSR access error: WRMSR to 0x{msr:x} (tried to write 0x{value:x16})");
    }

    public static ulong ReadMsrSafe(CpuState* cpu, uint msr, int* error)
    {
        ulong value = 0;
        *error = cpu->Sensitive->Rdmsr(cpu, msr, &value) == 0 ? 0 : -Eio;
        return *error == 0 ? value : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WriteMsrSafe(CpuState* cpu, uint msr, ulong value) => cpu->Sensitive->Wrmsr(cpu, msr, value) == 0 ? 0 : -Eio;
}
