using System.Runtime.Versioning;
using Iced.Intel;

namespace PvPatch.Emulator.Tests.Oracle;

/// <summary>Makes a case that differs as small as it stays different: registers and memory become zero one by one.</summary>
[SupportedOSPlatform("linux")]
internal static class CaseShrinker
{
    /// <summary>The shrunk case as a line for a case file, with the host's result.</summary>
    public static string Shrink(MachineCase given, in Instruction instruction, HostOracle host, EmulatedOracle emulator)
    {
        MachineCase smallest = given;
        foreach (Action<MachineCase> step in Steps())
        {
            MachineCase tried = smallest.Clone();
            step(tried);
            if (Differs(tried, instruction, host, emulator))
                smallest = tried;
        }

        return CaseLine.Format(smallest, instruction.Length, host.Run([smallest])[0]);
    }

    private static IEnumerable<Action<MachineCase>> Steps()
    {
        yield return state => state.Flags = 0;
        yield return state => state.Mxcsr = 0x1f80;
        for (int i = 0; i < 16; i++)
        {
            int register = i;
            yield return state => state.General[register] = 0;
            yield return state => state.Xmm[2 * register] = 0;
            yield return state => state.Xmm[(2 * register) + 1] = 0;
        }

        const int Piece = 16;
        for (int window = 0; window < CaseLayout.Windows.Length; window++)
        {
            for (int start = 0; start < CaseLayout.Windows[window].Size; start += Piece)
            {
                (int number, int first) = (window, start);
                yield return state => state.Memory[number].AsSpan(first, Piece).Clear();
            }
        }
    }

    private static bool Differs(MachineCase tried, in Instruction instruction, HostOracle host, EmulatedOracle emulator)
    {
        MachineCase emulated = emulator.Run(tried);
        if (CaseLayout.BelongsToHelper(emulated.General[4]) || (emulated.Vector == 14 && CaseLayout.BelongsToHelper(emulated.Cr2)))
            return false;
        return CaseComparison.Difference(tried, instruction, host.Run([tried])[0], emulated) != null;
    }
}
