using System.Buffers.Binary;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;
using PvPatch.Oracle.Cases;

namespace PvPatch.Oracle.Generation;

/// <summary>Random states to start a case with.</summary>
internal sealed class CaseStates(CaseRandom random, CornerValues values, X87Cases x87)
{
    /// <summary>Flags that a case may start with: not TF, which would stop after one instruction on one side only.</summary>
    private const ulong StartFlags = StatusFlags.All | RFlags.Direction;

    /// <summary>A state without code.</summary>
    public MachineCase Next()
    {
        var state = new MachineCase { Rip = CaseLayout.CodeStart, Flags = random.Bits() & StartFlags };
        if (random.Chance(70))
            state.Flags &= ~RFlags.Direction;
        for (int i = 0; i < 16; i++)
            state.General[i] = values.Value();
        foreach (byte[] window in state.Memory)
        {
            for (int i = 0; i < window.Length; i += 8)
                BinaryPrimitives.WriteUInt64LittleEndian(window.AsSpan(i), random.Chance(30) ? values.FloatValue() : values.Value());
        }

        x87.Fill(state.Fpu);
        state.Mxcsr = (random.Chance(80) ? 0x1f80u : (uint)random.Bits() & 0x1f80) | ((uint)random.Bits() & (random.Chance(50) ? 0xe07fu : 0x6000));
        for (int i = 0; i < state.Xmm.Length; i++)
            state.Xmm[i] = random.Chance(50) ? values.FloatValue() : values.Value();
        for (int i = 0; i < state.YmmHigh.Length; i++)
            state.YmmHigh[i] = random.Chance(50) ? values.FloatValue() : values.Value();
        return state;
    }
}
