using System.Runtime.CompilerServices;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Near jumps, calls and returns. A direct branch within its page is linked to the decoded target when it is first taken;
/// all others look their target up in the jump cache.
/// </summary>
internal static unsafe class ControlFlow
{
    /// <summary>Pairs of RIP and decoded instruction in the jump cache of one privilege.</summary>
    public const int JumpCacheEntries = 16384;

    /// <summary>The address of the next instruction, cut to the width of the code.</summary>
    public static ulong Next(DecodedInstruction* u) => (u->Marks & Marks.Code64) != Marks.None ? u->NextRip : (uint)u->NextRip;

    /// <summary>The decoded instruction at an address if the jump cache has it, else null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodedInstruction* Known(CpuState* cpu, ulong rip)
    {
        // SAFETY: the index is cut to the cache's size; entries are pairs.
        ulong* entry = cpu->JumpCache + (2 * ((rip ^ (rip >> 12)) & (JumpCacheEntries - 1)));
        return entry[0] == rip ? (DecodedInstruction*)entry[1] : null;
    }

    /// <summary>Goes on at an address: by the jump cache, or through the loop.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodedInstruction* Go(CpuState* cpu, ulong rip)
    {
        // SAFETY: the index is cut to the cache's size; entries are pairs.
        ulong* entry = cpu->JumpCache + (2 * ((rip ^ (rip >> 12)) & (JumpCacheEntries - 1)));
        return entry[0] == rip ? Execution.Branch(cpu, (DecodedInstruction*)entry[1]) : Execution.Leave(cpu, rip, LeaveCause.Lookup);
    }

    /// <summary>Goes on where an indirect jump or call leads, like <see cref="Go"/>.</summary>
    private static DecodedInstruction* Seek(CpuState* cpu, ulong rip)
    {
        DecodedInstruction* target = Known(cpu, rip);
        if (target == null)
            return Execution.Leave(cpu, rip, LeaveCause.IndirectLookup);
        target->IsSought = true;
        return Execution.Branch(cpu, target);
    }

    /// <summary>Behind the last decoded instruction: nothing is executed, decoding goes on there.</summary>
    public static DecodedInstruction* Continue(CpuState* cpu, DecodedInstruction* u)
    {
        if (u->Target != null)
            return u->Target->Handler(cpu, u->Target);
        // SAFETY: as in Go.
        ulong* entry = cpu->JumpCache + (2 * ((u->Rip ^ (u->Rip >> 12)) & (JumpCacheEntries - 1)));
        if (entry[0] != u->Rip)
            return Execution.Leave(cpu, u->Rip, LeaveCause.NotYetDecoded);
        var next = (DecodedInstruction*)entry[1];
        return next->Handler(cpu, next);
    }

    public static DecodedInstruction* Jcc<TCondition>(CpuState* cpu, DecodedInstruction* u)
        where TCondition : ICondition =>
        TCondition.Holds(cpu->RFlags) ? Jump(cpu, u) : Execution.Next(cpu, u + 1);

    public static DecodedInstruction* JumpDirect(CpuState* cpu, DecodedInstruction* u) => Jump(cpu, u);

    public static DecodedInstruction* JumpRegister<T>(CpuState* cpu, DecodedInstruction* u) =>
        JumpTo(cpu, u, Integer.ZeroExtend(Operands.Register<T>(cpu, u->Op0)));

    public static DecodedInstruction* JumpMemory<T>(CpuState* cpu, DecodedInstruction* u)
    {
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: false), sizeof(T));
        // SAFETY: Read gave the address of sizeof(T) readable bytes.
        return host == null ? null : JumpTo(cpu, u, Integer.ZeroExtend(Unsafe.ReadUnaligned<T>(host)));
    }

    /// <summary>CALL of a direct target.</summary>
    public static DecodedInstruction* CallDirect<T>(CpuState* cpu, DecodedInstruction* u)
    {
        // 8 bytes are only pushed by 64-bit code, whose stack is flat.
        DecodedInstruction* target = u->Target != null ? u->Target : Known(cpu, u->Immediate);
        ulong top = cpu->Rsp - (uint)sizeof(T);
        byte* host = sizeof(T) == sizeof(ulong) && target != null ? Tlb.ForWrite(cpu->DataTlb, top, sizeof(T)) : null;
        if (host == null)
            return CallDirectSlowly<T>(cpu, u);
        // SAFETY: the TLB vouches for sizeof(T) bytes of writable RAM at host.
        Unsafe.WriteUnaligned(host, Integer.Truncate<T>(u->NextRip));
        cpu->Rsp = top;
        return Execution.Branch(cpu, target);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodedInstruction* CallDirectSlowly<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (u->Target == null && !IsValid(cpu, u, u->Immediate))
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        if (!Stack.TryPush(cpu, u, Integer.Truncate<T>(u->NextRip), out bool slow))
            return null;
        return slow ? Execution.Leave(cpu, u->Immediate, LeaveCause.Changed) : Jump(cpu, u);
    }

    public static DecodedInstruction* CallRegister<T>(CpuState* cpu, DecodedInstruction* u) =>
        CallTo<T>(cpu, u, Integer.ZeroExtend(Operands.Register<T>(cpu, u->Op0)));

    public static DecodedInstruction* CallMemory<T>(CpuState* cpu, DecodedInstruction* u)
    {
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: false), sizeof(T));
        // SAFETY: Read gave the address of sizeof(T) readable bytes.
        return host == null ? null : CallTo<T>(cpu, u, Integer.ZeroExtend(Unsafe.ReadUnaligned<T>(host)));
    }

    /// <summary>RET, with or without bytes to release.</summary>
    public static DecodedInstruction* Return<T>(CpuState* cpu, DecodedInstruction* u)
    {
        // 8 bytes are only popped by 64-bit code, whose stack is flat; an address that the jump cache has is valid.
        ulong top = cpu->Rsp;
        byte* host = sizeof(T) == sizeof(ulong) ? Tlb.ForRead(cpu->DataTlb, top, sizeof(T)) : null;
        if (host == null)
            return ReturnSlowly<T>(cpu, u);
        // SAFETY: the TLB vouches for sizeof(T) bytes of RAM at host.
        DecodedInstruction* target = Known(cpu, Unsafe.ReadUnaligned<ulong>(host));
        if (target == null)
            return ReturnSlowly<T>(cpu, u);
        cpu->Rsp = top + (uint)sizeof(T) + (ushort)u->Immediate;
        return Execution.Branch(cpu, target);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodedInstruction* ReturnSlowly<T>(CpuState* cpu, DecodedInstruction* u)
    {
        ulong before = cpu->Rsp;
        if (!Stack.TryPop(cpu, u, out T popped))
            return null;
        ulong target = Integer.ZeroExtend(popped);
        if (!IsValid(cpu, u, target))
        {
            cpu->Rsp = before;
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        }

        if (u->Immediate != 0)
            Stack.Move(cpu, u, (ushort)u->Immediate);
        return Go(cpu, target);
    }

    /// <summary>LOOP: the counter has the width of addresses.</summary>
    public static DecodedInstruction* Loop(CpuState* cpu, DecodedInstruction* u) => LoopWhile(cpu, u, go: true);

    /// <summary>LOOPE.</summary>
    public static DecodedInstruction* LoopEqual(CpuState* cpu, DecodedInstruction* u) =>
        LoopWhile(cpu, u, (cpu->RFlags & RFlags.Zero) != 0);

    /// <summary>LOOPNE.</summary>
    public static DecodedInstruction* LoopNotEqual(CpuState* cpu, DecodedInstruction* u) =>
        LoopWhile(cpu, u, (cpu->RFlags & RFlags.Zero) == 0);

    /// <summary>JCXZ, JECXZ, JRCXZ.</summary>
    public static DecodedInstruction* JumpIfCounterZero(CpuState* cpu, DecodedInstruction* u) =>
        Counter.Read(cpu, u) == 0 ? Jump(cpu, u) : u + 1;

    private static DecodedInstruction* LoopWhile(CpuState* cpu, DecodedInstruction* u, bool go)
    {
        ulong left = Counter.Read(cpu, u) - 1;
        Counter.Write(cpu, u, left);
        return go && Counter.Read(cpu, u) != 0 ? Jump(cpu, u) : u + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static DecodedInstruction* Jump(CpuState* cpu, DecodedInstruction* u)
    {
        DecodedInstruction* target = u->Target;
        return target != null ? Execution.Branch(cpu, target) : JumpUnlinked(cpu, u);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodedInstruction* JumpUnlinked(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsValid(cpu, u, u->Immediate))
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        DecodedInstruction* target = Known(cpu, u->Immediate);
        if (target == null)
            return Execution.Leave(cpu, u->Immediate, LeaveCause.Lookup);
        if (((u->Rip ^ u->Immediate) & Tlb.PageMask) == 0)
            u->Target = target;
        return target;
    }

    private static DecodedInstruction* JumpTo(CpuState* cpu, DecodedInstruction* u, ulong target) =>
        IsValid(cpu, u, target) ? Seek(cpu, target) : Execution.Raise(cpu, u, Vectors.GeneralProtection);

    private static DecodedInstruction* CallTo<T>(CpuState* cpu, DecodedInstruction* u, ulong target)
    {
        if (!IsValid(cpu, u, target))
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        if (!Stack.TryPush(cpu, u, Integer.Truncate<T>(u->NextRip), out bool slow))
            return null;
        return slow ? Execution.Leave(cpu, target, LeaveCause.Changed) : Seek(cpu, target);
    }

    /// <summary>A branch target must be canonical in 64-bit code, within CS elsewhere; else the branch itself is #GP.</summary>
    private static bool IsValid(CpuState* cpu, DecodedInstruction* u, ulong target) =>
        (u->Marks & Marks.Code64) != Marks.None ? PageWalk.IsCanonical(target) : target <= cpu->Cs.Limit;
}
