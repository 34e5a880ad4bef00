using Iced.Intel;
using PvPatch.Oracle.Cases;

namespace PvPatch.Oracle.Generation;

/// <summary>
/// A piece of code as units: instructions that only make sense together. A branch names the unit that it leads to; what lies behind the last
/// one is the end.
/// </summary>
internal sealed class Sequence(IReadOnlyList<Unit> units)
{
    /// <summary>How far apart the made-up addresses of instructions are, by which the assembler knows targets.</summary>
    private const ulong Distance = 16;

    /// <summary>The units in order.</summary>
    public IReadOnlyList<Unit> Units => units;

    /// <summary>The sequence without some of its units; branches to those lead to the next one left.</summary>
    public Sequence Without(int first, int count)
    {
        int end = first + count;
        int Moved(int target) => target <= first ? target : Math.Max(first, target - count);
        return new Sequence([.. units.Where((_, i) => i < first || i >= end).Select(unit => unit with { Target = Moved(unit.Target) })]);
    }

    /// <summary>Puts the code into a case; false if it does not fit.</summary>
    public bool TryPutInto(MachineCase state)
    {
        var starts = new ulong[units.Count + 1];
        ulong next = CaseLayout.CodeStart;
        for (int i = 0; i < units.Count; i++)
        {
            starts[i] = next;
            next += Distance * (ulong)units[i].Instructions.Count;
        }

        starts[units.Count] = next;
        var code = new List<Instruction>();
        for (int i = 0; i < units.Count; i++)
        {
            foreach (Instruction instruction in units[i].Instructions)
                code.Add(Placed(instruction, CaseLayout.CodeStart + (Distance * (ulong)code.Count), starts[units[i].Target]));
        }

        // The end is an instruction, too, so that branches can lead there; the case has its INT3 in any event.
        Instruction end = Instruction.Create(Code.Int3);
        end.IP = next;
        code.Add(end);
        using var bytes = new MemoryStream();
        if (!BlockEncoder.TryEncode(64, new InstructionBlock(new StreamCodeWriter(bytes), code, CaseLayout.CodeStart), out _, out _))
            return false;
        if (bytes.Length >= CaseLayout.CodeSize)
            return false;
        state.SetCode(bytes.GetBuffer().AsSpan(0, (int)bytes.Length - 1));
        return true;
    }

    private static Instruction Placed(Instruction instruction, ulong address, ulong target)
    {
        instruction.IP = address;
        if (instruction.Op0Kind == OpKind.NearBranch64)
            instruction.NearBranch64 = target;
        else if (instruction.IsIPRelativeMemoryOperand)
            instruction.MemoryDisplacement64 = target;
        return instruction;
    }
}

/// <summary>Instructions that are only removed together.</summary>
/// <param name="Instructions">They.</param>
/// <param name="Target">The number of the unit that a branch in it leads to.</param>
internal sealed record Unit(IReadOnlyList<Instruction> Instructions, int Target = 0);
