using System.Runtime.CompilerServices;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Segmentation;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>One step of a string instruction: false after a fault, with nothing changed.</summary>
internal unsafe interface IStringStep
{
    /// <summary>Whether REPE and REPNE look at ZF after the step.</summary>
    static abstract bool Compares { get; }

    /// <summary>What is looked at before the count; false after a fault.</summary>
    static abstract bool MayBegin<T>(CpuState* cpu, DecodedInstruction* u);

    static abstract bool TryDo<T>(CpuState* cpu, DecodedInstruction* u);

    /// <summary>Does many steps at once where that gives the same result; returns how many.</summary>
    static abstract ulong DoMany<T>(CpuState* cpu, DecodedInstruction* u, ulong atMost);
}

/// <summary>
/// String instructions (Intel SDM vol. 1, 7.3.9). With a prefix they repeat in bounded parts: registers are up to date
/// after each step, so a fault or an interrupt restarts them where they are.
/// </summary>
internal static unsafe class Strings
{
    private const int StepsInOneGo = 4096;

    public static DecodedInstruction* Run<TStep, T>(CpuState* cpu, DecodedInstruction* u)
        where TStep : IStringStep
    {
        if ((u->Marks & (Marks.Rep | Marks.Repne)) == Marks.None)
            return TStep.TryDo<T>(cpu, u) ? Operands.AfterWrite(cpu, u) : null;

        for (int budget = StepsInOneGo; ; budget--)
        {
            ulong left = Counter.Read(cpu, u);
            if (left == 0)
                return TStep.MayBegin<T>(cpu, u) ? Operands.AfterWrite(cpu, u) : null;
            bool codeChanged = cpu->CodePages != null && cpu->CodePages->Changes != Execution.Of(cpu)->KnownChanges;
            bool eventCame = cpu->EventPending != 0 && budget != StepsInOneGo;
            if (budget == 0 || codeChanged || eventCame)
                return Execution.Leave(cpu, u->Rip, LeaveCause.Interrupted);

            bool stepwise = (cpu->RFlags & RFlags.Trap) != 0;
            ulong many = stepwise ? 0 : TStep.DoMany<T>(cpu, u, left);
            if (many != 0)
            {
                Counter.Write(cpu, u, left - many);
                continue;
            }

            if (!TStep.TryDo<T>(cpu, u))
                return null;
            Counter.Write(cpu, u, left - 1);
            bool equal = (cpu->RFlags & RFlags.Zero) != 0;
            if (TStep.Compares && equal != ((u->Marks & Marks.Rep) != Marks.None))
                return Operands.AfterWrite(cpu, u);

            // A debug trap comes after each step (Intel SDM vol. 3, 17.3.1.2).
            if ((stepwise || cpu->PendingDebug != 0) && left != 1)
                return Execution.Leave(cpu, u->Rip, LeaveCause.Interrupted);
        }
    }

    /// <summary>Linear address of DS:SI or what stands for DS.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Source(CpuState* cpu, DecodedInstruction* u, int size)
    {
        ulong offset = Counter.Cut(u, cpu->Rsi);
        return u->Addressing == Addressing.Flat ? offset : Operands.InSegment(cpu, u, offset, size, write: false);
    }

    /// <summary>Linear address of ES:DI; in 64-bit code ES is flat.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryDestination(CpuState* cpu, DecodedInstruction* u, int size, bool write, out ulong linear)
    {
        ulong offset = Counter.Cut(u, cpu->Rdi);
        linear = offset;
        if ((u->Marks & Marks.Code64) != Marks.None)
            return true;
        linear = (uint)(cpu->Es.Base + offset);
        if (SegmentRules.Allows(cpu, &cpu->Es, (uint)offset, size, write))
            return true;
        Execution.Raise(cpu, u, Vectors.GeneralProtection);
        return false;
    }

    public static bool TryLoad<T>(CpuState* cpu, DecodedInstruction* u, ulong linear, out T value)
    {
        byte* host = Operands.Read(cpu, u, linear, sizeof(T));
        value = Integer.Zero<T>();
        if (host == null)
            return false;
        // SAFETY: Read gave the address of sizeof(T) readable bytes.
        value = Unsafe.ReadUnaligned<T>(host);
        return true;
    }

    public static bool TryStore<T>(CpuState* cpu, DecodedInstruction* u, ulong linear, T value)
    {
        byte* host = Tlb.ForWrite(cpu->DataTlb, linear, sizeof(T));
        if (host != null)
        {
            // SAFETY: the TLB vouches for sizeof(T) bytes of writable RAM at host.
            Unsafe.WriteUnaligned(host, value);
            return true;
        }

        if (!ReservedBytes.TryReserve(cpu, linear, sizeof(T), AccessKind.Write, Execution.Of(cpu)->Mode, out ReservedBytes target, out MemoryFault fault))
        {
            Execution.Raise(cpu, u, fault);
            return false;
        }

        if (!Operands.IsAligned(cpu, u, linear, sizeof(T)))
            return false;
        target.CopyFrom(cpu, &value);
        return true;
    }

    public static void AdvanceSource(CpuState* cpu, DecodedInstruction* u, long by) =>
        cpu->Rsi = Counter.Merge(u, cpu->Rsi, cpu->Rsi + (ulong)by);

    public static void AdvanceDestination(CpuState* cpu, DecodedInstruction* u, long by) =>
        cpu->Rdi = Counter.Merge(u, cpu->Rdi, cpu->Rdi + (ulong)by);

    public static int Stride(CpuState* cpu, int size) => (cpu->RFlags & RFlags.Direction) != 0 ? -size : size;
}

/// <summary>MOVS.</summary>
internal unsafe struct MoveStep : IStringStep
{
    public static bool Compares => false;

    public static bool MayBegin<T>(CpuState* cpu, DecodedInstruction* u) => true;

    public static bool TryDo<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!Strings.TryLoad(cpu, u, Strings.Source(cpu, u, sizeof(T)), out T value) ||
            !Strings.TryDestination(cpu, u, sizeof(T), write: true, out ulong linear) ||
            !Strings.TryStore(cpu, u, linear, value))
        {
            return false;
        }

        Strings.AdvanceSource(cpu, u, Strings.Stride(cpu, sizeof(T)));
        Strings.AdvanceDestination(cpu, u, Strings.Stride(cpu, sizeof(T)));
        return true;
    }

    /// <summary>Forward copies within one page each, unless the destination lies just above the source and repeats it.</summary>
    public static ulong DoMany<T>(CpuState* cpu, DecodedInstruction* u, ulong atMost)
    {
        if (u->Addressing != Addressing.Flat || (cpu->RFlags & RFlags.Direction) != 0)
            return 0;
        ulong count = Math.Min(atMost, (0x1000 - Math.Max(cpu->Rsi & 0xfff, cpu->Rdi & 0xfff)) / (uint)sizeof(T));
        int size = (int)count * sizeof(T);
        if (count == 0)
            return 0;
        byte* source = Tlb.ForRead(cpu->DataTlb, cpu->Rsi, size);
        byte* destination = Tlb.ForWrite(cpu->DataTlb, cpu->Rdi, size);
        if (source == null || destination == null || (ulong)(destination - source) < (ulong)size)
            return 0;
        // SAFETY: the TLB vouches for size bytes at both places.
        Buffer.MemoryCopy(source, destination, size, size);
        cpu->Rsi += (uint)size;
        cpu->Rdi += (uint)size;
        return count;
    }
}

/// <summary>STOS.</summary>
internal unsafe struct StoreStep : IStringStep
{
    public static bool Compares => false;

    public static bool MayBegin<T>(CpuState* cpu, DecodedInstruction* u) => true;

    public static bool TryDo<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!Strings.TryDestination(cpu, u, sizeof(T), write: true, out ulong linear) ||
            !Strings.TryStore(cpu, u, linear, Integer.Truncate<T>(cpu->Rax)))
        {
            return false;
        }

        Strings.AdvanceDestination(cpu, u, Strings.Stride(cpu, sizeof(T)));
        return true;
    }

    public static ulong DoMany<T>(CpuState* cpu, DecodedInstruction* u, ulong atMost)
    {
        if (u->Addressing != Addressing.Flat || (cpu->RFlags & RFlags.Direction) != 0)
            return 0;
        ulong count = Math.Min(atMost, (0x1000 - (cpu->Rdi & 0xfff)) / (uint)sizeof(T));
        int size = (int)count * sizeof(T);
        byte* destination = count == 0 ? null : Tlb.ForWrite(cpu->DataTlb, cpu->Rdi, size);
        if (destination == null)
            return 0;
        // SAFETY: the TLB vouches for size bytes of writable RAM.
        new Span<T>(destination, (int)count).Fill(Integer.Truncate<T>(cpu->Rax));
        cpu->Rdi += (uint)size;
        return count;
    }
}

/// <summary>LODS.</summary>
internal unsafe struct LoadStep : IStringStep
{
    public static bool Compares => false;

    public static bool MayBegin<T>(CpuState* cpu, DecodedInstruction* u) => true;

    public static bool TryDo<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!Strings.TryLoad(cpu, u, Strings.Source(cpu, u, sizeof(T)), out T value))
            return false;
        Operands.SetRegister(cpu, RegisterPlaces.General(cpu, 0), value);
        Strings.AdvanceSource(cpu, u, Strings.Stride(cpu, sizeof(T)));
        return true;
    }

    public static ulong DoMany<T>(CpuState* cpu, DecodedInstruction* u, ulong atMost) => 0;
}

/// <summary>CMPS.</summary>
internal unsafe struct CompareStep : IStringStep
{
    public static bool Compares => true;

    public static bool MayBegin<T>(CpuState* cpu, DecodedInstruction* u) => true;

    public static bool TryDo<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!Strings.TryDestination(cpu, u, sizeof(T), write: false, out ulong linear) ||
            !Strings.TryLoad(cpu, u, linear, out T b) ||
            !Strings.TryLoad(cpu, u, Strings.Source(cpu, u, sizeof(T)), out T a))
        {
            return false;
        }

        Arithmetic.Subtract(a, b, ref cpu->RFlags);
        Strings.AdvanceSource(cpu, u, Strings.Stride(cpu, sizeof(T)));
        Strings.AdvanceDestination(cpu, u, Strings.Stride(cpu, sizeof(T)));
        return true;
    }

    public static ulong DoMany<T>(CpuState* cpu, DecodedInstruction* u, ulong atMost) => 0;
}

/// <summary>SCAS.</summary>
internal unsafe struct ScanStep : IStringStep
{
    public static bool Compares => true;

    public static bool MayBegin<T>(CpuState* cpu, DecodedInstruction* u) => true;

    public static bool TryDo<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!Strings.TryDestination(cpu, u, sizeof(T), write: false, out ulong linear) ||
            !Strings.TryLoad(cpu, u, linear, out T value))
        {
            return false;
        }

        Arithmetic.Subtract(Integer.Truncate<T>(cpu->Rax), value, ref cpu->RFlags);
        Strings.AdvanceDestination(cpu, u, Strings.Stride(cpu, sizeof(T)));
        return true;
    }

    public static ulong DoMany<T>(CpuState* cpu, DecodedInstruction* u, ulong atMost) => 0;
}
