using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PvPatch.Engine.Il;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls.Growth;

namespace PvPatch.Engine.PatchedCalls.Emitted;

/// <summary>Movable instructions for code that a generator writes.</summary>
internal static class EmittedCode
{
    /// <summary>Writes a piece of code.</summary>
    /// <param name="il">Where to.</param>
    /// <param name="code">The code; what it names is in its members and texts.</param>
    /// <param name="locals">Types of the variables that it numbers.</param>
    public static void Write(ILGenerator il, IReadOnlyList<MovableInstruction> code, IReadOnlyList<Type> locals)
    {
        LocalBuilder[] variables = [.. locals.Select(il.DeclareLocal)];
        var labels = new Dictionary<int, Label>();
        foreach (int target in code.SelectMany(i => i.IsBranch ? [(int)i.Operand] : i.Targets))
        {
            if (!labels.ContainsKey(target))
                labels[target] = il.DefineLabel();
        }

        for (int i = 0; i <= code.Count; i++)
        {
            if (labels.TryGetValue(i, out Label label))
                il.MarkLabel(label);
            if (i < code.Count)
                Write(il, code[i], variables, labels);
        }
    }

    /// <summary>Writes a call whose arguments and pointer are on the stack.</summary>
    public static void Call(ILGenerator il, SlotSignature signature)
    {
        if (signature.IsManaged)
        {
            il.EmitCalli(OpCodes.Calli, CallingConventions.Standard, signature.Returns, signature.Parameters, null);
            return;
        }

        Type[] parameters = [.. signature.Parameters.Select(type => UnmanagedTypes.EntryType(type, isParameter: true))];
        il.EmitCalli(OpCodes.Calli, ConventionOf(signature), UnmanagedTypes.EntryType(signature.Returns, isParameter: false), parameters);
    }

    private static CallingConvention ConventionOf(SlotSignature signature) =>
        Array.Exists(signature.CallConventions, type => type == typeof(CallConvStdcall)) ? CallingConvention.StdCall
        : Array.Exists(signature.CallConventions, type => type == typeof(CallConvThiscall)) ? CallingConvention.ThisCall
        : CallingConvention.Cdecl;

    private static void Write(ILGenerator il, MovableInstruction instruction, LocalBuilder[] variables, Dictionary<int, Label> labels)
    {
        OpCode code = instruction.Code;
        switch (code.OperandType)
        {
            case OperandType.InlineNone:
                il.Emit(code);
                break;
            case OperandType.ShortInlineBrTarget or OperandType.InlineBrTarget:
                il.Emit(code.OperandType == OperandType.ShortInlineBrTarget ? IlReader.LongFormOf(code) : code, labels[(int)instruction.Operand]);
                break;
            case OperandType.InlineSwitch:
                il.Emit(code, Array.ConvertAll(instruction.Targets, target => labels[target]));
                break;
            case OperandType.InlineVar or OperandType.ShortInlineVar:
                il.Emit(code, variables[instruction.Operand]);
                break;
            case OperandType.ShortInlineI:
                il.Emit(code, unchecked((byte)instruction.Operand));
                break;
            case OperandType.InlineI:
                il.Emit(code, unchecked((int)instruction.Operand));
                break;
            case OperandType.InlineI8:
                il.Emit(code, instruction.Operand);
                break;
            case OperandType.ShortInlineR:
                il.Emit(code, BitConverter.Int32BitsToSingle((int)instruction.Operand));
                break;
            case OperandType.InlineR:
                il.Emit(code, BitConverter.Int64BitsToDouble(instruction.Operand));
                break;
            case OperandType.InlineString:
                il.Emit(code, instruction.Text!);
                break;
            default:
                WriteMember(il, code, instruction.Member!);
                break;
        }
    }

    private static void WriteMember(ILGenerator il, OpCode code, MemberInfo member)
    {
        switch (member)
        {
            case FieldInfo field:
                il.Emit(code, field);
                break;
            case ConstructorInfo constructor:
                il.Emit(code, constructor);
                break;
            case MethodInfo method:
                il.Emit(code, method);
                break;
            default:
                il.Emit(code, (Type)member);
                break;
        }
    }
}
