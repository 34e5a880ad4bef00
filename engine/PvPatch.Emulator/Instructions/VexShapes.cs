using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>What a packed instruction makes of whole YMM registers, where elements cross their halves.</summary>
internal delegate Vector256<byte> WideMeaning(Vector256<byte> first, Vector256<byte> second, byte immediate);

/// <summary>How the operands of a VEX instruction reach its meaning, which works on 16 bytes: a lane.</summary>
internal enum VexSpread : byte
{
    /// <summary>It is none of these: its handler knows.</summary>
    None,

    /// <summary>Each lane of the result is made of the same lane of the operands.</summary>
    LaneByLane,

    /// <summary>Each lane of the result is made of the same lane of the first operand and the low lane of the second one.</summary>
    SameSecond,

    /// <summary>The second operand is half as wide as the result: each lane is made of a half of it.</summary>
    Widening,

    /// <summary>The result is half as wide as the second operand: each lane of that makes a half of it.</summary>
    Narrowing,

    /// <summary>The meaning is a <see cref="WideMeaning"/>.</summary>
    Wide,
}

/// <summary>VEX.L.</summary>
internal interface IVexWidth
{
    /// <summary>Lanes of 16 bytes.</summary>
    static abstract int Lanes { get; }
}

/// <summary>VEX.128: the upper halves of YMM registers that are written become zero.</summary>
internal struct Vex128 : IVexWidth
{
    public static int Lanes => 1;
}

/// <summary>VEX.256.</summary>
internal struct Vex256 : IVexWidth
{
    public static int Lanes => 2;
}

/// <summary>
/// Handlers of packed VEX instructions (Intel SDM vol. 1, 14.1; vol. 2, 2.3). They mean, lane by lane, what SSE instructions mean, with a destination
/// of its own: the first operand is Op1, the second one Op2 or memory, which need not be aligned.
/// </summary>
internal static unsafe class VexShapes
{
    /// <summary>From the place of an XMM register to that of the upper half of its YMM register: <see cref="CpuState.YmmHigh"/> follows <see cref="CpuState.Xmm"/>.</summary>
    public const int ToHigh = 32 * sizeof(ulong);

    /// <summary>A lane of a register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Lane(CpuState* cpu, ushort place, int lane) =>
        Operands.Register<Vector128<byte>>(cpu, (ushort)(place + (lane * ToHigh)));

    /// <summary>A YMM register.</summary>
    public static Vector256<byte> Ymm(CpuState* cpu, ushort place) => Vector256.Create(Lane(cpu, place, 0), Lane(cpu, place, 1));

    /// <summary>Writes a register; VEX.128 clears its upper half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetResult<TWidth>(CpuState* cpu, ushort place, Vector128<byte> low, Vector128<byte> high)
        where TWidth : IVexWidth
    {
        VectorShapes.SetXmm(cpu, place, low);
        VectorShapes.SetXmm(cpu, (ushort)(place + ToHigh), TWidth.Lanes == 2 ? high : default);
    }

    /// <summary>Loads the memory operand, zero above it; false after a fault.</summary>
    public static bool TryLoad(CpuState* cpu, DecodedInstruction* u, out Vector128<byte> low, out Vector128<byte> high, bool aligned = false)
    {
        low = high = default;
        if (!VectorShapes.IsReady(cpu, u))
            return false;
        int size = VexOperands.MemorySize(u);
        ulong linear = Operands.Linear(cpu, u, size, write: false);
        if (aligned && (linear & (ulong)(size - 1)) != 0)
        {
            Execution.Raise(cpu, u, Vectors.GeneralProtection);
            return false;
        }

        byte* host = Operands.Read(cpu, u, linear, size);
        if (host == null)
            return false;
        // SAFETY: Read gave the address of size readable bytes.
        switch (size)
        {
            case 1:
                low = Vector128.CreateScalar(*host);
                break;
            case 2:
                low = VectorElements.Load<ushort>(host);
                break;
            case 4:
                low = VectorElements.Load<uint>(host);
                break;
            case 8:
                low = VectorElements.Load<ulong>(host);
                break;
            default:
                low = Vector128.Load(host);
                high = size == 32 ? Vector128.Load(host + 16) : default;
                break;
        }

        return true;
    }

    /// <summary>Lane by lane, of registers.</summary>
    public static DecodedInstruction* Registers<TWidth>(CpuState* cpu, DecodedInstruction* u)
        where TWidth : IVexWidth =>
        VectorShapes.IsReady(cpu, u) ? Apply<TWidth>(cpu, u, Lane(cpu, u->Op2, 0), Lane(cpu, u->Op2, 1)) : null;

    /// <summary>Lane by lane, with memory.</summary>
    public static DecodedInstruction* Memory<TWidth>(CpuState* cpu, DecodedInstruction* u)
        where TWidth : IVexWidth =>
        TryLoad(cpu, u, out Vector128<byte> low, out Vector128<byte> high) ? Apply<TWidth>(cpu, u, low, high) : null;

    /// <summary>Lane by lane, with aligned memory.</summary>
    public static DecodedInstruction* AlignedMemory<TWidth>(CpuState* cpu, DecodedInstruction* u)
        where TWidth : IVexWidth =>
        TryLoad(cpu, u, out Vector128<byte> low, out Vector128<byte> high, aligned: true) ? Apply<TWidth>(cpu, u, low, high) : null;

    /// <summary>256 bits, the low lane of the second register for both.</summary>
    public static DecodedInstruction* SameSecondRegister(CpuState* cpu, DecodedInstruction* u)
    {
        if (!VectorShapes.IsReady(cpu, u))
            return null;
        Vector128<byte> second = Lane(cpu, u->Op2, 0);
        return Apply<Vex256>(cpu, u, second, second);
    }

    /// <summary>256 bits, 16 bytes of memory for both lanes.</summary>
    public static DecodedInstruction* SameSecondMemory(CpuState* cpu, DecodedInstruction* u) =>
        TryLoad(cpu, u, out Vector128<byte> second, out _) ? Apply<Vex256>(cpu, u, second, second) : null;

    /// <summary>256 bits of half of them in a register.</summary>
    public static DecodedInstruction* WideningRegister(CpuState* cpu, DecodedInstruction* u)
    {
        if (!VectorShapes.IsReady(cpu, u))
            return null;
        Vector128<byte> second = Lane(cpu, u->Op2, 0);
        return Apply<Vex256>(cpu, u, second, UpperPart(second, VexOperands.MemorySize(u)));
    }

    /// <summary>256 bits of half of them, or less, in memory.</summary>
    public static DecodedInstruction* WideningMemory(CpuState* cpu, DecodedInstruction* u) =>
        TryLoad(cpu, u, out Vector128<byte> second, out _) ? Apply<Vex256>(cpu, u, second, UpperPart(second, VexOperands.MemorySize(u))) : null;

    /// <summary>256 bits whose elements cross lanes, of registers.</summary>
    public static DecodedInstruction* WideRegisters(CpuState* cpu, DecodedInstruction* u) =>
        VectorShapes.IsReady(cpu, u) ? ApplyWide(cpu, u, Ymm(cpu, u->Op2)) : null;

    /// <summary>256 bits whose elements cross lanes, with memory.</summary>
    public static DecodedInstruction* WideMemory(CpuState* cpu, DecodedInstruction* u) =>
        TryLoad(cpu, u, out Vector128<byte> low, out Vector128<byte> high) ? ApplyWide(cpu, u, Vector256.Create(low, high)) : null;

    /// <summary>What the high lane of a result twice as wide is made of: the upper half of so many bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> UpperPart(Vector128<byte> vector, int size) => size switch
    {
        16 => vector.AsUInt64().WithElement(0, vector.AsUInt64().GetElement(1)).AsByte(),
        8 => (vector.AsUInt64() >>> 32).AsByte(),
        _ => (vector.AsUInt64() >>> 16).AsByte(),
    };

    private static DecodedInstruction* Apply<TWidth>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> low, Vector128<byte> high)
        where TWidth : IVexWidth
    {
        var meaning = (delegate*<Vector128<byte>, Vector128<byte>, byte, Vector128<byte>>)u->Target;
        low = meaning(Lane(cpu, u->Op1, 0), low, (byte)u->Immediate);
        if (TWidth.Lanes == 2)
            high = meaning(Lane(cpu, u->Op1, 1), high, (byte)((byte)u->Immediate >> VexOperands.HighShift(u)));
        SetResult<TWidth>(cpu, u->Op0, low, high);
        return Execution.Next(cpu, u + 1);
    }

    private static DecodedInstruction* ApplyWide(CpuState* cpu, DecodedInstruction* u, Vector256<byte> second)
    {
        var meaning = (delegate*<Vector256<byte>, Vector256<byte>, byte, Vector256<byte>>)u->Target;
        Vector256<byte> result = meaning(Ymm(cpu, u->Op1), second, (byte)u->Immediate);
        SetResult<Vex256>(cpu, u->Op0, result.GetLower(), result.GetUpper());
        return u + 1;
    }
}
