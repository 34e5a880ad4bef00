using System.Text;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;
using PvPatch.Oracle.Cases;

namespace PvPatch.Oracle.Judgement;

/// <summary>Compares what the host made of a case with what the emulator made of it.</summary>
internal static class CaseComparison
{
    private const ulong ComparedFlags = StatusFlags.All | RFlags.Direction;

    /// <summary>MXCSR.MM, which only AMD processors have (APM vol. 1, 4.2.2).</summary>
    private const uint MisalignedMode = 1 << 17;

    /// <summary>The differences as a sentence, null if there are none that count.</summary>
    public static string? Difference(MachineCase given, MachineCase host, MachineCase emulated)
    {
        Instruction instruction = given.Single;
        if (UndefinedResults.Has(instruction, given) || X87Comparison.IsUndefined(instruction, given) || (host.Mxcsr & MisalignedMode) != 0)
            return null;
        var text = new StringBuilder();
        // Which of two bad operands is reported is open; what was done before it is not.
        bool bothFault = UndefinedResults.MayFaultEitherWay(instruction) && host.Vector is (13 or 14) && emulated.Vector is (13 or 14);
        if (!bothFault && host.Vector != emulated.Vector)
            text.Append($" exception {host.Vector} but {emulated.Vector};");
        else if (!bothFault && host.Vector == 14 && (((host.ErrorCode ^ emulated.ErrorCode) & ~UnknownErrorBits(host)) != 0 || FaultAddress(instruction, host) != FaultAddress(instruction, emulated)))
            text.Append($" page fault {host.ErrorCode:x} at {host.Cr2:x} but {emulated.ErrorCode:x} at {emulated.Cr2:x};");
        if (host.Rip != emulated.Rip)
            text.Append($" RIP {host.Rip:x} but {emulated.Rip:x};");
        for (int i = 0; i < 16; i++)
        {
            if (host.General[i] != emulated.General[i])
                text.Append($" {Register.RAX + i} {host.General[i]:x} but {emulated.General[i]:x};");
        }

        // A fault leaves the flags as they were, and undefined ones only change when the instruction completes.
        ulong undefined = host.Vector == 3 ? UndefinedFlags.Of(instruction, given) : 0;
        ulong flags = (host.Flags ^ emulated.Flags) & ComparedFlags & ~undefined;
        if (flags != 0)
            text.Append($" flags {host.Flags & ComparedFlags:x} but {emulated.Flags & ComparedFlags:x}, differing in {flags:x};");
        X87Comparison.HidePointers(given, instruction, host, emulated);
        GatherComparison.HideOpenElements(given, instruction, host, emulated);
        for (int i = 0; i < host.Memory.Length; i++)
        {
            int at = host.Memory[i].AsSpan().CommonPrefixLength(emulated.Memory[i]);
            if (at < host.Memory[i].Length)
                text.Append($" byte at {CaseLayout.Windows[i].Address + (ulong)at:x} is {host.Memory[i][at]:x2} but {emulated.Memory[i][at]:x2};");
        }

        X87Comparison.Append(text, instruction, given.Fpu, host.Fpu, emulated.Fpu);
        AppendVectors(text, instruction, host, emulated);
        if (host.Mxcsr != emulated.Mxcsr)
            text.Append($" MXCSR {host.Mxcsr:x} but {emulated.Mxcsr:x};");
        return text.Length == 0 ? null : text.ToString();
    }

    private static void AppendVectors(StringBuilder text, in Instruction instruction, MachineCase host, MachineCase emulated)
    {
        bool near = Approximation.Is(instruction);
        for (int i = 0; i < 32; i++)
        {
            if (host.Xmm[i] != emulated.Xmm[i] && !(near && Approximation.AreNear(host.Xmm[i], emulated.Xmm[i])))
                text.Append($" XMM{i / 2} word {i % 2} {host.Xmm[i]:x16} but {emulated.Xmm[i]:x16};");
        }

        for (int i = 0; i < 32; i++)
        {
            if (host.YmmHigh[i] != emulated.YmmHigh[i] && !(near && Approximation.AreNear(host.YmmHigh[i], emulated.YmmHigh[i])))
                text.Append($" YMM{i / 2} high word {i % 2} {host.YmmHigh[i]:x16} but {emulated.YmmHigh[i]:x16};");
        }
    }

    /// <summary>The state of the x87 and of SSE is accessed in pieces, whose sizes the manuals don't tell: then only the page counts.</summary>
    private static ulong FaultAddress(in Instruction instruction, MachineCase result) => instruction.Mnemonic switch
    {
        Mnemonic.Fldenv or Mnemonic.Fnstenv or Mnemonic.Fnsave or Mnemonic.Frstor => result.Cr2 & ~0xffful,
        _ when StateImage.Uses(instruction) => result.Cr2 & ~0xffful,
        _ => result.Cr2,
    };

    /// <summary>In the upper half the host has its kernel's pages, so whether one is present can't be compared.</summary>
    private static uint UnknownErrorBits(MachineCase host) => host.Cr2 >> 63 != 0 ? 1u : 0;
}
