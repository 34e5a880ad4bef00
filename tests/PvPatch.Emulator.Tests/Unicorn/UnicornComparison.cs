using System.Numerics;
using System.Runtime.InteropServices;
using PvPatch.Oracle.Cases;
using PvPatch.Oracle.Emulation;
using PvPatch.Oracle.Judgement;

namespace PvPatch.Emulator.Tests.Unicorn;

/// <summary>Runs cases in Unicorn and in the emulator, and keeps count of what was compared and what was left out.</summary>
internal sealed class UnicornComparison : IDisposable
{
    private const uint Breakpoint = 3;
    private const uint MxcsrFlags = 0x3f;
    private const uint MxcsrMasks = 0x1f80;
    private const uint MxcsrDenormals = 0x8040;

    private readonly EmulatedOracle _emulator = new();
    private readonly UnicornOracle _unicorn = new();

    /// <summary>Cases whose outcomes were compared.</summary>
    public int Compared { get; private set; }

    /// <summary>Those of them in which both fault, of which no more is compared.</summary>
    public int Faults { get; private set; }

    /// <summary>Cases that were left out, by the reason.</summary>
    public SortedDictionary<string, int> LeftOut { get; } = new(StringComparer.Ordinal);

    /// <summary>What differs, a case a line: the instruction, Unicorn's value first.</summary>
    public List<string> Differences { get; } = [];

    /// <summary>Compares one case.</summary>
    public void Compare(MachineCase given)
    {
        if (UnicornLimits.WhyNot(given) is { } reason)
        {
            LeaveOut(reason);
            return;
        }

        // Unicorn neither raises SSE's exceptions nor keeps their flags, and has no DAZ and FTZ.
        given.Mxcsr = (given.Mxcsr | MxcsrMasks) & ~MxcsrDenormals;
        MachineCase emulated = _emulator.Run(given);
        if (emulated.Vector == MachineCase.Endless)
        {
            LeaveOut("it does not end");
            return;
        }

        MachineCase there = _unicorn.Run(given);
        if (emulated.Vector != Breakpoint && there.Vector == Breakpoint && UnicornLimits.WhyNoFault(given) is { } why)
        {
            LeaveOut(why);
            return;
        }

        Compared++;
        if (emulated.Vector != Breakpoint && there.Vector != Breakpoint)
        {
            Faults++;
            return;
        }

        emulated.Fpu.AsSpan(0, 24).CopyTo(there.Fpu);
        emulated.Fpu.AsSpan(X87Image.FirstRegister, 128).CopyTo(there.Fpu.AsSpan(X87Image.FirstRegister));
        there.Mxcsr = (there.Mxcsr & ~MxcsrFlags) | (emulated.Mxcsr & MxcsrFlags);
        TakeNaNs(given, emulated, there);
        if (CaseComparison.Difference(given, there, emulated) is { } difference)
            Differences.Add($"{Convert.ToHexString(given.Code.AsSpan(0, given.Length))} {given.Single}:{difference}");
    }

    public void Dispose()
    {
        _emulator.Dispose();
        _unicorn.Dispose();
    }

    /// <summary>Of two NaNs Unicorn takes the larger for SSE too, not the first (Intel SDM vol. 1, table 4-7): which one is not compared.</summary>
    private static void TakeNaNs(MachineCase given, MachineCase from, MachineCase to)
    {
        string name = given.Single.Mnemonic.ToString();
        if (name.EndsWith("ps", StringComparison.Ordinal) || name.EndsWith("ss", StringComparison.Ordinal))
            TakeNaNs<float>(from.Xmm, to.Xmm);
        else if (name.EndsWith("pd", StringComparison.Ordinal) || name.EndsWith("sd", StringComparison.Ordinal))
            TakeNaNs<double>(from.Xmm, to.Xmm);
    }

    private static void TakeNaNs<T>(Span<ulong> from, Span<ulong> to)
        where T : unmanaged, IFloatingPoint<T>
    {
        Span<T> taken = MemoryMarshal.Cast<ulong, T>(from);
        Span<T> replaced = MemoryMarshal.Cast<ulong, T>(to);
        for (int i = 0; i < taken.Length; i++)
        {
            if (T.IsNaN(taken[i]) && T.IsNaN(replaced[i]))
                taken.Slice(i, 1).CopyTo(replaced[i..]);
        }
    }

    private void LeaveOut(string reason) => LeftOut[reason] = LeftOut.GetValueOrDefault(reason) + 1;
}
