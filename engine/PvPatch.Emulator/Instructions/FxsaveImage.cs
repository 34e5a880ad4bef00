using System.Runtime.CompilerServices;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>How FXSAVE stores the pointers to the x87's last instruction and operand.</summary>
internal interface IPointerWidth
{
    static abstract bool IsLong { get; }
}

/// <summary>32-bit offsets with selectors.</summary>
internal struct ShortPointers : IPointerWidth
{
    public static bool IsLong => false;
}

/// <summary>64-bit offsets: with REX.W.</summary>
internal struct LongPointers : IPointerWidth
{
    public static bool IsLong => true;
}

/// <summary>FXSAVE and FXRSTOR (Intel SDM vol. 1, 10.5): x87, MMX and SSE state in 512 bytes. Neither waits for exceptions of the x87.</summary>
internal static unsafe class FxsaveImage
{
    private const int Size = 512;
    private const int Opcode = 6;
    private const int Instruction = 8;
    private const int Data = 16;
    private const int Mxcsr = 24;
    private const int MxcsrMask = 28;
    private const int Registers = 32;
    private const int Xmm = 160;

    /// <summary>The bits of MXCSR that exist.</summary>
    private const uint MxcsrBits = 0xffff;

    public static DecodedInstruction* Save<TPointers>(CpuState* cpu, DecodedInstruction* u)
        where TPointers : IPointerWidth
    {
        if (!IsReady(cpu, u, write: true, out ulong linear))
            return null;
        byte* host = Operands.Modify(cpu, u, linear, Size, out bool slow);
        if (host == null)
            return null;
        StoreComponents<TPointers>(cpu, u, host, StateComponents.All);
        StoreMxcsr(cpu, host);
        return slow ? Operands.Finish(cpu, u) : u + 1;
    }

    public static DecodedInstruction* Restore<TPointers>(CpuState* cpu, DecodedInstruction* u)
        where TPointers : IPointerWidth
    {
        if (!IsReady(cpu, u, write: false, out ulong linear))
            return null;
        byte* host = Operands.Read(cpu, u, linear, Size);
        if (host == null)
            return null;
        if (!MxcsrIsValid(host))
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        LoadComponents<TPointers>(cpu, u, host, StateComponents.All);
        LoadMxcsr(cpu, host);
        return u + 1;
    }

    // SAFETY, for all below: callers give an image whose 512 bytes may be read or changed; all offsets lie in them, Number is below 8.

    /// <summary>Writes state components, but not MXCSR.</summary>
    public static void StoreComponents<TPointers>(CpuState* cpu, DecodedInstruction* u, byte* image, ulong components)
        where TPointers : IPointerWidth
    {
        if ((components & StateComponents.X87) != 0)
        {
            ref FpuState fpu = ref cpu->Fpu;
            Unsafe.WriteUnaligned(image, fpu.Control);
            Unsafe.WriteUnaligned(image + 2, fpu.Status);
            Unsafe.WriteUnaligned(image + 4, (ushort)fpu.Used);
            Unsafe.WriteUnaligned(image + Opcode, fpu.LastOpcode);
            Unsafe.WriteUnaligned(image + Instruction, TPointers.IsLong ? fpu.LastInstruction : (uint)fpu.LastInstruction);
            Unsafe.WriteUnaligned(image + Data, TPointers.IsLong ? fpu.LastData : (uint)fpu.LastData);
            for (int i = 0; i < 8; i++)
            {
                Float80 value = X87.Get(cpu, i);
                Unsafe.WriteUnaligned(image + Registers + (16 * i), value.Mantissa);
                Unsafe.WriteUnaligned(image + Registers + (16 * i) + 8, (ulong)value.High);
            }
        }

        if ((components & StateComponents.Sse) != 0)
            Unsafe.CopyBlockUnaligned(image + Xmm, cpu->Xmm, XmmSize(u));
    }

    /// <summary>Reads state components, but not MXCSR.</summary>
    public static void LoadComponents<TPointers>(CpuState* cpu, DecodedInstruction* u, byte* image, ulong components)
        where TPointers : IPointerWidth
    {
        if ((components & StateComponents.X87) != 0)
        {
            ref FpuState fpu = ref cpu->Fpu;
            fpu.Status = Unsafe.ReadUnaligned<ushort>(image + 2);
            X87Control.SetControl(ref fpu, Unsafe.ReadUnaligned<ushort>(image));
            fpu.Used = image[4];
            fpu.LastOpcode = (ushort)(Unsafe.ReadUnaligned<ushort>(image + Opcode) & 0x7ff);
            fpu.LastInstruction = TPointers.IsLong ? Unsafe.ReadUnaligned<ulong>(image + Instruction) : Unsafe.ReadUnaligned<uint>(image + Instruction);
            fpu.LastData = TPointers.IsLong ? Unsafe.ReadUnaligned<ulong>(image + Data) : Unsafe.ReadUnaligned<uint>(image + Data);
            for (int i = 0; i < 8; i++)
            {
                int number = X87.Number(cpu, i);
                fpu.Mantissa[number] = Unsafe.ReadUnaligned<ulong>(image + Registers + (16 * i));
                fpu.Exponent[number] = Unsafe.ReadUnaligned<ushort>(image + Registers + (16 * i) + 8);
            }
        }

        if ((components & StateComponents.Sse) != 0)
            Unsafe.CopyBlockUnaligned(cpu->Xmm, image + Xmm, XmmSize(u));
    }

    /// <summary>Writes MXCSR and the mask of its bits.</summary>
    public static void StoreMxcsr(CpuState* cpu, byte* image)
    {
        Unsafe.WriteUnaligned(image + Mxcsr, cpu->Mxcsr);
        Unsafe.WriteUnaligned(image + MxcsrMask, MxcsrBits);
    }

    /// <summary>Reads MXCSR.</summary>
    public static void LoadMxcsr(CpuState* cpu, byte* image) => cpu->Mxcsr = Unsafe.ReadUnaligned<uint>(image + Mxcsr);

    /// <summary>Whether an image's MXCSR may be loaded.</summary>
    public static bool MxcsrIsValid(byte* image) => (Unsafe.ReadUnaligned<uint>(image + Mxcsr) & ~MxcsrBits) == 0;

    /// <summary>#UD with CR0.EM, #NM with CR0.TS, #GP off a multiple of 16; what no address is faults later, by its segment.</summary>
    private static bool IsReady(CpuState* cpu, DecodedInstruction* u, bool write, out ulong linear)
    {
        linear = 0;
        if ((cpu->Cr0 & Cr0Bits.Emulation) != 0)
        {
            Execution.Raise(cpu, u, Vectors.InvalidOpcode);
            return false;
        }

        if (!X87.IsPresent(cpu, u))
            return false;
        linear = Operands.Linear(cpu, u, Size, write);
        if ((linear & 15) == 0 || !PageWalk.IsCanonical(linear))
            return true;
        Execution.Raise(cpu, u, Vectors.GeneralProtection);
        return false;
    }

    /// <summary>Outside 64-bit mode XMM8 to XMM15 are left alone.</summary>
    private static uint XmmSize(DecodedInstruction* u) => (u->Marks & Marks.Code64) != Marks.None ? 256u : 128u;
}
