using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Handlers of instructions on MM registers, which are the x87's mantissas (Intel SDM vol. 1, 9.5): each of them sets TOP to zero and
/// marks all registers as used, and one that is written gets an exponent of ones. Their meanings are those of the XMM registers'
/// instructions, used on the low half.
/// </summary>
internal static unsafe class MmxShapes
{
    /// <summary>mm, mm (, imm).</summary>
    public static DecodedInstruction* Registers(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return null;
        Enter(cpu);
        Set(cpu, u->Op0, Meaning(u)(Get(cpu, u->Op0), Get(cpu, u->Op1), (byte)u->Immediate).AsUInt64()[0]);
        return u + 1;
    }

    /// <summary>mm, memory (, imm).</summary>
    public static DecodedInstruction* Load<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!TryLoad(cpu, u, out T value))
            return null;
        Enter(cpu);
        Vector128<byte> b = Vector128.Create(Integer.ZeroExtend(value), 0).AsByte();
        Set(cpu, u->Op0, Meaning(u)(Get(cpu, u->Op0), b, (byte)u->Immediate).AsUInt64()[0]);
        return u + 1;
    }

    /// <summary>memory, mm: the low element is stored.</summary>
    public static DecodedInstruction* Store<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return null;
        byte* host = Operands.Modify(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: true), sizeof(T), out bool slow);
        if (host == null)
            return null;
        Enter(cpu);
        // SAFETY: Modify gave sizeof(T) bytes that may be changed.
        Unsafe.WriteUnaligned(host, Operands.Register<T>(cpu, u->Op1));
        return slow ? Operands.Finish(cpu, u) : u + 1;
    }

    /// <summary>mm, general register: MOVD and MOVQ.</summary>
    public static DecodedInstruction* FromGeneral<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return null;
        Enter(cpu);
        Set(cpu, u->Op0, Integer.ZeroExtend(Operands.Register<T>(cpu, u->Op1)));
        return u + 1;
    }

    /// <summary>general register, mm: MOVD and MOVQ.</summary>
    public static DecodedInstruction* ToGeneral<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return null;
        Enter(cpu);
        Operands.SetRegister(cpu, u->Op0, Operands.Register<T>(cpu, u->Op1));
        return u + 1;
    }

    /// <summary>PINSRW from a general register.</summary>
    public static DecodedInstruction* InsertRegister(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return null;
        Enter(cpu);
        Insert(cpu, u, Operands.Register<ushort>(cpu, u->Op1));
        return u + 1;
    }

    /// <summary>PINSRW from memory.</summary>
    public static DecodedInstruction* InsertMemory(CpuState* cpu, DecodedInstruction* u)
    {
        if (!TryLoad(cpu, u, out ushort value))
            return null;
        Enter(cpu);
        Insert(cpu, u, value);
        return u + 1;
    }

    /// <summary>PEXTRW.</summary>
    public static DecodedInstruction* Extract(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return null;
        Enter(cpu);
        Operands.SetRegister(cpu, u->Op0, (ulong)(ushort)(Operands.Register<ulong>(cpu, u->Op1) >> (16 * ((int)u->Immediate & 3))));
        return u + 1;
    }

    /// <summary>PMOVMSKB.</summary>
    public static DecodedInstruction* SignMask(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return null;
        Enter(cpu);
        Operands.SetRegister(cpu, u->Op0, (ulong)Vector128.ExtractMostSignificantBits(Get(cpu, u->Op1)));
        return u + 1;
    }

    /// <summary>MOVQ2DQ.</summary>
    public static DecodedInstruction* ToXmm(CpuState* cpu, DecodedInstruction* u)
    {
        if (!VectorShapes.IsReady(cpu, u) || !IsReady(cpu, u))
            return null;
        Enter(cpu);
        VectorShapes.SetXmm(cpu, u->Op0, Get(cpu, u->Op1));
        return u + 1;
    }

    /// <summary>MOVDQ2Q.</summary>
    public static DecodedInstruction* FromXmm(CpuState* cpu, DecodedInstruction* u)
    {
        if (!VectorShapes.IsReady(cpu, u) || !IsReady(cpu, u))
            return null;
        Enter(cpu);
        Set(cpu, u->Op0, Operands.Register<ulong>(cpu, u->Op1));
        return u + 1;
    }

    /// <summary>MASKMOVQ: bytes whose mask has its sign set go to DS:RDI.</summary>
    public static DecodedInstruction* MaskedStore(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return null;
        ulong offset = Counter.Cut(u, cpu->Rdi);
        ulong linear = u->Addressing == Addressing.Flat ? offset : Operands.InSegment(cpu, u, offset, 8, write: true);
        uint chosen = Vector128.ExtractMostSignificantBits(Get(cpu, u->Op2));
        ulong value = Operands.Register<ulong>(cpu, u->Op1);
        bool slow = false;
        byte* host = chosen == 0 ? (byte*)&value : Operands.Modify(cpu, u, linear, 8, out slow);
        if (host == null)
            return null;
        Enter(cpu);
        for (int i = 0; i < 8; i++)
        {
            // SAFETY: Modify gave 8 bytes that may be changed.
            if ((chosen >> i & 1) != 0)
                host[i] = (byte)(value >> (8 * i));
        }

        return slow ? Operands.Finish(cpu, u) : u + 1;
    }

    /// <summary>EMMS: all registers are empty.</summary>
    public static DecodedInstruction* Leave(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return null;
        cpu->Fpu.Used = 0;
        X87.SetStatus(cpu, X87.TopMask, 0);
        return u + 1;
    }

    /// <summary>Whether MMX may be used: #UD with CR0.EM, #NM with CR0.TS, #MF if an exception of the x87 waits (SDM vol. 3, 13.1).</summary>
    public static bool IsReady(CpuState* cpu, DecodedInstruction* u)
    {
        if ((cpu->Cr0 & Cr0Bits.Emulation) == 0)
            return X87.IsReady(cpu, u);
        Execution.Raise(cpu, u, Vectors.InvalidOpcode);
        return false;
    }

    /// <summary>From the x87 to MMX: TOP is zero and no register is empty (Intel SDM vol. 1, 9.5.1).</summary>
    public static void Enter(CpuState* cpu)
    {
        cpu->Fpu.Used = 0xff;
        cpu->Fpu.Status &= unchecked((ushort)~X87.TopMask);
    }

    /// <summary>An MM register, zero above.</summary>
    public static Vector128<byte> Get(CpuState* cpu, ushort place) => Vector128.Create(Operands.Register<ulong>(cpu, place), 0).AsByte();

    /// <summary>Writes an MM register.</summary>
    public static void Set(CpuState* cpu, ushort place, ulong value)
    {
        int number = (int)((byte*)cpu + place - (byte*)cpu->Fpu.Mantissa) / sizeof(ulong);
        // SAFETY: places of MM registers are the eight mantissas.
        cpu->Fpu.Mantissa[number] = value;
        cpu->Fpu.Exponent[number] = 0xffff;
    }

    private static void Insert(CpuState* cpu, DecodedInstruction* u, ushort value)
    {
        int shift = 16 * ((int)u->Immediate & 3);
        Set(cpu, u->Op0, (Operands.Register<ulong>(cpu, u->Op0) & ~(0xfffful << shift)) | ((ulong)value << shift));
    }

    private static bool TryLoad<T>(CpuState* cpu, DecodedInstruction* u, out T value)
    {
        value = Integer.Zero<T>();
        if (!IsReady(cpu, u))
            return false;
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: false), sizeof(T));
        if (host == null)
            return false;
        // SAFETY: Read gave the address of sizeof(T) readable bytes.
        value = Unsafe.ReadUnaligned<T>(host);
        return true;
    }

    private static delegate*<Vector128<byte>, Vector128<byte>, byte, Vector128<byte>> Meaning(DecodedInstruction* u) =>
        (delegate*<Vector128<byte>, Vector128<byte>, byte, Vector128<byte>>)u->Target;
}
