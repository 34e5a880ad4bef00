using System.Buffers.Binary;
using Iced.Intel;
using PvPatch.Emulator.State;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Kit;

/// <summary>The page a start-up message names: from real mode straight to 64-bit code, with the tables of <see cref="CodeMachine"/>.</summary>
internal static class RealModeToLongMode
{
    public const ulong Page = 0x9000;

    private const int GdtPointer = 0x80;

    public static byte[] Code(ulong target)
    {
        var a = new Assembler(16);
        a.lgdt(__[(int)Page + GdtPointer]);
        a.mov(eax, (uint)(Cr4Bits.PhysicalAddressExtension | Cr4Bits.OsFxsr));
        a.mov(cr4, eax);
        a.mov(eax, 0x1000);
        a.mov(cr3, eax);
        a.mov(ecx, Msr.Efer);
        a.mov(eax, (uint)EferBits.LongModeEnable);
        a.xor(edx, edx);
        a.wrmsr();
        a.mov(eax, (uint)(Cr0Bits.Paging | Cr0Bits.ProtectionEnable | Cr0Bits.ExtensionType));
        a.mov(cr0, eax);
        a.db(0x66, 0xea);
        a.dd((uint)target);
        a.dw(0x08);
        using var stream = new MemoryStream();
        a.Assemble(new StreamCodeWriter(stream), Page);
        byte[] page = new byte[GdtPointer + 6];
        stream.ToArray().CopyTo(page, 0);
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(GdtPointer), 0x2f);
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(GdtPointer + 2), 0x6000);
        return page;
    }
}
