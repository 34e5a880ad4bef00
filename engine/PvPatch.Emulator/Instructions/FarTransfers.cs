using System.Numerics;
using System.Runtime.CompilerServices;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// IRET, RETF and far jumps and calls to code segments in long mode (Intel SDM vol. 2, IRET, RET, JMP, CALL; vol. 3, 5.8).
/// </summary>
internal static unsafe class FarTransfers
{
    /// <summary>IRET from 64-bit code: always five values.</summary>
    public static DecodedInstruction* InterruptReturn<T>(CpuState* cpu, DecodedInstruction* u)
        where T : unmanaged, IBinaryInteger<T>
    {
        if ((u->Marks & Marks.Code64) == Marks.None)
            return Execution.Raise(cpu, u, Vectors.InvalidOpcode);
        if ((cpu->RFlags & RFlags.NestedTask) != 0)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        ulong* values = stackalloc ulong[5];
        for (int i = 0; i < 5; i++)
        {
            if (!Stack.TryPeek(cpu, u, (ulong)(i * sizeof(T)), out T value))
                return null;
            values[i] = ulong.CreateTruncating(value);
        }

        if (!TryEnter(cpu, u, values[0], (ushort)values[1], values[3], (ushort)values[4]))
            return null;
        int levelBefore = PrivilegeLevel.Of(cpu);
        ulong allowed = FlagsRegister.Writable | RFlags.Resume;
        if (levelBefore > 0)
            allowed &= ~(3ul << 12);
        if (levelBefore > FlagsRegister.IoPrivilegeLevel(cpu))
            allowed &= ~RFlags.InterruptEnable;
        if (sizeof(T) == 2)
            allowed &= ushort.MaxValue;
        cpu->RFlags = (cpu->RFlags & ~allowed) | (values[2] & allowed);
        return Commit(cpu, values[0], values[3]);
    }

    /// <summary>RETF: to the same level two values, to an outer one four.</summary>
    public static DecodedInstruction* Return<T>(CpuState* cpu, DecodedInstruction* u)
        where T : unmanaged, IBinaryInteger<T>
    {
        if ((u->Marks & Marks.Code64) == Marks.None)
            return Execution.Raise(cpu, u, Vectors.InvalidOpcode);
        if (!Stack.TryPeek(cpu, u, 0, out T rip) || !Stack.TryPeek(cpu, u, (ulong)sizeof(T), out T cs))
            return null;
        ulong released = (ushort)u->Immediate;
        ushort selector = ushort.CreateTruncating(cs);
        ulong pointer = cpu->Rsp + (2 * (ulong)sizeof(T)) + released;
        ushort stackSelector = cpu->Ss.Selector;
        if ((selector & 3) > PrivilegeLevel.Of(cpu))
        {
            ulong outer = (2 * (ulong)sizeof(T)) + released;
            if (!Stack.TryPeek(cpu, u, outer, out T rsp) || !Stack.TryPeek(cpu, u, outer + (ulong)sizeof(T), out T ss))
                return null;
            pointer = ulong.CreateTruncating(rsp) + released;
            stackSelector = ushort.CreateTruncating(ss);
        }

        return TryEnter(cpu, u, ulong.CreateTruncating(rip), selector, pointer, stackSelector)
            ? Commit(cpu, ulong.CreateTruncating(rip), pointer)
            : null;
    }

    /// <summary>JMP far through memory.</summary>
    public static DecodedInstruction* Jump<T>(CpuState* cpu, DecodedInstruction* u)
        where T : unmanaged, IBinaryInteger<T> =>
        TryTarget<T>(cpu, u, out ulong target, out Segment code) ? Transfer(cpu, code, target) : null;

    /// <summary>CALL far through memory.</summary>
    public static DecodedInstruction* Call<T>(CpuState* cpu, DecodedInstruction* u)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (!TryTarget<T>(cpu, u, out ulong target, out Segment code) ||
            !Stack.TryPoke(cpu, u, (ulong)sizeof(T), T.CreateTruncating(cpu->Cs.Selector)) ||
            !Stack.TryPoke(cpu, u, 2 * (ulong)sizeof(T), T.CreateTruncating(u->NextRip)))
        {
            return null;
        }

        Stack.Move(cpu, u, -2 * sizeof(T));
        return Transfer(cpu, code, target);
    }

    private static DecodedInstruction* Transfer(CpuState* cpu, Segment code, ulong target)
    {
        cpu->Cs = code;
        return Execution.Leave(cpu, target, LeaveCause.Changed);
    }

    private static DecodedInstruction* Commit(CpuState* cpu, ulong rip, ulong pointer)
    {
        // CS and SS of the target level are staged, so that flags were loaded at the level of before.
        Execution* execution = Execution.Of(cpu);
        bool outward = (execution->StagedCode.Selector & 3) > PrivilegeLevel.Of(cpu);
        cpu->Cs = execution->StagedCode;
        cpu->Ss = execution->StagedStack;
        cpu->Rsp = pointer;
        if (outward)
            ForgetInnerSegments(cpu);
        bool longCode = (cpu->Cs.Attributes & SegmentAttributes.Long) != 0;
        return Execution.Leave(cpu, longCode ? rip : (uint)rip, LeaveCause.Changed);
    }

    /// <summary>Checks the target of a return and stages its segments.</summary>
    private static bool TryEnter(CpuState* cpu, DecodedInstruction* u, ulong rip, ushort selector, ulong pointer, ushort stackSelector)
    {
        if (!Descriptors.TryReadCode(cpu, u, selector, out Segment code))
            return false;
        int level = selector & 3;
        int before = PrivilegeLevel.Of(cpu);
        bool conforming = (code.Attributes & SegmentAttributes.DownOrConforming) != 0;
        bool allowed = level >= before && (conforming ? Descriptors.Privilege(code) <= level : Descriptors.Privilege(code) == level);
        if (!allowed)
        {
            Execution.Raise(cpu, u, Vectors.GeneralProtection, selector & ~3u);
            return false;
        }

        bool longCode = (code.Attributes & SegmentAttributes.Long) != 0;
        if (longCode ? !PageWalk.IsCanonical(rip) : rip > code.Limit)
        {
            Execution.Raise(cpu, u, Vectors.GeneralProtection);
            return false;
        }

        Segment stack = new() { Selector = stackSelector };
        if ((stackSelector & ~3) == 0)
        {
            if (!longCode || level == 3 || (stackSelector & 3) != level)
            {
                Execution.Raise(cpu, u, Vectors.GeneralProtection);
                return false;
            }
        }
        else
        {
            if (!Descriptors.TryRead(cpu, u, stackSelector, Vectors.GeneralProtection, out ulong descriptor))
                return false;
            stack = Descriptors.Decode(stackSelector, descriptor);
            const ushort Kind = SegmentAttributes.CodeOrData | SegmentAttributes.Code | SegmentAttributes.WritableOrReadable;
            const ushort WritableData = SegmentAttributes.CodeOrData | SegmentAttributes.WritableOrReadable;
            bool wrong = (stack.Attributes & Kind) != WritableData || (stackSelector & 3) != level || Descriptors.Privilege(stack) != level;
            if (wrong || (stack.Attributes & SegmentAttributes.Present) == 0)
            {
                Execution.Raise(cpu, u, wrong ? Vectors.GeneralProtection : Vectors.StackFault, stackSelector & ~3u);
                return false;
            }
        }

        Execution* execution = Execution.Of(cpu);
        execution->StagedCode = code;
        execution->StagedStack = stack;
        return true;
    }

    /// <summary>Data segments that the outer level may not use become null.</summary>
    private static void ForgetInnerSegments(CpuState* cpu)
    {
        int level = PrivilegeLevel.Of(cpu);
        Forget(&cpu->Ds, level);
        Forget(&cpu->Es, level);
        Forget(&cpu->Fs, level);
        Forget(&cpu->Gs, level);
    }

    private static void Forget(Segment* segment, int level)
    {
        bool conforming = (segment->Attributes & (SegmentAttributes.Code | SegmentAttributes.DownOrConforming)) ==
            (SegmentAttributes.Code | SegmentAttributes.DownOrConforming);
        if (segment->Attributes == 0 || conforming || Descriptors.Privilege(*segment) >= level)
            return;
        segment->Selector = 0;
        segment->Attributes = 0;
    }

    private static bool TryTarget<T>(CpuState* cpu, DecodedInstruction* u, out ulong target, out Segment code)
        where T : unmanaged, IBinaryInteger<T>
    {
        target = 0;
        code = default;
        if ((u->Marks & Marks.Code64) == Marks.None)
        {
            Execution.Raise(cpu, u, Vectors.InvalidOpcode);
            return false;
        }

        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(T) + 2, write: false), sizeof(T) + 2);
        if (host == null)
            return false;
        // SAFETY: Read gave the address of sizeof(T) + 2 readable bytes.
        target = ulong.CreateTruncating(Unsafe.ReadUnaligned<T>(host));
        ushort selector = Unsafe.ReadUnaligned<ushort>(host + sizeof(T));
        if (!Descriptors.TryReadCode(cpu, u, selector, out code))
            return false;
        int level = PrivilegeLevel.Of(cpu);
        bool conforming = (code.Attributes & SegmentAttributes.DownOrConforming) != 0;
        bool allowed = conforming ? Descriptors.Privilege(code) <= level : (selector & 3) <= level && Descriptors.Privilege(code) == level;
        bool longCode = (code.Attributes & SegmentAttributes.Long) != 0;
        if (!allowed || (longCode ? !PageWalk.IsCanonical(target) : target > code.Limit))
        {
            Execution.Raise(cpu, u, Vectors.GeneralProtection, allowed ? 0 : selector & ~3u);
            return false;
        }

        code.Selector = (ushort)((selector & ~3) | level);
        return true;
    }
}
