using PvPatch.Oracle.Cases;
using PvPatch.Oracle.Emulation;
using PvPatch.Oracle.Judgement;
using PvPatch.Oracle.Native;

namespace PvPatch.Oracle.Shrinking;

/// <summary>Makes a case that differs as small as it stays different.</summary>
internal sealed class CaseShrinker(HostOracle host, EmulatedOracle emulator)
{
    /// <summary>The case with registers and memory zeroed one by one.</summary>
    public MachineCase ShrinkState(MachineCase given)
    {
        MachineCase smallest = given;
        foreach (Action<MachineCase> step in Steps())
        {
            MachineCase tried = smallest.Clone();
            step(tried);
            if (Differs(tried))
                smallest = tried;
        }

        return smallest;
    }

    /// <summary>Whether both sides still differ.</summary>
    public bool Differs(MachineCase tried)
    {
        MachineCase emulated = emulator.Run(tried);
        return emulated.IsSafeOnHost && CaseComparison.Difference(tried, host.Run([tried])[0], emulated) != null;
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
            yield return state => state.YmmHigh.AsSpan(2 * register, 2).Clear();
        }

        for (int i = 0; i < 8; i++)
        {
            int place = i;
            yield return state => X87Image.SetRegister(state.Fpu, place, 0, 0);
        }

        yield return state => X87Image.Set(state.Fpu, 0x37f, (ushort)(X87Image.Status(state.Fpu) & 0x3800), X87Image.Used(state.Fpu));
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
}
