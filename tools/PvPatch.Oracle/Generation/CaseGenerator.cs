using Iced.Intel;
using PvPatch.Oracle.Cases;

namespace PvPatch.Oracle.Generation;

/// <summary>Makes single-instruction cases: an encoding of a form with random prefixes and operands, and a state with corner values whose addresses lead to the case's pages.</summary>
internal sealed class CaseGenerator
{
    private readonly CaseRandom _random;
    private readonly IReadOnlyList<Code> _forms;
    private readonly InstructionBytes _bytes;
    private readonly CaseStates _states;
    private readonly OperandPlaces _places;

    public CaseGenerator(CaseRandom random, IReadOnlyList<Code> forms)
    {
        _random = random;
        _forms = forms;
        var values = new CornerValues(random);
        var x87 = new X87Cases(random);
        _bytes = new InstructionBytes(random, values);
        _states = new CaseStates(random, values, x87);
        _places = new OperandPlaces(random, _bytes, x87);
    }

    /// <summary>Makes one case.</summary>
    public MachineCase Next()
    {
        MachineCase state = _states.Next();
        while (true)
        {
            if (!_bytes.TryEncode(_forms[_random.Next(_forms.Count)], out Instruction instruction))
                continue;
            if (!_places.TryPlace(ref instruction, state))
                continue;
            state.SetCode(_bytes.Bytes[..instruction.Length]);
            return state;
        }
    }
}
