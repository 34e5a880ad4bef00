using System.Runtime.CompilerServices;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Segmentation;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>The stack: 64-bit and flat in 64-bit code, else in SS with a 32 or 16-bit pointer (Intel SDM vol. 1, 6.2).</summary>
internal static unsafe class Stack
{
    /// <summary>Pushes a value; false after a fault. If <paramref name="slow"/>, decoded code may have changed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryPush<T>(CpuState* cpu, DecodedInstruction* u, T value, out bool slow)
    {
        slow = true;
        if ((u->Marks & Marks.Code64) != Marks.None)
        {
            ulong top = cpu->Rsp - (uint)sizeof(T);
            byte* host = Tlb.ForWrite(cpu->DataTlb, top, sizeof(T));
            if (host != null)
            {
                // SAFETY: the TLB vouches for sizeof(T) bytes of writable RAM at host.
                Unsafe.WriteUnaligned(host, value);
                cpu->Rsp = top;
                slow = false;
                return true;
            }
        }

        return TryPushSlowly(cpu, u, value);
    }

    /// <summary>Pops a value; false after a fault.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryPop<T>(CpuState* cpu, DecodedInstruction* u, out T value)
    {
        if ((u->Marks & Marks.Code64) != Marks.None)
        {
            byte* host = Tlb.ForRead(cpu->DataTlb, cpu->Rsp, sizeof(T));
            if (host != null)
            {
                // SAFETY: the TLB vouches for sizeof(T) bytes of RAM at host.
                value = Unsafe.ReadUnaligned<T>(host);
                cpu->Rsp += (uint)sizeof(T);
                return true;
            }
        }

        if (!TryPeek(cpu, u, 0, out value))
            return false;
        Move(cpu, u, sizeof(T));
        return true;
    }

    /// <summary>Reads the stack some bytes above its top and leaves the pointer.</summary>
    public static bool TryPeek<T>(CpuState* cpu, DecodedInstruction* u, ulong above, out T value)
    {
        value = Integer.Zero<T>();
        if (!TryLinear(cpu, u, Pointer(cpu, u) + above, sizeof(T), write: false, out ulong linear))
            return false;
        T read;
        if (!LinearMemory.TryLoad(cpu, linear, Execution.Of(cpu)->Mode, &read, sizeof(T), out MemoryFault fault))
        {
            RaiseStack(cpu, u, fault);
            return false;
        }

        value = read;
        return Operands.IsAligned(cpu, u, linear, sizeof(T));
    }

    /// <summary>Writes below the top and leaves the pointer: how several values are pushed before any register changes.</summary>
    public static bool TryPoke<T>(CpuState* cpu, DecodedInstruction* u, ulong below, T value)
    {
        if (!TryLinear(cpu, u, Pointer(cpu, u) - below, sizeof(T), write: true, out ulong linear))
            return false;
        byte* host = Tlb.ForWrite(cpu->DataTlb, linear, sizeof(T));
        if (host != null)
        {
            // SAFETY: the TLB vouches for sizeof(T) bytes of writable RAM at host.
            Unsafe.WriteUnaligned(host, value);
            return true;
        }

        if (ReservedBytes.TryReserve(cpu, linear, sizeof(T), AccessKind.Write, Execution.Of(cpu)->Mode, out ReservedBytes target, out MemoryFault fault))
        {
            if (!Operands.IsAligned(cpu, u, linear, sizeof(T)))
                return false;
            target.CopyFrom(cpu, &value);
            return true;
        }

        RaiseStack(cpu, u, fault);
        return false;
    }

    /// <summary>Moves the stack pointer in its width.</summary>
    public static void Move(CpuState* cpu, DecodedInstruction* u, long by) => SetPointer(cpu, u, cpu->Rsp + (ulong)by);

    /// <summary>Sets the stack pointer in its width.</summary>
    public static void SetPointer(CpuState* cpu, DecodedInstruction* u, ulong value)
    {
        if ((u->Marks & Marks.Code64) != Marks.None)
            cpu->Rsp = value;
        else if ((cpu->Ss.Attributes & SegmentAttributes.Big) != 0)
            cpu->Rsp = (uint)value;
        else
            cpu->Rsp = (cpu->Rsp & ~0xfffful) | (ushort)value;
    }

    /// <summary>PUSH of a register.</summary>
    public static DecodedInstruction* PushRegister<T>(CpuState* cpu, DecodedInstruction* u)
    {
        // 8 bytes are only pushed by 64-bit code, whose stack is flat.
        ulong top = cpu->Rsp - (uint)sizeof(T);
        byte* host = sizeof(T) == sizeof(ulong) ? Tlb.ForWrite(cpu->DataTlb, top, sizeof(T)) : null;
        if (host == null)
            return PushRegisterSlowly<T>(cpu, u);
        // SAFETY: the TLB vouches for sizeof(T) bytes of writable RAM at host.
        Unsafe.WriteUnaligned(host, Operands.Register<T>(cpu, u->Op0));
        cpu->Rsp = top;
        return Execution.Next(cpu, u + 1);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodedInstruction* PushRegisterSlowly<T>(CpuState* cpu, DecodedInstruction* u) =>
        TryPush(cpu, u, Operands.Register<T>(cpu, u->Op0), out bool slow) ? After(cpu, u, slow) : null;

    /// <summary>PUSH of a segment register: zero-extended to the operand size.</summary>
    public static DecodedInstruction* PushSegment<T>(CpuState* cpu, DecodedInstruction* u) =>
        TryPush(cpu, u, Integer.Truncate<T>(Operands.Register<ushort>(cpu, u->Op0)), out bool slow) ? After(cpu, u, slow) : null;

    /// <summary>PUSH of an immediate.</summary>
    public static DecodedInstruction* PushImmediate<T>(CpuState* cpu, DecodedInstruction* u) =>
        TryPush(cpu, u, Integer.Truncate<T>(u->Immediate), out bool slow) ? After(cpu, u, slow) : null;

    /// <summary>PUSH of memory.</summary>
    public static DecodedInstruction* PushMemory<T>(CpuState* cpu, DecodedInstruction* u)
    {
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: false), sizeof(T));
        // SAFETY: Read gave the address of sizeof(T) readable bytes.
        return host != null && TryPush(cpu, u, Unsafe.ReadUnaligned<T>(host), out bool slow) ? After(cpu, u, slow) : null;
    }

    /// <summary>POP into a register.</summary>
    public static DecodedInstruction* PopRegister<T>(CpuState* cpu, DecodedInstruction* u)
    {
        byte* host = sizeof(T) == sizeof(ulong) ? Tlb.ForRead(cpu->DataTlb, cpu->Rsp, sizeof(T)) : null;
        if (host == null)
            return PopRegisterSlowly<T>(cpu, u);
        // SAFETY: the TLB vouches for sizeof(T) bytes of RAM at host.
        T value = Unsafe.ReadUnaligned<T>(host);
        cpu->Rsp += (uint)sizeof(T);
        Operands.SetRegister(cpu, u->Op0, value);
        return Execution.Next(cpu, u + 1);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodedInstruction* PopRegisterSlowly<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!TryPop(cpu, u, out T value))
            return null;
        Operands.SetRegister(cpu, u->Op0, value);
        return u + 1;
    }

    /// <summary>POP into memory, whose address is computed with the pointer already moved.</summary>
    public static DecodedInstruction* PopMemory<T>(CpuState* cpu, DecodedInstruction* u)
    {
        ulong before = cpu->Rsp;
        if (!TryPop(cpu, u, out T value))
            return null;
        DecodedInstruction* next = Operands.Write(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: true), value);
        if (next == null && Execution.Of(cpu)->Cause == LeaveCause.Fault)
            cpu->Rsp = before;
        return next;
    }

    /// <summary>LEAVE.</summary>
    public static DecodedInstruction* Leave<T>(CpuState* cpu, DecodedInstruction* u)
    {
        ulong before = cpu->Rsp;
        ushort frame = RegisterPlaces.General(cpu, 5);
        SetPointer(cpu, u, cpu->Gpr[5]);
        if (!TryPop(cpu, u, out T value))
        {
            cpu->Rsp = before;
            return null;
        }

        Operands.SetRegister(cpu, frame, value);
        return u + 1;
    }

    /// <summary>ENTER: frame pointer, copied frame pointers of outer levels, room for locals.</summary>
    public static DecodedInstruction* Enter<T>(CpuState* cpu, DecodedInstruction* u)
    {
        uint size = (uint)sizeof(T);
        uint level = (uint)u->Immediate2 & 31;
        ulong before = cpu->Rsp;
        ulong frame = cpu->Gpr[5];
        bool done = TryPush(cpu, u, Integer.Truncate<T>(frame), out _);
        ulong newFrame = cpu->Rsp;
        for (uint i = 1; done && i < level; i++)
        {
            ulong pointer = cpu->Rsp;
            SetPointer(cpu, u, frame - (i * size));
            done = TryPeek(cpu, u, 0, out T outer);
            cpu->Rsp = pointer;
            done = done && TryPush(cpu, u, outer, out _);
        }

        if (done && level > 0)
            done = TryPush(cpu, u, Integer.Truncate<T>(newFrame), out _);
        if (done)
        {
            Move(cpu, u, -(long)(ushort)u->Immediate);
            ulong top = cpu->Rsp;
            if (TryLinear(cpu, u, Pointer(cpu, u), 1, write: true, out ulong linear) &&
                CanWrite(cpu, u, linear))
            {
                cpu->Rsp = top;
                Operands.SetRegister(cpu, RegisterPlaces.General(cpu, 5), Integer.Truncate<T>(newFrame));
                return Operands.AfterWrite(cpu, u);
            }
        }

        cpu->Rsp = before;
        return null;
    }

    /// <summary>PUSHA and PUSHAD.</summary>
    public static DecodedInstruction* PushAll<T>(CpuState* cpu, DecodedInstruction* u)
    {
        for (int i = 0; i < 8; i++)
        {
            if (!TryPoke(cpu, u, (ulong)((i + 1) * sizeof(T)), Integer.Truncate<T>(cpu->Gpr[i])))
                return null;
        }

        Move(cpu, u, -8 * sizeof(T));
        return Operands.AfterWrite(cpu, u);
    }

    /// <summary>POPA and POPAD: the popped stack pointer is dropped.</summary>
    public static DecodedInstruction* PopAll<T>(CpuState* cpu, DecodedInstruction* u)
    {
        ulong* values = stackalloc ulong[8];
        for (int i = 0; i < 8; i++)
        {
            if (!TryPeek(cpu, u, (ulong)((7 - i) * sizeof(T)), out T value))
                return null;
            values[i] = Integer.ZeroExtend(value);
        }

        for (int i = 0; i < 8; i++)
        {
            if (i != 4)
                Operands.SetRegister(cpu, RegisterPlaces.General(cpu, i), Integer.Truncate<T>(values[i]));
        }

        Move(cpu, u, 8 * sizeof(T));
        return u + 1;
    }

    /// <summary>Where to go on after a push.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodedInstruction* After(CpuState* cpu, DecodedInstruction* u, bool slow) =>
        slow ? Operands.AfterWrite(cpu, u) : Execution.Next(cpu, u + 1);

    private static bool CanWrite(CpuState* cpu, DecodedInstruction* u, ulong linear)
    {
        if (ReservedBytes.TryReserve(cpu, linear, 1, AccessKind.Write, Execution.Of(cpu)->Mode, out _, out MemoryFault fault))
            return true;
        RaiseStack(cpu, u, fault);
        return false;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool TryPushSlowly<T>(CpuState* cpu, DecodedInstruction* u, T value)
    {
        if (!TryPoke(cpu, u, (ulong)sizeof(T), value))
            return false;
        Move(cpu, u, -sizeof(T));
        return true;
    }

    private static ulong Pointer(CpuState* cpu, DecodedInstruction* u)
    {
        if ((u->Marks & Marks.Code64) != Marks.None)
            return cpu->Rsp;
        return (cpu->Ss.Attributes & SegmentAttributes.Big) != 0 ? (uint)cpu->Rsp : (ushort)cpu->Rsp;
    }

    private static bool TryLinear(CpuState* cpu, DecodedInstruction* u, ulong pointer, int size, bool write, out ulong linear)
    {
        linear = pointer;
        if ((u->Marks & Marks.Code64) != Marks.None)
            return true;
        bool big = (cpu->Ss.Attributes & SegmentAttributes.Big) != 0;
        uint offset = big ? (uint)pointer : (ushort)pointer;
        linear = (uint)(cpu->Ss.Base + offset);
        if (SegmentRules.Allows(cpu, &cpu->Ss, offset, size, write))
            return true;
        Execution.Raise(cpu, u, Vectors.StackFault);
        return false;
    }

    private static void RaiseStack(CpuState* cpu, DecodedInstruction* u, in MemoryFault fault)
    {
        Execution.Raise(cpu, u, fault);
        if (fault.Vector == MemoryFault.GeneralProtection)
            Execution.Of(cpu)->Vector = Vectors.StackFault;
    }
}
