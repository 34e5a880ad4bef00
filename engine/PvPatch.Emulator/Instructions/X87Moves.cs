using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Handlers that load, store and move without arithmetic (Intel SDM vol. 1, 8.3.3 and 8.3.4).</summary>
internal static unsafe class X87Moves
{
    /// <summary>FLD of a single or double: a signalling NaN and a denormal are noticed here; the latter is loaded even if not masked.</summary>
    public static DecodedInstruction* LoadConverted<TSource>(CpuState* cpu, DecodedInstruction* u)
        where TSource : IExtendedSource
    {
        byte* host = X87.BeginRead(cpu, u, TSource.Size);
        if (host == null)
            return null;
        ExtendedContext context = X87.Context(cpu);
        Float80 value = TSource.Load(host, ref context);
        if (!X87.IsEmpty(cpu, -1))
            value = context.StackOverflow();
        else if (!context.IsDecided(value, out value))
            context.NoteDenormal(value);
        bool invalid = (context.Raised & ExtendedExceptions.Invalid) != ExtendedExceptions.None;
        if (X87.Complete(cpu, ref context) || !invalid)
            X87.Push(cpu, value);
        return u + 1;
    }

    /// <summary>FLD of 80 bits, FILD, FBLD: nothing but the stack can be wrong.</summary>
    public static DecodedInstruction* Load<TSource>(CpuState* cpu, DecodedInstruction* u)
        where TSource : IExtendedSource
    {
        byte* host = X87.BeginRead(cpu, u, TSource.Size);
        if (host == null)
            return null;
        ExtendedContext context = X87.Context(cpu);
        Float80 value = TSource.Load(host, ref context);
        return Push(cpu, u, X87.IsEmpty(cpu, -1) ? value : context.StackOverflow(), ref context);
    }

    /// <summary>FLD ST(i).</summary>
    public static DecodedInstruction* LoadRegister(CpuState* cpu, DecodedInstruction* u)
    {
        if (!X87.Begin(cpu, u))
            return null;
        ExtendedContext context = X87.Context(cpu);
        Float80 value = X87.Get(cpu, u->Op0);
        if (X87.IsEmpty(cpu, u->Op0))
            value = context.StackUnderflow();
        else if (!X87.IsEmpty(cpu, -1))
            value = context.StackOverflow();
        return Push(cpu, u, value, ref context);
    }

    /// <summary>FLD1, FLDPI and their kind.</summary>
    public static DecodedInstruction* LoadConstant<TConstant>(CpuState* cpu, DecodedInstruction* u)
        where TConstant : IExtendedConstant
    {
        if (!X87.Begin(cpu, u))
            return null;
        ExtendedContext context = X87.Context(cpu);
        return Push(cpu, u, X87.IsEmpty(cpu, -1) ? TConstant.Value(context.Rounding) : context.StackOverflow(), ref context);
    }

    /// <summary>A store to memory, and then <paramref name="pops"/> registers are popped.</summary>
    public static DecodedInstruction* Store<TTarget>(CpuState* cpu, DecodedInstruction* u, bool pops)
        where TTarget : IExtendedTarget
    {
        byte* host = X87.BeginWrite(cpu, u, TTarget.Size, out bool slow);
        if (host == null)
            return null;
        ExtendedContext context = X87.Context(cpu);
        UInt128 image = X87.IsEmpty(cpu, 0) ? TTarget.Indefinite(ref context) : TTarget.Convert(X87.Get(cpu, 0), ref context);
        bool kept = X87.KeepsMemory(cpu, ref context);
        if (!X87.Complete(cpu, ref context) || kept)
            return u + 1;

        // SAFETY: BeginWrite gave the address of Size bytes that may be changed.
        Unsafe.CopyBlockUnaligned(host, &image, (uint)TTarget.Size);
        if (pops)
            X87.Pop(cpu);
        return slow ? Operands.Finish(cpu, u) : u + 1;
    }

    /// <summary>FST, FIST.</summary>
    public static DecodedInstruction* Store<TTarget>(CpuState* cpu, DecodedInstruction* u)
        where TTarget : IExtendedTarget => Store<TTarget>(cpu, u, pops: false);

    /// <summary>FSTP, FISTP, FISTTP, FBSTP.</summary>
    public static DecodedInstruction* StoreAndPop<TTarget>(CpuState* cpu, DecodedInstruction* u)
        where TTarget : IExtendedTarget => Store<TTarget>(cpu, u, pops: true);

    /// <summary>FST ST(i).</summary>
    public static DecodedInstruction* StoreRegister(CpuState* cpu, DecodedInstruction* u) => CopyTop(cpu, u, out _) ? u + 1 : null;

    /// <summary>FSTP ST(i).</summary>
    public static DecodedInstruction* StoreRegisterAndPop(CpuState* cpu, DecodedInstruction* u)
    {
        if (!CopyTop(cpu, u, out bool done))
            return null;
        if (done)
            X87.Pop(cpu);
        return u + 1;
    }

    /// <summary>FSTPNCE ST(i): FSTP that pops an empty register without an exception.</summary>
    public static DecodedInstruction* StoreRegisterAndPopQuietly(CpuState* cpu, DecodedInstruction* u)
    {
        if (!X87.IsEmpty(cpu, 0))
            return StoreRegisterAndPop(cpu, u);
        if (!X87.Begin(cpu, u))
            return null;
        X87.Pop(cpu);
        X87.SetStatus(cpu, X87.C1, 0);
        return u + 1;
    }

    /// <summary>FXCH: an empty register counts as the indefinite once the stack fault is masked.</summary>
    public static DecodedInstruction* Exchange(CpuState* cpu, DecodedInstruction* u)
    {
        if (!X87.Begin(cpu, u))
            return null;
        ExtendedContext context = X87.Context(cpu);
        Float80 top = X87.IsEmpty(cpu, 0) ? context.StackUnderflow() : X87.Get(cpu, 0);
        Float80 other = X87.IsEmpty(cpu, u->Op1) ? context.StackUnderflow() : X87.Get(cpu, u->Op1);
        if (!X87.Complete(cpu, ref context))
            return u + 1;
        X87.Set(cpu, 0, other);
        X87.Set(cpu, u->Op1, top);
        return u + 1;
    }

    /// <summary>FCMOVcc.</summary>
    public static DecodedInstruction* Conditional<TCondition>(CpuState* cpu, DecodedInstruction* u)
        where TCondition : ICondition
    {
        if (!X87.Begin(cpu, u))
            return null;
        if (!X87.IsEmpty(cpu, 0) && !X87.IsEmpty(cpu, u->Op1))
        {
            if (TCondition.Holds(cpu->RFlags))
                X87.Set(cpu, 0, X87.Get(cpu, u->Op1));
            return u + 1;
        }

        ExtendedContext context = X87.Context(cpu);
        Float80 indefinite = context.StackUnderflow();
        if (X87.Complete(cpu, ref context))
            X87.Set(cpu, 0, indefinite);
        return u + 1;
    }

    /// <summary>FFREE.</summary>
    public static DecodedInstruction* Free(CpuState* cpu, DecodedInstruction* u)
    {
        if (!X87.Begin(cpu, u))
            return null;
        X87.Free(cpu, u->Op0);
        X87.SetStatus(cpu, X87.C1, 0);
        return u + 1;
    }

    /// <summary>FFREEP: FFREE, then pop.</summary>
    public static DecodedInstruction* FreeAndPop(CpuState* cpu, DecodedInstruction* u)
    {
        if (!X87.Begin(cpu, u))
            return null;
        X87.Free(cpu, u->Op0);
        X87.Pop(cpu);
        X87.SetStatus(cpu, X87.C1, 0);
        return u + 1;
    }

    /// <summary>FINCSTP.</summary>
    public static DecodedInstruction* IncrementTop(CpuState* cpu, DecodedInstruction* u) => TurnStack(cpu, u, 1);

    /// <summary>FDECSTP.</summary>
    public static DecodedInstruction* DecrementTop(CpuState* cpu, DecodedInstruction* u) => TurnStack(cpu, u, -1);

    private static DecodedInstruction* TurnStack(CpuState* cpu, DecodedInstruction* u, int by)
    {
        if (!X87.Begin(cpu, u))
            return null;
        X87.Turn(cpu, by);
        X87.SetStatus(cpu, X87.C1, 0);
        return u + 1;
    }

    private static bool CopyTop(CpuState* cpu, DecodedInstruction* u, out bool done)
    {
        done = false;
        if (!X87.Begin(cpu, u))
            return false;
        ExtendedContext context = X87.Context(cpu);
        Float80 value = X87.IsEmpty(cpu, 0) ? context.StackUnderflow() : X87.Get(cpu, 0);
        done = X87.Complete(cpu, ref context);
        if (done)
            X87.Set(cpu, u->Op0, value);
        return true;
    }

    private static DecodedInstruction* Push(CpuState* cpu, DecodedInstruction* u, Float80 value, ref ExtendedContext context)
    {
        if (X87.Complete(cpu, ref context))
            X87.Push(cpu, value);
        return u + 1;
    }
}
