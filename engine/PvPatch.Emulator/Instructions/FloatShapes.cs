using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>How many elements of which format an instruction works on.</summary>
internal interface IFloatLanes
{
    /// <summary>Bytes of an element.</summary>
    static abstract int Size { get; }

    /// <summary>Elements.</summary>
    static abstract int Count { get; }
}

/// <summary>SS.</summary>
internal struct ScalarSingle : IFloatLanes
{
    public static int Size => 4;

    public static int Count => 1;
}

/// <summary>SD.</summary>
internal struct ScalarDouble : IFloatLanes
{
    public static int Size => 8;

    public static int Count => 1;
}

/// <summary>PS.</summary>
internal struct PackedSingle : IFloatLanes
{
    public static int Size => 4;

    public static int Count => 4;
}

/// <summary>PD.</summary>
internal struct PackedDouble : IFloatLanes
{
    public static int Size => 8;

    public static int Count => 2;
}

/// <summary>
/// Handlers of SSE arithmetic. All elements are computed first; then the exceptions that were raised are recorded in MXCSR,
/// and an unmasked one is #XM with nothing written (Intel SDM vol. 1, 11.5.3).
/// </summary>
internal static unsafe class FloatShapes
{
    /// <summary>xmm, xmm.</summary>
    public static DecodedInstruction* LaneOfRegisters<TOperation>(CpuState* cpu, DecodedInstruction* u)
        where TOperation : ILaneOperation => VectorShapes.IsReady(cpu, u) ? ApplyLane<TOperation>(cpu, u, VectorShapes.Xmm(cpu, u->Op1)) : null;

    /// <summary>xmm, memory.</summary>
    public static DecodedInstruction* LaneWithMemory<TLanes, TOperation>(CpuState* cpu, DecodedInstruction* u)
        where TLanes : IFloatLanes
        where TOperation : ILaneOperation => TryLoad<TLanes>(cpu, u, out Vector128<byte> b) ? ApplyLane<TOperation>(cpu, u, b) : null;

    /// <summary>xmm, xmm, where the host may compute.</summary>
    public static DecodedInstruction* Registers<TLanes, TOperation>(CpuState* cpu, DecodedInstruction* u)
        where TLanes : IFloatLanes
        where TOperation : IFloatOperation =>
        VectorShapes.IsReady(cpu, u) ? Apply<TLanes, TOperation>(cpu, u, VectorShapes.Xmm(cpu, u->Op1)) : null;

    /// <summary>xmm, memory, where the host may compute.</summary>
    public static DecodedInstruction* Memory<TLanes, TOperation>(CpuState* cpu, DecodedInstruction* u)
        where TLanes : IFloatLanes
        where TOperation : IFloatOperation =>
        TryLoad<TLanes>(cpu, u, out Vector128<byte> b) ? Apply<TLanes, TOperation>(cpu, u, b) : null;

    /// <summary>CMPPS and its kind, xmm, xmm, predicate.</summary>
    public static DecodedInstruction* CompareRegisters<TLanes, TFormat>(CpuState* cpu, DecodedInstruction* u)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat => VectorShapes.IsReady(cpu, u) ? Compare<TLanes, TFormat>(cpu, u, VectorShapes.Xmm(cpu, u->Op1)) : null;

    /// <summary>CMPPS and its kind, xmm, memory, predicate.</summary>
    public static DecodedInstruction* CompareMemory<TLanes, TFormat>(CpuState* cpu, DecodedInstruction* u)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat => TryLoad<TLanes>(cpu, u, out Vector128<byte> b) ? Compare<TLanes, TFormat>(cpu, u, b) : null;

    /// <summary>UCOMIS and COMIS, xmm, xmm.</summary>
    public static DecodedInstruction* OrderRegisters<TLanes, TFormat, TSignals>(CpuState* cpu, DecodedInstruction* u)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
        where TSignals : IAlignment =>
        VectorShapes.IsReady(cpu, u) ? Order<TLanes, TFormat>(cpu, u, VectorShapes.Xmm(cpu, u->Op1), TSignals.Required) : null;

    /// <summary>UCOMIS and COMIS, xmm, memory.</summary>
    public static DecodedInstruction* OrderMemory<TLanes, TFormat, TSignals>(CpuState* cpu, DecodedInstruction* u)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
        where TSignals : IAlignment =>
        TryLoad<TLanes>(cpu, u, out Vector128<byte> b) ? Order<TLanes, TFormat>(cpu, u, b, TSignals.Required) : null;

    /// <summary>Loads the elements of a memory operand: 16 bytes must be aligned.</summary>
    public static bool TryLoad<TLanes>(CpuState* cpu, DecodedInstruction* u, out Vector128<byte> value)
        where TLanes : IFloatLanes
    {
        if (TLanes.Count > 1)
            return VectorShapes.TryLoadAligned(cpu, u, out value);
        value = default;
        if (!VectorShapes.IsReady(cpu, u))
            return false;
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, TLanes.Size, write: false), TLanes.Size);
        if (host == null)
            return false;
        // SAFETY: Read gave the address of Size readable bytes.
        value = TLanes.Size == 4
            ? Vector128.CreateScalar(Unsafe.ReadUnaligned<uint>(host)).AsByte()
            : Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(host)).AsByte();
        return true;
    }

    /// <summary>Records what was raised; false after #XM, or #UD where the system does not handle that.</summary>
    public static bool Settle(CpuState* cpu, DecodedInstruction* u, in FloatContext context)
    {
        uint raised = context.Raised;
        uint faulting = raised & context.Unmasked;
        if ((faulting & MxcsrBits.BeforeResult) != 0)
            raised &= MxcsrBits.BeforeResult;
        cpu->Mxcsr |= raised;
        if (faulting == 0)
            return true;
        Execution.Raise(cpu, u, (cpu->Cr4 & Cr4Bits.OsXmmExceptions) != 0 ? Vectors.SimdError : Vectors.InvalidOpcode);
        return false;
    }

    /// <summary>An element as bits.</summary>
    public static ulong Element(Vector128<byte>* vector, int size, int index) =>
        // SAFETY: callers count elements that the vector has.
        size == 4 ? ((uint*)vector)[index] : ((ulong*)vector)[index];

    /// <summary>Sets an element.</summary>
    public static void SetElement(Vector128<byte>* vector, int size, int index, ulong value)
    {
        // SAFETY: callers count elements that the vector has.
        if (size == 4)
            ((uint*)vector)[index] = (uint)value;
        else
            ((ulong*)vector)[index] = value;
    }

    private static DecodedInstruction* Apply<TLanes, TOperation>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b)
        where TLanes : IFloatLanes
        where TOperation : IFloatOperation
    {
        Vector128<byte> a = VectorShapes.Xmm(cpu, u->Op0);
        Vector128<byte> result = TOperation.OnHost<TLanes>(a, b);
        if (!HostFloat.Holds<TOperation, TLanes>(a, b, result, cpu->Mxcsr))
            return ApplyExactly<TLanes, TOperation>(cpu, u, b);
        VectorShapes.SetXmm(cpu, u->Op0, result);
        return Execution.Next(cpu, u + 1);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodedInstruction* ApplyExactly<TLanes, TOperation>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b)
        where TLanes : IFloatLanes
        where TOperation : IFloatOperation
    {
        var context = new FloatContext(cpu->Mxcsr);
        Vector128<byte> a = Elementwise<TLanes, TOperation>.Do(default, VectorShapes.Xmm(cpu, u->Op0), b, 0, ref context);
        if (!Settle(cpu, u, context))
            return null;
        VectorShapes.SetXmm(cpu, u->Op0, a);
        return u + 1;
    }

    private static DecodedInstruction* ApplyLane<TOperation>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b)
        where TOperation : ILaneOperation
    {
        var context = new FloatContext(cpu->Mxcsr);
        Vector128<byte> result = TOperation.Do(default, VectorShapes.Xmm(cpu, u->Op0), b, (byte)u->Immediate, ref context);
        if (!Settle(cpu, u, context))
            return null;
        VectorShapes.SetXmm(cpu, u->Op0, result);
        return u + 1;
    }

    private static DecodedInstruction* Compare<TLanes, TFormat>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
    {
        Vector128<byte> a = VectorShapes.Xmm(cpu, u->Op0);
        if (HostFloat.AreComparable<TLanes>(a, b))
        {
            VectorShapes.SetXmm(cpu, u->Op0, HostFloat.Compare<TLanes>(a, b, (byte)u->Immediate));
            return u + 1;
        }

        var context = new FloatContext(cpu->Mxcsr);
        a = Comparison<TLanes, TFormat>.Do(default, a, b, (byte)(u->Immediate & 7), ref context);
        if (!Settle(cpu, u, context))
            return null;
        VectorShapes.SetXmm(cpu, u->Op0, a);
        return u + 1;
    }

    private static DecodedInstruction* Order<TLanes, TFormat>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b, bool quietSignals)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
    {
        Vector128<byte> a = VectorShapes.Xmm(cpu, u->Op0);
        if (HostFloat.AreComparable<TLanes>(a, b))
        {
            HostFloat.Order<TLanes>(a, b, ref cpu->RFlags);
            return u + 1;
        }

        var context = new FloatContext(cpu->Mxcsr);
        int? order = FloatArithmetic.Compare<TFormat>(Element(&a, TLanes.Size, 0), Element(&b, TLanes.Size, 0), quietSignals, ref context);
        if (!Settle(cpu, u, context))
            return null;
        ulong status = order switch
        {
            null => RFlags.Zero | RFlags.Parity | RFlags.Carry,
            0 => RFlags.Zero,
            < 0 => RFlags.Carry,
            _ => 0,
        };
        StatusFlags.Set(ref cpu->RFlags, status);
        return u + 1;
    }
}
