using PvPatch.Oracle.Cases;
using PvPatch.Oracle.Emulation;
using PvPatch.Oracle.Generation;

namespace PvPatch.Oracle;

/// <summary>The cases of one run, in the order that its seed decides.</summary>
internal sealed class FuzzRun(FuzzOptions options, EmulatedOracle emulator, CaseGenerator instructions, SequenceGenerator sequences, CaseRandom random)
{
    /// <summary>Makes cases and emulates them first: one that reaches for the helper's own pages is no case.</summary>
    public List<JudgedCase> NextBatch(long most)
    {
        var batch = new List<JudgedCase>();
        while (batch.Count < most)
        {
            (Sequence? sequence, MachineCase given) = random.Next(100) < options.SequencePercent && sequences.HasForms ? sequences.Next() : (null, instructions.Next());
            MachineCase emulated = emulator.Run(given);
            if (emulated.IsSafeOnHost)
                batch.Add(new JudgedCase(given, sequence, emulated));
        }

        return batch;
    }
}
