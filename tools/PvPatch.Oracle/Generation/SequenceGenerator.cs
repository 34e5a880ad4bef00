using Iced.Intel;
using PvPatch.Oracle.Cases;
using PvPatch.Oracle.Judgement;

namespace PvPatch.Oracle.Generation;

/// <summary>
/// Makes sequences of 10 to 50 instructions with branches forward, bounded loops, calls, strings and memory. Four registers
/// are kept: two that point into the windows, and two that count loops; nothing else writes them. What an instruction leaves undefined
/// is defined by the next one before anything can see it.
/// </summary>
internal sealed class SequenceGenerator
{
    private const int LongestLoop = 4;
    private const int LongestString = 8;

    private readonly CaseRandom _random;
    private readonly IReadOnlyList<Code> _forms;
    private readonly InstructionBytes _bytes;
    private readonly CaseStates _states;
    private readonly InstructionInfoFactory _usedRegisters = new();
    private readonly Register[] _kept = new Register[4];

    /// <summary>Makes sequences of the forms that may stand in one.</summary>
    public SequenceGenerator(CaseRandom random, IReadOnlyList<Code> forms)
    {
        _random = random;
        _forms = [.. forms.Where(SequenceForms.Has)];
        var values = new CornerValues(random);
        _bytes = new InstructionBytes(random, values);
        _states = new CaseStates(random, values, new X87Cases(random));
    }

    /// <summary>Whether some form may stand in a sequence.</summary>
    public bool HasForms => _forms.Count > 0;

    private Register Data => _kept[0];

    private Register DataAtEnd => _kept[1];

    /// <summary>Makes one sequence and the state that it starts with.</summary>
    public (Sequence Sequence, MachineCase Case) Next()
    {
        while (true)
        {
            ChooseKept();
            MachineCase state = State();
            Sequence sequence = Make();
            if (sequence.TryPutInto(state))
                return (sequence, state);
        }
    }

    private void ChooseKept()
    {
        List<Register> possible = [Register.RBX, Register.RBP, Register.R8, Register.R9, Register.R10, Register.R11, Register.R12, Register.R13, Register.R14, Register.R15];
        for (int i = 0; i < _kept.Length; i++)
        {
            int chosen = _random.Next(possible.Count);
            _kept[i] = possible[chosen];
            possible.RemoveAt(chosen);
        }
    }

    /// <summary>A state whose kept registers are set, and which mostly raises no floating-point exceptions.</summary>
    private MachineCase State()
    {
        MachineCase state = _states.Next();
        state.General[Data - Register.RAX] = CaseLayout.Windows[0].Address + 0x200;
        state.General[DataAtEnd - Register.RAX] = CaseLayout.Windows[1].Address + (ulong)CaseLayout.Windows[1].Size - 0x80;
        for (int i = 2; i < _kept.Length; i++)
            state.General[_kept[i] - Register.RAX] = (ulong)_random.Next(LongestLoop);
        if (_random.Chance(85))
        {
            state.Mxcsr = (state.Mxcsr & ~0x3fu) | 0x1f80;
            X87Image.Set(state.Fpu, (ushort)(X87Image.Control(state.Fpu) | 0x3f), (ushort)(X87Image.Status(state.Fpu) & 0x7f00), X87Image.Used(state.Fpu));
        }

        return state;
    }

    private Sequence Make()
    {
        int wanted = _random.Next(10, 51);
        var units = new List<Unit>();
        for (int count = 0; count < wanted; count += units[^1].Instructions.Count)
            units.Add(NextUnit());
        for (int i = 2; i < _kept.Length; i++)
        {
            if (_random.Chance(60))
                AddLoop(units, _kept[i]);
        }

        for (int i = 0; i < units.Count; i++)
        {
            if (units[i].Target < 0)
                units[i] = units[i] with { Target = _random.Next(i + 1, Math.Min(units.Count, i + 12) + 1) };
        }

        return new Sequence(units);
    }

    /// <summary>
    /// The counter is set before the loop, and counted down at its end for as long as it is positive: so it ends also when a
    /// branch from outside led into it.
    /// </summary>
    private void AddLoop(List<Unit> units, Register counter)
    {
        int first = _random.Next(units.Count);
        int last = _random.Next(first + 1, Math.Min(units.Count, first + 10) + 1);
        Insert(units, last, new Unit([Instruction.Create(Code.Sub_rm64_imm8, counter, 1), Instruction.CreateBranch(Code.Jg_rel32_64, 0)], first));
        Insert(units, first, new Unit([Instruction.Create(Code.Mov_r32_imm32, counter.GetFullRegister32(), _random.Next(1, LongestLoop + 1))]));
    }

    private static void Insert(List<Unit> units, int place, Unit unit)
    {
        for (int i = 0; i < units.Count; i++)
        {
            if (units[i].Target >= place)
                units[i] = units[i] with { Target = units[i].Target + 1 };
        }

        units.Insert(place, unit);
    }

    private Unit NextUnit() => _random.Next(20) switch
    {
        < 3 => Branch(),
        3 => String(),
        4 => Flags(),
        _ => Plain(),
    };

    /// <summary>A form with random operands, whose memory operand is made to lie in the windows.</summary>
    private Unit Plain()
    {
        while (true)
        {
            if (!_bytes.TryEncode(_forms[_random.Next(_forms.Count)], out Instruction instruction) || !TryPlaceMemory(ref instruction) || WritesKept(instruction))
                continue;
            var unit = new List<Instruction>(3);
            if (instruction.IsStackInstruction)
                unit.Add(SetStack());
            unit.Add(instruction);
            if (UndefinedFlags.MayBeLeftBy(instruction))
                unit.Add(Instruction.Create(Code.Cmp_r64_rm64, AnyRegister(), AnyRegister()));
            return new Unit(unit);
        }
    }

    /// <summary>A branch whose target is chosen later: a condition, LOOP, JMP, CALL, or a return or jump through a register.</summary>
    private Unit Branch()
    {
        const int Later = -1;
        Register through = Register.RAX + _random.Next(3);
        Instruction address = Instruction.Create(Code.Lea_r64_m, through, new MemoryOperand(Register.RIP, Register.None, 1, 0, 8));
        return _random.Next(10) switch
        {
            0 => new Unit([SetStack(), address, Instruction.Create(Code.Push_r64, through), Instruction.Create(Code.Retnq)], Later),
            1 => new Unit([address, Instruction.Create(Code.Jmp_rm64, through)], Later),
            2 => new Unit([SetStack(), Instruction.CreateBranch(Code.Call_rel32_64, 0)], Later),
            3 => new Unit([SetStack(), address, Instruction.Create(Code.Call_rm64, through)], Later),
            4 => new Unit([Instruction.CreateBranch(_random.Next(4) switch
            {
                0 => Code.Loop_rel8_64_RCX,
                1 => Code.Loope_rel8_64_RCX,
                2 => Code.Loopne_rel8_64_RCX,
                _ => Code.Jrcxz_rel8_64,
            }, 0)], Later),
            5 => new Unit([Instruction.CreateBranch(Code.Jmp_rel32_64, 0)], Later),
            _ => new Unit([Instruction.CreateBranch(SequenceForms.ConditionalBranches[_random.Next(SequenceForms.ConditionalBranches.Count)], 0)], Later),
        };
    }

    /// <summary>A string instruction with its registers set to where no page ends.</summary>
    private Unit String()
    {
        Instruction instruction = SequenceForms.Strings[_random.Next(SequenceForms.Strings.Count)];
        switch (_random.Next(3))
        {
            case 0:
                instruction.HasRepPrefix = true;
                break;
            case 1:
                instruction.HasRepnePrefix = instruction.Mnemonic is Mnemonic.Cmpsb or Mnemonic.Cmpsw or Mnemonic.Cmpsd or Mnemonic.Cmpsq or
                    Mnemonic.Scasb or Mnemonic.Scasw or Mnemonic.Scasd or Mnemonic.Scasq;
                break;
            default:
                break;
        }

        return new Unit(
        [
            Instruction.Create(Code.Mov_r32_imm32, Register.ECX, _random.Next(LongestString + 1)),
            LoadAddress(Register.RSI), LoadAddress(Register.RDI),
            instruction,
        ]);
    }

    /// <summary>Flags through the stack: only those that a case compares are taken back.</summary>
    private Unit Flags()
    {
        const int Compared = 0xcd5;
        return new Unit(
        [
            SetStack(), Instruction.Create(Code.Pushfq),
            Instruction.Create(Code.And_rm64_imm32, new MemoryOperand(Register.RSP), Compared),
            Instruction.Create(Code.Popfq),
        ]);
    }

    private Instruction SetStack() => LoadAddress(Register.RSP);

    private Instruction LoadAddress(Register register) =>
        Instruction.Create(Code.Lea_r64_m, register, new MemoryOperand(Data, _random.Next(-0x100, 0x100), 4));

    private Register AnyRegister() => Register.RAX + _random.Next(16);

    private bool TryPlaceMemory(ref Instruction instruction)
    {
        bool hasMemory = false;
        for (int i = 0; i < instruction.OpCount; i++)
            hasMemory |= instruction.GetOpKind(i) == OpKind.Memory;
        if (!hasMemory)
            return true;

        bool atEnd = _random.Chance(10);
        int offset = atEnd ? _random.Next(-0x80, 0x78) : _random.Next(-0x100, 0x100);
        if (_random.Chance(80) || UndefinedResults.NeedsAlignment(instruction))
            offset &= ~15;
        instruction.MemoryBase = atEnd ? DataAtEnd : Data;
        instruction.MemoryIndex = Register.None;
        instruction.MemoryIndexScale = 1;
        instruction.SegmentPrefix = Register.None;
        instruction.MemoryDisplacement64 = (ulong)offset;
        instruction.MemoryDisplSize = 8;
        return true;
    }

    private bool WritesKept(in Instruction instruction)
    {
        foreach (UsedRegister used in _usedRegisters.GetInfo(instruction).GetUsedRegisters())
        {
            bool writes = used.Access is not (OpAccess.Read or OpAccess.CondRead);
            if (writes && Array.IndexOf(_kept, used.Register.GetFullRegister()) >= 0)
                return true;
        }

        return false;
    }
}
