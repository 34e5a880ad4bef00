using System.Reflection;
using System.Reflection.Emit;
using Iced.Intel;
using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Translator;

/// <summary>SSE arithmetic, comparisons and conversions by the host's own, with the guest's MXCSR in the host's register (<see cref="FloatControl"/>).</summary>
internal sealed class FloatEmitter(RegionIl il, VectorOperands operands, FlagEmitter flags, SideExits exits)
{
    private readonly LocalBuilder[] _results = [il.VectorLocal(), il.VectorLocal()];
    private readonly LocalBuilder _second = il.VectorLocal();
    private readonly LocalBuilder _integer = il.Local();

    /// <summary>ADD, SUB, MUL, DIV, SQRT, MIN, MAX.</summary>
    public void Arithmetic(in Instruction instruction)
    {
        Type operation = InstructionTable.Row(instruction.Code).Operation!;
        var lanes = Lanes.Of(instruction);

        // The runtime's compiler may swap the operands of these, and then one NaN would be taken for another.
        bool asksForNan = lanes.Count > 1 && (operation == typeof(Sum) || operation == typeof(Product));
        Compute(instruction, operation.GetMethod(nameof(IFloatOperation.OnHost))!.MakeGenericMethod(lanes.Type), lanes, asksForNan);
    }

    /// <summary>FMA. The runtime's compiler chooses among the host's three forms, and then one NaN may be taken for another.</summary>
    public void Fused(in Instruction instruction)
    {
        ref readonly InstructionRow row = ref InstructionTable.Row(instruction.Code);
        var lanes = Lanes.Of(instruction);
        MethodInfo onHost = typeof(FusedOperation).GetMethod(nameof(FusedOperation.OnHost))!.MakeGenericMethod(row.FusedOperation!, row.FusedOrder!, lanes.Type);
        Compute(instruction, onHost, lanes, asksForNan: true);
    }

    /// <summary>CMPPS and its kind.</summary>
    public void Compare(in Instruction instruction)
    {
        operands.ReachSecond(instruction);
        for (int lane = instruction.Op0Register.IsYMM() ? 1 : 0; lane >= 0; lane--)
        {
            il.Vectors.Push(VectorOperands.First(instruction), lane);
            operands.PushSecond(instruction, lane);
            il.Small(VectorForms.Predicate(instruction));
            il.Call(OfNative(nameof(NativeFloat.Compare), Lanes.Of(instruction)));
            operands.Pop(instruction, lane);
        }
    }

    /// <summary>UCOMIS and COMIS, which differ in what they raise for quiet NaNs.</summary>
    public void Order(in Instruction instruction)
    {
        MethodInfo isNotLess = OfNative(nameof(NativeFloat.IsNotLess), Lanes.Of(instruction));
        int isOrdered = instruction.Mnemonic is Mnemonic.Comiss or Mnemonic.Comisd or Mnemonic.Vcomiss or Mnemonic.Vcomisd ? 1 : 0;
        operands.ReachSecond(instruction);
        operands.PushSecond(instruction);
        il.Store(_second);
        il.Vectors.Push(instruction.Op0Register);
        il.Load(_second);
        il.Small(isOrdered);
        il.Call(isNotLess);
        flags.TakeFirst(4);
        il.Load(_second);
        il.Vectors.Push(instruction.Op0Register);
        il.Small(isOrdered);
        il.Call(isNotLess);
        flags.TakeSecond(4);
        flags.Wait(LazyOperation.FloatOrder, 4);
    }

    /// <summary>CVTSI2SS and CVTSI2SD.</summary>
    public void FromInteger(in Instruction instruction)
    {
        Lanes lanes = instruction.Mnemonic is Mnemonic.Cvtsi2ss or Mnemonic.Vcvtsi2ss ? Lanes.Single : Lanes.Double;
        int size = operands.PushInteger(instruction);
        if (size == 4)
        {
            il.Op(OpCodes.Conv_I4);
            il.Op(OpCodes.Conv_I8);
        }

        il.Store(_integer);
        il.Vectors.Push(VectorOperands.First(instruction));
        il.Load(_integer);
        il.Call(OfConversions(nameof(HostConversions.FromInteger), lanes.Type));
        operands.Pop(instruction);
    }

    /// <summary>CVTSS2SI, CVTTSS2SI, CVTSD2SI, CVTTSD2SI.</summary>
    public void ToInteger(in Instruction instruction)
    {
        bool truncates = instruction.Mnemonic is Mnemonic.Cvttss2si or Mnemonic.Cvttsd2si or Mnemonic.Vcvttss2si or Mnemonic.Vcvttsd2si;
        bool isWide = instruction.Op0Register.GetSize() == 8;
        operands.ReachSecond(instruction);
        operands.PushSecond(instruction);
        il.Small(truncates ? 1 : 0);
        il.Call(OfNative(isWide ? nameof(NativeFloat.ToInt64) : nameof(NativeFloat.ToInt32), Lanes.Of(instruction)));
        il.PopRegister(instruction.Op0Register);
    }

    /// <summary>CVTSS2SD and CVTSD2SS.</summary>
    public void ToOther(in Instruction instruction)
    {
        operands.ReachSecond(instruction);
        il.Vectors.Push(VectorOperands.First(instruction));
        operands.PushSecond(instruction);
        il.Call(OfConversions(instruction.Mnemonic is Mnemonic.Cvtss2sd or Mnemonic.Vcvtss2sd ? nameof(HostConversions.ToDouble) : nameof(HostConversions.ToSingle)));
        operands.Pop(instruction);
    }

    /// <summary>Computes all lanes before any is written: where a NaN is asked for, one leaves it to the interpreter.</summary>
    private void Compute(in Instruction instruction, MethodInfo onHost, Lanes lanes, bool asksForNan)
    {
        operands.ReachSecond(instruction);
        int highest = instruction.Op0Register.IsYMM() ? 1 : 0;
        for (int lane = highest; lane >= 0; lane--)
        {
            // The destination of FMA is an operand too.
            if (VectorForms.Of(instruction) == VectorForm.Fused)
                il.Vectors.Push(instruction.Op0Register, lane);
            il.Vectors.Push(VectorOperands.First(instruction), lane);
            operands.PushSecond(instruction, lane);
            il.Call(onHost);
            il.Store(_results[lane]);
            if (!asksForNan)
                continue;
            il.Load(_results[lane]);
            il.Call(OfNative(nameof(NativeFloat.HasNan), lanes));
            il.Branch(OpCodes.Brtrue, exits.Before(ExitReason.Instruction));
        }

        for (int lane = highest; lane >= 0; lane--)
        {
            il.Load(_results[lane]);
            operands.Pop(instruction, lane);
        }
    }

    private static MethodInfo OfNative(string name, Lanes lanes) => typeof(NativeFloat).GetMethod(name)!.MakeGenericMethod(lanes.Type);

    private static MethodInfo OfConversions(string name, params Type[] types)
    {
        MethodInfo method = typeof(HostConversions).GetMethod(name)!;
        return types.Length == 0 ? method : method.MakeGenericMethod(types);
    }

    /// <summary>Elements that an instruction works on.</summary>
    private readonly record struct Lanes(Type Type, int Count)
    {
        public static Lanes Single => new(typeof(ScalarSingle), 1);

        public static Lanes Double => new(typeof(ScalarDouble), 1);

        public static Lanes Of(in Instruction instruction) => (instruction.MemorySize.GetSize(), instruction.MemorySize.GetElementSize()) switch
        {
            (4, _) => Single,
            (8, _) => Double,
            (_, 4) => new(typeof(PackedSingle), 4),
            _ => new(typeof(PackedDouble), 2),
        };
    }
}
