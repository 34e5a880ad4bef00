using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Handlers of comparisons and of FXAM (Intel SDM vol. 1, 8.3.6). The answer is given even when an unmasked exception waits; only
/// the stack then stays.
/// </summary>
internal static unsafe class X87Comparisons
{
    /// <summary>FCOM, FICOM with memory.</summary>
    public static DecodedInstruction* Memory<TSource>(CpuState* cpu, DecodedInstruction* u)
        where TSource : IExtendedSource => WithMemory<TSource>(cpu, u, 0);

    /// <summary>FCOMP, FICOMP with memory.</summary>
    public static DecodedInstruction* MemoryAndPop<TSource>(CpuState* cpu, DecodedInstruction* u)
        where TSource : IExtendedSource => WithMemory<TSource>(cpu, u, 1);

    /// <summary>FCOM ST(i).</summary>
    public static DecodedInstruction* Registers(CpuState* cpu, DecodedInstruction* u) => WithRegister(cpu, u, u->Op1, quiet: false, 0);

    /// <summary>FCOMP ST(i).</summary>
    public static DecodedInstruction* RegistersAndPop(CpuState* cpu, DecodedInstruction* u) => WithRegister(cpu, u, u->Op1, quiet: false, 1);

    /// <summary>FCOMPP.</summary>
    public static DecodedInstruction* TopTwoAndPop(CpuState* cpu, DecodedInstruction* u) => WithRegister(cpu, u, 1, quiet: false, 2);

    /// <summary>FUCOM ST(i).</summary>
    public static DecodedInstruction* Unordered(CpuState* cpu, DecodedInstruction* u) => WithRegister(cpu, u, u->Op1, quiet: true, 0);

    /// <summary>FUCOMP ST(i).</summary>
    public static DecodedInstruction* UnorderedAndPop(CpuState* cpu, DecodedInstruction* u) => WithRegister(cpu, u, u->Op1, quiet: true, 1);

    /// <summary>FUCOMPP.</summary>
    public static DecodedInstruction* UnorderedTopTwoAndPop(CpuState* cpu, DecodedInstruction* u) => WithRegister(cpu, u, 1, quiet: true, 2);

    /// <summary>FCOMI.</summary>
    public static DecodedInstruction* ToFlags(CpuState* cpu, DecodedInstruction* u) => ToFlags(cpu, u, quiet: false, 0);

    /// <summary>FCOMIP.</summary>
    public static DecodedInstruction* ToFlagsAndPop(CpuState* cpu, DecodedInstruction* u) => ToFlags(cpu, u, quiet: false, 1);

    /// <summary>FUCOMI.</summary>
    public static DecodedInstruction* UnorderedToFlags(CpuState* cpu, DecodedInstruction* u) => ToFlags(cpu, u, quiet: true, 0);

    /// <summary>FUCOMIP.</summary>
    public static DecodedInstruction* UnorderedToFlagsAndPop(CpuState* cpu, DecodedInstruction* u) => ToFlags(cpu, u, quiet: true, 1);

    /// <summary>FTST: ST(0) with 0.0.</summary>
    public static DecodedInstruction* WithZero(CpuState* cpu, DecodedInstruction* u)
    {
        if (!X87.Begin(cpu, u))
            return null;
        ExtendedContext context = X87.Context(cpu);
        int order = X87.IsEmpty(cpu, 0) ? Missing(ref context) : ExtendedComparisons.Compare(X87.Get(cpu, 0), default, quiet: false, ref context);
        Tell(cpu, order, 0, ref context);
        return u + 1;
    }

    /// <summary>FXAM: the class of ST(0) in C3, C2, C0 and its sign in C1, also of an empty register (Intel SDM vol. 2, table 3-40).</summary>
    public static DecodedInstruction* Examine(CpuState* cpu, DecodedInstruction* u)
    {
        if (!X87.Begin(cpu, u))
            return null;
        Float80 a = X87.Get(cpu, 0);
        X87.SetStatus(cpu, X87.Conditions | X87.C1, Class(cpu, a) | (a.IsNegative ? X87.C1 : 0));
        return u + 1;
    }

    private static int Class(CpuState* cpu, Float80 a)
    {
        if (X87.IsEmpty(cpu, 0))
            return X87.C3 | X87.C0;
        if (a.IsUnsupported)
            return 0;
        if (a.IsNaN)
            return X87.C0;
        if (a.IsInfinity)
            return X87.C2 | X87.C0;
        if (a.IsZero)
            return X87.C3;
        return a.IsDenormal ? X87.C3 | X87.C2 : X87.C2;
    }

    private static DecodedInstruction* WithMemory<TSource>(CpuState* cpu, DecodedInstruction* u, int pops)
        where TSource : IExtendedSource
    {
        byte* host = X87.BeginRead(cpu, u, TSource.Size);
        if (host == null)
            return null;
        ExtendedContext context = X87.Context(cpu);
        Float80 b = TSource.Load(host, ref context);
        int order = X87.IsEmpty(cpu, 0) ? Missing(ref context) : ExtendedComparisons.Compare(X87.Get(cpu, 0), b, quiet: false, ref context);
        Tell(cpu, order, pops, ref context);
        return u + 1;
    }

    private static DecodedInstruction* WithRegister(CpuState* cpu, DecodedInstruction* u, int place, bool quiet, int pops)
    {
        if (!X87.Begin(cpu, u))
            return null;
        ExtendedContext context = X87.Context(cpu);
        Tell(cpu, Compare(cpu, place, quiet, ref context), pops, ref context);
        return u + 1;
    }

    private static DecodedInstruction* ToFlags(CpuState* cpu, DecodedInstruction* u, bool quiet, int pops)
    {
        if (!X87.Begin(cpu, u))
            return null;
        ExtendedContext context = X87.Context(cpu);
        int order = Compare(cpu, u->Op1, quiet, ref context);

        // C0, C2 and C3 stand where SAHF would put them into CF, PF and ZF.
        StatusFlags.Set(ref cpu->RFlags, (ulong)order >> 8);
        if (X87.Complete(cpu, ref context))
            X87.Pop(cpu, pops);
        return u + 1;
    }

    private static int Compare(CpuState* cpu, int place, bool quiet, ref ExtendedContext context) =>
        X87.IsEmpty(cpu, 0) || X87.IsEmpty(cpu, place)
            ? Missing(ref context)
            : ExtendedComparisons.Compare(X87.Get(cpu, 0), X87.Get(cpu, place), quiet, ref context);

    private static int Missing(ref ExtendedContext context)
    {
        context.StackUnderflow();
        return ExtendedComparisons.Unordered;
    }

    private static void Tell(CpuState* cpu, int order, int pops, ref ExtendedContext context)
    {
        bool completes = X87.Complete(cpu, ref context);
        X87.SetStatus(cpu, X87.Conditions, order);
        if (completes)
            X87.Pop(cpu, pops);
    }
}
