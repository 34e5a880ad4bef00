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
    /// <summary>Bytes of the image.</summary>
    public const int Size = 512;

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

        // SAFETY: Modify gave 512 bytes that may be changed.
        StoreComponents(cpu, host, StateComponents.All, TPointers.IsLong, StateComponents.VectorBytes(u));
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

        // SAFETY: Read gave 512 readable bytes.
        return TryLoad(cpu, host, TPointers.IsLong, StateComponents.VectorBytes(u)) ? u + 1 : Execution.Raise(cpu, u, Vectors.GeneralProtection);
    }

    /// <summary>Loads registers from an image; false if its MXCSR has bits that do not exist, and then nothing is loaded.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="host">512 bytes.</param>
    /// <param name="longPointers">The pointers to the last instruction and operand have 64 bits.</param>
    /// <param name="vectorBytes">How many bytes of the XMM registers are read.</param>
    public static bool TryLoad(CpuState* cpu, byte* host, bool longPointers, uint vectorBytes)
    {
        if (!MxcsrIsValid(host))
            return false;
        LoadComponents(cpu, host, StateComponents.All, longPointers, vectorBytes);
        LoadMxcsr(cpu, host);
        return true;
    }

    // SAFETY, for all below: callers give an image of 512 bytes, in which all offsets lie; Number is below 8.

    /// <summary>Writes those state components that the image has, but not MXCSR.</summary>
    public static void StoreComponents(CpuState* cpu, byte* host, ulong components, bool longPointers, uint vectorBytes)
    {
        if ((components & StateComponents.X87) != 0)
        {
            ref FpuState fpu = ref cpu->Fpu;
            Unsafe.WriteUnaligned(host, fpu.Control);
            Unsafe.WriteUnaligned(host + 2, fpu.Status);
            Unsafe.WriteUnaligned(host + 4, (ushort)fpu.Used);
            Unsafe.WriteUnaligned(host + Opcode, fpu.LastOpcode);
            Unsafe.WriteUnaligned(host + Instruction, longPointers ? fpu.LastInstruction : (uint)fpu.LastInstruction);
            Unsafe.WriteUnaligned(host + Data, longPointers ? fpu.LastData : (uint)fpu.LastData);
            for (int i = 0; i < 8; i++)
            {
                Float80 value = X87.Get(cpu, i);
                Unsafe.WriteUnaligned(host + Registers + (16 * i), value.Mantissa);
                Unsafe.WriteUnaligned(host + Registers + (16 * i) + 8, (ulong)value.High);
            }
        }

        if ((components & StateComponents.Sse) != 0)
            Unsafe.CopyBlockUnaligned(host + Xmm, cpu->Xmm, vectorBytes);
    }

    /// <summary>Reads those state components that the image has, but not MXCSR.</summary>
    public static void LoadComponents(CpuState* cpu, byte* host, ulong components, bool longPointers, uint vectorBytes)
    {
        if ((components & StateComponents.X87) != 0)
        {
            ref FpuState fpu = ref cpu->Fpu;
            fpu.Status = Unsafe.ReadUnaligned<ushort>(host + 2);
            X87Control.SetControl(ref fpu, Unsafe.ReadUnaligned<ushort>(host));
            fpu.Used = host[4];
            fpu.LastOpcode = (ushort)(Unsafe.ReadUnaligned<ushort>(host + Opcode) & 0x7ff);
            fpu.LastInstruction = longPointers ? Unsafe.ReadUnaligned<ulong>(host + Instruction) : Unsafe.ReadUnaligned<uint>(host + Instruction);
            fpu.LastData = longPointers ? Unsafe.ReadUnaligned<ulong>(host + Data) : Unsafe.ReadUnaligned<uint>(host + Data);
            for (int i = 0; i < 8; i++)
            {
                int number = X87.Number(cpu, i);
                fpu.Mantissa[number] = Unsafe.ReadUnaligned<ulong>(host + Registers + (16 * i));
                fpu.Exponent[number] = Unsafe.ReadUnaligned<ushort>(host + Registers + (16 * i) + 8);
            }
        }

        if ((components & StateComponents.Sse) != 0)
            Unsafe.CopyBlockUnaligned(cpu->Xmm, host + Xmm, vectorBytes);
    }

    /// <summary>Writes MXCSR and the mask of its bits.</summary>
    public static void StoreMxcsr(CpuState* cpu, byte* host)
    {
        Unsafe.WriteUnaligned(host + Mxcsr, cpu->Mxcsr);
        Unsafe.WriteUnaligned(host + MxcsrMask, MxcsrBits);
    }

    /// <summary>Reads MXCSR.</summary>
    public static void LoadMxcsr(CpuState* cpu, byte* host) => cpu->Mxcsr = Unsafe.ReadUnaligned<uint>(host + Mxcsr);

    /// <summary>Whether an image's MXCSR may be loaded.</summary>
    public static bool MxcsrIsValid(byte* host) => (Unsafe.ReadUnaligned<uint>(host + Mxcsr) & ~MxcsrBits) == 0;

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
}
