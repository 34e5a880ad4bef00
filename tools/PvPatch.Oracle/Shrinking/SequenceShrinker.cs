using PvPatch.Oracle.Cases;
using PvPatch.Oracle.Generation;

namespace PvPatch.Oracle.Shrinking;

/// <summary>Takes units out of a sequence for as long as it stays different.</summary>
internal sealed class SequenceShrinker(CaseShrinker cases)
{
    /// <summary>The case with the shortest sequence found.</summary>
    public MachineCase Shrink(Sequence sequence, MachineCase given)
    {
        MachineCase smallest = given;
        int size = Math.Max(1, sequence.Units.Count / 2);
        while (true)
        {
            bool removed = false;
            for (int first = 0; first + size <= sequence.Units.Count;)
            {
                Sequence tried = sequence.Without(first, size);
                MachineCase state = smallest.Clone();
                if (tried.TryPutInto(state) && cases.Differs(state))
                {
                    (sequence, smallest, removed) = (tried, state, true);
                }
                else
                {
                    first++;
                }
            }

            if (size == 1 && !removed)
                return smallest;
            size = Math.Max(1, removed ? size : size / 2);
        }
    }
}
