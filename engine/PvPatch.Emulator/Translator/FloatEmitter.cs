using System.Reflection;
using System.Reflection.Emit;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using Label = System.Reflection.Emit.Label;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// SSE arithmetic, comparisons and conversions by the host's own, followed by a look at the exponents (<see cref="HostFloat"/>). What
/// that does not accept is looked at closely behind all blocks; if it may raise an exception that MXCSR does not have, the region is
/// left, and the interpreter computes it on integers.
/// </summary>
internal sealed class FloatEmitter(RegionIl il, VectorOperands operands, MeaningEmitter meanings, SideExits exits, CleanElements clean)
{
    private readonly LocalBuilder _hides = il.NarrowLocal();
    private readonly LocalBuilder _result = il.VectorLocal();
    private readonly LocalBuilder _second = il.VectorLocal();
    private readonly LocalBuilder _integer = il.Local();
    private readonly List<Doubt> _doubts = [];

    /// <summary>Finds anew whether an inexact result changes nothing: when the region is entered, and after LDMXCSR.</summary>
    public void ReadControl()
    {
        PushControl();
        il.Call(typeof(HostFloat).GetMethod(nameof(HostFloat.HidesInexact))!);
        il.Store(_hides);
    }

    /// <summary>ADD, SUB, MUL, DIV, SQRT, MIN, MAX.</summary>
    public void Arithmetic(in Instruction instruction)
    {
        Type operation = InstructionTable.Row(instruction.Code).Operation!;
        var lanes = Lanes.Of(instruction);
        LocalBuilder first = il.Vectors.Local(instruction.Op0Register);
        LocalBuilder second = Second(instruction);
        il.Load(first);
        il.Load(second);
        il.Call(operation.GetMethod(nameof(IFloatOperation.OnHost))!.MakeGenericMethod(lanes.Type));
        il.Store(_result);
        if (lanes.Count > 1)
            LookAtAll(instruction, operation, lanes);
        else
            LookAtOne(instruction, operation, lanes);
        il.Load(_result);
        il.Vectors.Pop(instruction.Op0Register);
        clean.Write(instruction.Op0Register, lanes.Size, lanes.Count);
    }

    /// <summary>CMPPS and its kind.</summary>
    public void Compare(in Instruction instruction)
    {
        var lanes = Lanes.Of(instruction);
        byte predicate = instruction.Immediate8;
        LocalBuilder second = Second(instruction);
        LookAtBoth(instruction, lanes);
        il.Vectors.Push(instruction.Op0Register);
        il.Load(second);
        il.Small(predicate);
        il.Call(OfHost(nameof(HostFloat.Compare), lanes));
        il.Vectors.Pop(instruction.Op0Register);
        clean.Forget(instruction.Op0Register);
    }

    /// <summary>UCOMIS and COMIS, which differ in what they raise for quiet NaNs.</summary>
    public void Order(in Instruction instruction)
    {
        var lanes = Lanes.Of(instruction);
        LocalBuilder second = Second(instruction);
        LookAtBoth(instruction, lanes);
        il.Vectors.Push(instruction.Op0Register);
        il.Load(second);
        meanings.PushFlags();
        il.Call(OfHost(nameof(HostFloat.Order), lanes));
        meanings.TakeFlags();
    }

    /// <summary>CVTSI2SS and CVTSI2SD.</summary>
    public void FromInteger(in Instruction instruction)
    {
        bool toSingle = instruction.Mnemonic == Mnemonic.Cvtsi2ss;
        Lanes lanes = toSingle ? Lanes.Single : Lanes.Double;
        int size = operands.PushInteger(instruction);
        if (size == 4)
        {
            il.Op(OpCodes.Conv_I4);
            il.Op(OpCodes.Conv_I8);
        }

        il.Store(_integer);
        if (toSingle || size == 8)
            LookAtControl();
        il.Vectors.Push(instruction.Op0Register);
        il.Load(_integer);
        il.Call(OfConversions(nameof(HostConversions.FromInteger), lanes.Type));
        il.Vectors.Pop(instruction.Op0Register);
        clean.Write(instruction.Op0Register, lanes.Size, 1);
    }

    /// <summary>CVTSS2SI, CVTTSS2SI, CVTSD2SI, CVTTSD2SI.</summary>
    public void ToInteger(in Instruction instruction)
    {
        var lanes = Lanes.Of(instruction);
        bool truncates = instruction.Mnemonic is Mnemonic.Cvttss2si or Mnemonic.Cvttsd2si;
        Type integer = IntegerTypes.OfSize(instruction.Op0Register.GetSize());
        LocalBuilder second = Second(instruction);
        LookAtControl();
        il.Load(second);
        il.Call(OfConversions(nameof(HostConversions.Fits), lanes.Type, integer));
        il.Branch(OpCodes.Brfalse, Exit());
        il.Load(second);
        il.Call(OfConversions(truncates ? nameof(HostConversions.Truncated) : nameof(HostConversions.Rounded), lanes.Type));
        il.PopRegister(instruction.Op0Register);
    }

    /// <summary>CVTSS2SD, which is exact.</summary>
    public void ToDouble(in Instruction instruction)
    {
        LocalBuilder second = Second(instruction);
        LookAtSecond(instruction, Lanes.Single);
        il.Vectors.Push(instruction.Op0Register);
        il.Load(second);
        il.Call(OfConversions(nameof(HostConversions.ToDouble)));
        il.Vectors.Pop(instruction.Op0Register);
        clean.Write(instruction.Op0Register, Lanes.Double.Size, 1);
    }

    /// <summary>CVTSD2SS.</summary>
    public void ToSingle(in Instruction instruction)
    {
        LocalBuilder second = Second(instruction);
        il.Vectors.Push(instruction.Op0Register);
        il.Load(second);
        il.Call(OfConversions(nameof(HostConversions.ToSingle)));
        il.Store(_result);
        LookAtControl();
        LookAt(_result, Lanes.Single, doubt => GoBackIfZero(second, Lanes.Double, doubt));
        il.Load(_result);
        il.Vectors.Pop(instruction.Op0Register);
        clean.Write(instruction.Op0Register, Lanes.Single.Size, 1);
    }

    /// <summary>Writes the close looks: each goes back to its instruction or leaves the region before it.</summary>
    public void WriteDoubts()
    {
        foreach (Doubt doubt in _doubts)
        {
            il.Mark(doubt.Label);
            doubt.LookClosely(doubt);
            il.Branch(OpCodes.Br, doubt.Exit);
        }
    }

    /// <summary>Looks at one element of the result, and of the operands.</summary>
    private void LookAtOne(in Instruction instruction, Type operation, Lanes lanes)
    {
        LocalBuilder first = il.Vectors.Local(instruction.Op0Register);
        LocalBuilder second = SecondAgain(instruction);
        if (operation != typeof(Lesser) && operation != typeof(Greater))
        {
            LookAtControl();
            LookAt(_result, lanes, doubt =>
            {
                // Zero is no underflow if it comes of a zero, or of a sum.
                Label zero = il.Label();
                BranchIfMagnitude(_result, lanes, 0, zero);
                il.Branch(OpCodes.Br, doubt.Exit);
                il.Mark(zero);
                if (operation == typeof(Sum) || operation == typeof(Difference))
                    il.Branch(OpCodes.Br, doubt.Back);
                if (operation == typeof(Product) || operation == typeof(Quotient))
                    GoBackIfZero(first, lanes, doubt);
                if (operation == typeof(Product) || operation == typeof(SquareRoot))
                    GoBackIfZero(second, lanes, doubt);
            });
        }

        if (operation != typeof(SquareRoot))
            LookAt(instruction.Op0Register, lanes);
        LookAtSecond(instruction, lanes);
    }

    /// <summary>Looks at all elements of the result and of the operands.</summary>
    private void LookAtAll(in Instruction instruction, Type operation, Lanes lanes)
    {
        LocalBuilder first = il.Vectors.Local(instruction.Op0Register);
        LocalBuilder second = SecondAgain(instruction);
        Doubt doubt = Doubted(_ => { });
        doubt.LookClosely = it =>
        {
            il.Load(first);
            il.Load(second);
            il.Load(_result);
            PushControl();
            il.Call(typeof(HostFloat).GetMethod(nameof(HostFloat.Holds))!.MakeGenericMethod(operation, lanes.Type));
            il.Branch(OpCodes.Brtrue, it.Back);
        };
        il.Load(_hides);
        il.Branch(OpCodes.Brfalse, doubt.Label);
        foreach (LocalBuilder vector in (LocalBuilder[])[_result, first, second])
        {
            il.Load(vector);
            il.Call(OfHost(nameof(HostFloat.AreOrdinary), lanes));
            il.Branch(OpCodes.Brfalse, doubt.Label);
        }

        il.Mark(doubt.Back);
    }

    private Doubt Doubted(Action<Doubt> lookClosely)
    {
        var doubt = new Doubt(il.Label(), il.Label(), Exit()) { LookClosely = lookClosely };
        _doubts.Add(doubt);
        return doubt;
    }

    private Label Exit() => exits.Before(ExitReason.Instruction);

    private void LookAtControl()
    {
        il.Load(_hides);
        il.Branch(OpCodes.Brfalse, Exit());
    }

    /// <summary>Goes on if the first element is ordinary; else the close look says where to.</summary>
    private void LookAt(LocalBuilder vector, Lanes lanes, Action<Doubt> lookClosely)
    {
        Doubt doubt = Doubted(lookClosely);
        il.Load(vector);
        il.Call(OfHost(nameof(HostFloat.AreOrdinary), lanes));
        il.Branch(OpCodes.Brfalse, doubt.Label);
        il.Mark(doubt.Back);
    }

    /// <summary>Looks at the first element of an operand: it may be zero or infinite too.</summary>
    private void LookAtOperand(LocalBuilder vector, Lanes lanes) => LookAt(vector, lanes, doubt =>
    {
        GoBackIfZero(vector, lanes, doubt);
        BranchIfMagnitude(vector, lanes, lanes.Infinity, doubt.Back);
    });

    private void LookAt(Register register, Lanes lanes)
    {
        if (clean.Has(register, lanes.Size, lanes.Count))
            return;
        LookAtOperand(il.Vectors.Local(register), lanes);
        clean.Add(register, lanes.Size, lanes.Count);
    }

    private void LookAtSecond(in Instruction instruction, Lanes lanes)
    {
        if (instruction.Op1Kind == OpKind.Memory)
            LookAtOperand(_second, lanes);
        else
            LookAt(instruction.Op1Register, lanes);
    }

    private void GoBackIfZero(LocalBuilder vector, Lanes lanes, Doubt doubt) => BranchIfMagnitude(vector, lanes, 0, doubt.Back);

    /// <summary>Branches if the bits of the first element, without its sign, are these.</summary>
    private void BranchIfMagnitude(LocalBuilder vector, Lanes lanes, ulong bits, Label label)
    {
        il.Load(vector);
        il.Call(VectorOperands.Method(nameof(VectorElements.ToGeneral), IntegerTypes.OfSize(lanes.Size)));
        il.Small(lanes.Size == 4 ? 33 : 1);
        il.Op(OpCodes.Shl);
        il.Constant((long)(bits << (lanes.Size == 4 ? 33 : 1)));
        il.Branch(OpCodes.Beq, label);
    }

    private void LookAtBoth(in Instruction instruction, Lanes lanes)
    {
        if (lanes.Count == 1)
        {
            LookAt(instruction.Op0Register, lanes);
            LookAtSecond(instruction, lanes);
            return;
        }

        il.Vectors.Push(instruction.Op0Register);
        il.Load(SecondAgain(instruction));
        il.Call(OfHost(nameof(HostFloat.AreComparable), lanes));
        il.Branch(OpCodes.Brfalse, Exit());
    }

    /// <summary>Where the second operand is: its register, or the local that it is read into.</summary>
    private LocalBuilder Second(in Instruction instruction)
    {
        if (instruction.Op1Kind != OpKind.Memory)
            return il.Vectors.Local(instruction.Op1Register);
        operands.ReachSecond(instruction);
        operands.PushSecond(instruction);
        il.Store(_second);
        return _second;
    }

    private LocalBuilder SecondAgain(in Instruction instruction) => instruction.Op1Kind == OpKind.Memory ? _second : il.Vectors.Local(instruction.Op1Register);

    private void PushControl()
    {
        il.StateAddress(StateOffsets.Mxcsr);
        il.Op(OpCodes.Ldind_U4);
    }

    private static MethodInfo OfHost(string name, Lanes lanes) => typeof(HostFloat).GetMethod(name)!.MakeGenericMethod(lanes.Type);

    private static MethodInfo OfConversions(string name, params Type[] types)
    {
        MethodInfo method = typeof(HostConversions).GetMethod(name)!;
        return types.Length == 0 ? method : method.MakeGenericMethod(types);
    }

    /// <summary>Elements that an instruction works on.</summary>
    private readonly record struct Lanes(Type Type, int Size, int Count)
    {
        public static Lanes Single => new(typeof(ScalarSingle), 4, 1);

        public static Lanes Double => new(typeof(ScalarDouble), 8, 1);

        /// <summary>The bits of infinity.</summary>
        public ulong Infinity => Size == 4 ? FloatValue.Special<Single32>(negative: false, infinite: true) : FloatValue.Special<Double64>(negative: false, infinite: true);

        public static Lanes Of(in Instruction instruction) => (instruction.MemorySize.GetSize(), instruction.MemorySize.GetElementSize()) switch
        {
            (4, _) => Single,
            (8, _) => Double,
            (_, 4) => new(typeof(PackedSingle), 4, 4),
            _ => new(typeof(PackedDouble), 8, 2),
        };
    }

    /// <summary>A look that was not enough: where the close one is, where the instruction goes on, and where it leaves the region.</summary>
    private sealed record Doubt(Label Label, Label Back, Label Exit)
    {
        /// <summary>Goes back or falls through; operands and result are still where they were.</summary>
        public required Action<Doubt> LookClosely { get; set; }
    }
}
