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
        bool chooses = operation == typeof(Lesser) || operation == typeof(Greater);
        LocalBuilder first = il.Vectors.Local(instruction.Op0Register);
        LocalBuilder second = Second(instruction);
        il.Load(first);
        il.Load(second);
        il.Call(operation.GetMethod(nameof(IFloatOperation.OnHost))!.MakeGenericMethod(lanes.Type));
        il.Store(_result);

        Doubt doubt = Begin();
        if (!chooses)
        {
            LookAtControl(doubt);
            LookAt(_result, lanes, doubt);
        }

        if (operation != typeof(SquareRoot))
            LookAt(instruction.Op0Register, lanes, doubt);
        LookAtSecond(instruction, lanes, doubt);
        End(doubt, () =>
        {
            il.Load(first);
            il.Load(second);
            il.Load(_result);
            PushControl();
            il.Call(typeof(HostFloat).GetMethod(nameof(HostFloat.Holds))!.MakeGenericMethod(operation, lanes.Type));
        });
        TakeResult(instruction, lanes);
    }

    /// <summary>CMPPS and its kind.</summary>
    public void Compare(in Instruction instruction)
    {
        var lanes = Lanes.Of(instruction);
        byte predicate = instruction.Immediate8;
        Comparable(instruction, lanes);
        il.Vectors.Push(instruction.Op0Register);
        il.Load(SecondAgain(instruction));
        il.Small(predicate);
        il.Call(OfHost(nameof(HostFloat.Compare), lanes));
        il.Vectors.Pop(instruction.Op0Register);
        clean.Forget(instruction.Op0Register);
    }

    /// <summary>UCOMIS and COMIS, which differ in what they raise for quiet NaNs.</summary>
    public void Order(in Instruction instruction)
    {
        var lanes = Lanes.Of(instruction);
        Comparable(instruction, lanes);
        il.Vectors.Push(instruction.Op0Register);
        il.Load(SecondAgain(instruction));
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
        {
            Doubt doubt = Begin();
            LookAtControl(doubt);
            End(doubt, () =>
            {
                il.Load(_integer);
                PushControl();
                il.Call(OfConversions(nameof(HostConversions.HoldsFromInteger), lanes.Type));
            });
        }

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
        Doubt doubt = Begin();
        LookAtControl(doubt);
        il.Load(second);
        il.Call(OfConversions(nameof(HostConversions.Fits), lanes.Type, integer));
        il.Branch(OpCodes.Brfalse, doubt.Label);
        End(doubt, () =>
        {
            il.Load(second);
            PushControl();
            il.Call(OfConversions(nameof(HostConversions.HoldsToInteger), lanes.Type, integer));
        });
        il.Load(second);
        il.Call(OfConversions(truncates ? nameof(HostConversions.Truncated) : nameof(HostConversions.Rounded), lanes.Type));
        il.PopRegister(instruction.Op0Register);
    }

    /// <summary>CVTSS2SD.</summary>
    public void ToDouble(in Instruction instruction)
    {
        LocalBuilder second = Second(instruction);
        Doubt doubt = Begin();
        LookAtSecond(instruction, Lanes.Single, doubt);
        End(doubt, () =>
        {
            il.Load(second);
            il.Load(second);
            il.Call(OfHost(nameof(HostFloat.AreComparable), Lanes.Single));
        });
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
        Doubt doubt = Begin();
        LookAtControl(doubt);
        LookAt(_result, Lanes.Single, doubt);
        End(doubt, () =>
        {
            il.Load(second);
            il.Load(_result);
            PushControl();
            il.Call(OfConversions(nameof(HostConversions.HoldsToSingle)));
        });
        TakeResult(instruction, Lanes.Single);
    }

    /// <summary>Writes the close looks: each goes back to its instruction or leaves the region before it.</summary>
    public void WriteDoubts()
    {
        foreach (Doubt doubt in _doubts)
        {
            il.Mark(doubt.Label);
            doubt.PushHolds!();
            il.Branch(OpCodes.Brtrue, doubt.Back);
            il.Branch(OpCodes.Br, doubt.Exit);
        }
    }

    private Doubt Begin()
    {
        var doubt = new Doubt(il.Label(), il.Label(), exits.Before(ExitReason.Instruction));
        _doubts.Add(doubt);
        return doubt;
    }

    /// <summary>The instruction goes on here, if nothing was doubted or the close look, which gets the operands from where they still are, accepts.</summary>
    private void End(Doubt doubt, Action pushHolds)
    {
        doubt.PushHolds = pushHolds;
        il.Mark(doubt.Back);
    }

    private void LookAtControl(Doubt doubt)
    {
        il.Load(_hides);
        il.Branch(OpCodes.Brfalse, doubt.Label);
    }

    private void LookAt(LocalBuilder vector, Lanes lanes, Doubt doubt)
    {
        il.Load(vector);
        il.Call(OfHost(nameof(HostFloat.AreOrdinary), lanes));
        il.Branch(OpCodes.Brfalse, doubt.Label);
    }

    private void LookAt(Register register, Lanes lanes, Doubt doubt)
    {
        if (clean.Has(register, lanes.Size, lanes.Count))
            return;
        LookAt(il.Vectors.Local(register), lanes, doubt);
        clean.Add(register, lanes.Size, lanes.Count);
    }

    private void LookAtSecond(in Instruction instruction, Lanes lanes, Doubt doubt)
    {
        if (instruction.Op1Kind == OpKind.Memory)
            LookAt(_second, lanes, doubt);
        else
            LookAt(instruction.Op1Register, lanes, doubt);
    }

    private void Comparable(in Instruction instruction, Lanes lanes)
    {
        LocalBuilder first = il.Vectors.Local(instruction.Op0Register);
        LocalBuilder second = Second(instruction);
        Doubt doubt = Begin();
        LookAt(instruction.Op0Register, lanes, doubt);
        LookAtSecond(instruction, lanes, doubt);
        End(doubt, () =>
        {
            il.Load(first);
            il.Load(second);
            il.Call(OfHost(nameof(HostFloat.AreComparable), lanes));
        });
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

    private void TakeResult(in Instruction instruction, Lanes lanes)
    {
        il.Load(_result);
        il.Vectors.Pop(instruction.Op0Register);
        clean.Write(instruction.Op0Register, lanes.Size, lanes.Count);
    }

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
        public Action? PushHolds { get; set; }
    }
}
