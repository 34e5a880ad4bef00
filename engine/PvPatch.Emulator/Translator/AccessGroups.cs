using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Finds which accesses of a region can be served together. Along blocks that fall through to each other it follows by how much registers differ from what they
/// were: <c>push</c> and <c>sub rsp,40</c> leave the stack where it is, <c>mov rbp,rsp</c> is another name for it.
/// </summary>
internal sealed class AccessGroups
{
    /// <summary>The most bytes of a group: where it lies across pages that are apart on the host, the interpreter executes the instruction.</summary>
    private const int MostBytes = 64;

    /// <summary>The most bytes of a group on the stack, whose pages mostly lie side by side on the host.</summary>
    private const int MostBytesOnStack = 256;

    private const int Constant = 0;
    private const int Stack = Register.RSP - Register.RAX;
    private const int Frame = Register.RBP - Register.RAX;

    private readonly RegisterUse _use = new();
    private readonly int[] _numbers = new int[16];
    private readonly long[] _offsets = new long[16];
    private readonly List<AccessGroup> _open = [];
    private readonly List<AccessGroup> _beforeBlock = [];
    private int _lastNumber;

    private AccessGroups()
    {
    }

    /// <summary>Notes in each block which of its accesses are in groups.</summary>
    public static void Find(Region region)
    {
        var groups = new AccessGroups();
        foreach (RegionBlock block in region.Blocks)
            groups.Follow(block);
        foreach (RegionBlock block in region.Blocks)
            block.DropSingleAccesses();
    }

    private void Follow(RegionBlock block)
    {
        _beforeBlock.Clear();
        if (block.Inherits)
            _beforeBlock.AddRange(_open);
        else
            Forget();
        for (int place = 0; place < block.Instructions.Length; place++)
        {
            ref readonly Instruction instruction = ref block.Instructions[place];
            if (!TranslatedForms.IsWritten(instruction) || SensitiveForms.Has(instruction))
            {
                // What is called may change more than registers.
                _open.Clear();
                Change(instruction);
                continue;
            }

            if (TranslatedForms.AccessesMemory(instruction))
                block.Own[place] = Join(instruction);
            block.Implied[place] = JoinImplied(instruction);
            Move(instruction);
        }
    }

    private void Forget()
    {
        _open.Clear();
        for (int i = 0; i < _numbers.Length; i++)
            Renew(i);
    }

    private void Renew(int register)
    {
        _numbers[register] = ++_lastNumber;
        _offsets[register] = 0;
    }

    private void Copy(int register, int number, long offset)
    {
        _numbers[register] = number;
        _offsets[register] = offset;
    }

    private static bool Writes(in Instruction instruction) => instruction.Op0Kind == OpKind.Memory && instruction.Mnemonic is not
        (Mnemonic.Cmp or Mnemonic.Test or Mnemonic.Push or Mnemonic.Call or Mnemonic.Jmp or Mnemonic.Mul or Mnemonic.Imul or Mnemonic.Div or Mnemonic.Idiv);

    private GroupedAccess? Join(in Instruction instruction)
    {
        bool hasBase = instruction.MemoryBase is not (Register.None or Register.RIP);
        bool isPlain = instruction.MemorySegment is not (Register.FS or Register.GS) && instruction.MemoryBase != Register.EIP
            && (!hasBase || instruction.MemoryBase.GetSize() == 8) && (instruction.MemoryIndex == Register.None || instruction.MemoryIndex.GetSize() == 8)
            && (hasBase || instruction.MemoryIndex != Register.None || instruction.MemoryBase == Register.RIP || instruction.MemoryDisplSize == 8);
        if (!isPlain)
            return null;
        int number = Constant;
        long offset = (long)instruction.MemoryDisplacement64;
        if (hasBase)
        {
            number = _numbers[NumberOf(instruction.MemoryBase)];
            offset += _offsets[NumberOf(instruction.MemoryBase)];
        }

        int index = Constant;
        int scale = 0;
        if (instruction.MemoryIndex != Register.None)
        {
            scale = instruction.MemoryIndexScale;
            index = _numbers[NumberOf(instruction.MemoryIndex)];
            offset += _offsets[NumberOf(instruction.MemoryIndex)] * scale;
        }

        GroupedAccess access = Join(number, index, scale, offset, instruction.MemorySize.GetSize(), Writes(instruction), HostAddresses.IsOnStack(instruction));
        access.Group.IsOfChain |= HostAddresses.IsOfChain(instruction);
        return access;
    }

    /// <summary>What is pushed, popped or where RET and LEAVE read.</summary>
    private GroupedAccess? JoinImplied(in Instruction instruction) => instruction.Mnemonic switch
    {
        Mnemonic.Push or Mnemonic.Call => Join(_numbers[Stack], Constant, 0, _offsets[Stack] - sizeof(ulong), sizeof(ulong), writes: true, isOnStack: true),
        Mnemonic.Pop or Mnemonic.Ret => Join(_numbers[Stack], Constant, 0, _offsets[Stack], sizeof(ulong), writes: false, isOnStack: true),
        Mnemonic.Leave => Join(_numbers[Frame], Constant, 0, _offsets[Frame], sizeof(ulong), writes: false, isOnStack: true),
        _ => null,
    };

    private GroupedAccess Join(int number, int index, int scale, long offset, int size, bool writes, bool isOnStack)
    {
        int place = _open.Count - 1;
        while (place >= 0 && !_open[place].IsOf(number, index, scale))
            place--;
        if (place >= 0)
        {
            // What is written only if a branch was not taken may not be written before: it would be a fault each time.
            AccessGroup open = _open[place];
            int most = open.IsOnStack || isOnStack ? MostBytesOnStack : MostBytes;
            if (open.HasRoomFor(offset, size, most) && (!writes || open.Writes || open.IsOnStack || !_beforeBlock.Contains(open)))
            {
                open.Add(offset, size, writes, isOnStack);
                return new GroupedAccess(open, offset, IsFirst: false);
            }

            _open.RemoveAt(place);
        }

        var group = new AccessGroup(number, index, scale);
        group.Add(offset, size, writes, isOnStack);
        _open.Add(group);
        return new GroupedAccess(group, offset, IsFirst: true);
    }

    /// <summary>Follows what an instruction does to registers.</summary>
    private void Move(in Instruction instruction)
    {
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Push or Mnemonic.Call:
                _offsets[Stack] -= sizeof(ulong);
                break;
            case Mnemonic.Pop:
                _offsets[Stack] += sizeof(ulong);
                Renew(NumberOf(instruction.Op0Register));
                break;
            case Mnemonic.Leave:
                Copy(Stack, _numbers[Frame], _offsets[Frame] + sizeof(ulong));
                Renew(Frame);
                break;
            case Mnemonic.Add or Mnemonic.Sub when IsWide(instruction) && instruction.GetOpKind(1) is >= OpKind.Immediate8 and <= OpKind.Immediate32to64:
                long change = (long)instruction.GetImmediate(1);
                _offsets[NumberOf(instruction.Op0Register)] += instruction.Mnemonic == Mnemonic.Add ? change : -change;
                break;
            case Mnemonic.Inc or Mnemonic.Dec when IsWide(instruction):
                _offsets[NumberOf(instruction.Op0Register)] += instruction.Mnemonic == Mnemonic.Inc ? 1 : -1;
                break;
            case Mnemonic.Mov when IsWide(instruction) && instruction.Op1Kind == OpKind.Register:
                int from = NumberOf(instruction.Op1Register);
                Copy(NumberOf(instruction.Op0Register), _numbers[from], _offsets[from]);
                break;
            case Mnemonic.Lea when IsWide(instruction) && instruction.MemoryBase == Register.RIP:
                Copy(NumberOf(instruction.Op0Register), Constant, (long)instruction.MemoryDisplacement64);
                break;
            case Mnemonic.Lea when IsWide(instruction) && instruction.MemoryBase.GetSize() == 8 && instruction.MemoryIndex == Register.None:
                int old = NumberOf(instruction.MemoryBase);
                Copy(NumberOf(instruction.Op0Register), _numbers[old], _offsets[old] + (long)instruction.MemoryDisplacement64);
                break;
            default:
                Change(instruction);
                break;
        }
    }

    /// <summary>An instruction changes registers in a way that is not followed.</summary>
    private void Change(in Instruction instruction)
    {
        _use.Find(instruction, out _, out ulong written);
        for (int i = 0; i < _numbers.Length; i++)
        {
            if ((written >> i & 1) != 0)
                Renew(i);
        }
    }

    private static bool IsWide(in Instruction instruction) => instruction.Op0Kind == OpKind.Register && instruction.Op0Register is >= Register.RAX and <= Register.R15;

    private static int NumberOf(Register register) => register.GetFullRegister() - Register.RAX;
}
