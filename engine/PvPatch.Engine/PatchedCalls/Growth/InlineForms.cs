using System.Reflection.Emit;
using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls.Growth;

/// <summary>The two forms of a target's own code at a site.</summary>
/// <param name="body">The target.</param>
/// <param name="code">Its code as it is to be written: <see cref="InlineBody.Code"/>, or the same with members in the place of tokens.</param>
internal sealed class InlineForms(InlineBody body, IReadOnlyList<MovableInstruction> code)
{
    private readonly string _text = $"inline {body.Method.DeclaringType?.Name}.{body.Method.Name}";

    /// <summary>
    /// The code without the instructions that push the arguments, which are on the stack already: <c>ldarg.0; ldarg.1; add;
    /// ret</c> is <c>add</c>. <see langword="null"/> if it uses its arguments in any other way than pushing them in order
    /// at its start, or has local variables.
    /// </summary>
    /// <param name="arrivesExact">Whether an argument, by number, has its parameter's type on the stack, so that passing it converts nothing.</param>
    public SiteForm? OnStack(Func<int, bool> arrivesExact)
    {
        int kept = 0, again = 0;
        while (ArgumentAt(kept) == kept)
            kept++;
        while (kept > 0 && ArgumentAt(kept + again) == kept - 1)
            again++;
        int first = kept + again;
        for (int i = first; i < code.Count; i++)
        {
            MovableInstruction instruction = code[i];
            if (UsesVariable(instruction.Plain) || instruction.LeadsTo(0, first))
                return null;
        }

        if (Enumerable.Range(0, Math.Max(0, kept - 1)).Any(i => !arrivesExact(i)))
            return null; // only the topmost entry can be converted where it is
        IReadOnlyList<MovableInstruction> start = kept > 0 && !arrivesExact(kept - 1) && Conversions.To(body.Parameters[kept - 1]) is { } convert
            ? [new(convert)]
            : [];
        IReadOnlyList<MovableInstruction> copies = [.. Enumerable.Repeat(new MovableInstruction(OpCodes.Dup), again)];
        List<MovableInstruction> form = Expanded(first, [.. start, .. copies]);
        return new SiteForm(_text, kept, form, [], Math.Max(body.MaxStack, 1));

        int ArgumentAt(int index) => index < code.Count ? code[index].Plain.LoadedArgument : -1;
    }

    /// <summary>The code with its arguments and local variables in local variables of the caller. Fits any body.</summary>
    public SiteForm InLocals()
    {
        IReadOnlyList<Type> locals = [.. body.Parameters, .. body.Locals];
        var start = new List<MovableInstruction>();
        for (int i = body.Parameters.Count - 1; i >= 0; i--)
            start.Add(new(OpCodes.Stloc, i)); // converts like passing does
        for (int i = body.Parameters.Count; i < locals.Count && body.InitLocals; i++)
            start.AddRange(Cleared(i, locals[i])); // a site in a loop finds the values of the last round
        List<MovableInstruction> form = Expanded(0, start);
        return new SiteForm(_text, body.Parameters.Count, form, locals, Math.Max(Math.Max(body.MaxStack, body.Parameters.Count), 1));
    }

    private static bool UsesVariable(Instruction instruction) =>
        instruction.LoadedArgument >= 0 || instruction.LoadedLocal >= 0 || instruction.StoredLocal >= 0
        || instruction.Code.OperandType is OperandType.InlineVar or OperandType.ShortInlineVar;

    /// <summary>What stands for an instruction of the body.</summary>
    private MovableInstruction[] Written(int index)
    {
        MovableInstruction instruction = code[index];
        if (instruction.Is(OpCodes.Ret))
            return Returned(index);
        int firstLocal = body.Parameters.Count;
        Instruction plain = instruction.Plain;
        if (plain.LoadedArgument >= 0)
            return [new(OpCodes.Ldloc, plain.LoadedArgument)];
        if (plain.LoadedLocal >= 0)
            return [new(OpCodes.Ldloc, firstLocal + plain.LoadedLocal)];
        if (plain.StoredLocal >= 0)
            return [new(OpCodes.Stloc, firstLocal + plain.StoredLocal)];
        if (plain.AddressedLocal >= 0)
            return [new(OpCodes.Ldloca, firstLocal + plain.AddressedLocal)];
        if (instruction.Is(OpCodes.Starg) || instruction.Is(OpCodes.Starg_S))
            return [new(OpCodes.Stloc, instruction.Operand)];
        return instruction.Is(OpCodes.Ldarga) || instruction.Is(OpCodes.Ldarga_S) ? [new(OpCodes.Ldloca, instruction.Operand)] : [instruction];
    }

    /// <summary>The value stays on the stack; control goes behind the code.</summary>
    private MovableInstruction[] Returned(int index)
    {
        MovableInstruction[] converted = Conversions.To(body.Method.ReturnType) is { } convert ? [new(convert)] : [];
        return index == code.Count - 1 ? converted : [.. converted, new(OpCodes.Br_S, code.Count)];
    }

    /// <summary>Writes what stands for each instruction; what led to one leads to the first of those.</summary>
    /// <param name="first">Number of the first instruction that is written.</param>
    /// <param name="start">What runs once before it.</param>
    private List<MovableInstruction> Expanded(int first, IReadOnlyList<MovableInstruction> start)
    {
        var numbers = new int[code.Count + 1];
        List<MovableInstruction> expanded = [.. start];
        for (int i = first; i < code.Count; i++)
        {
            numbers[i] = expanded.Count;
            expanded.AddRange(Written(i));
        }

        numbers[^1] = expanded.Count;
        return [.. expanded.Select(i => i.Retargeted(number => numbers[number]))];
    }

    private static MovableInstruction[] Cleared(int local, Type type)
    {
        MovableInstruction store = new(OpCodes.Stloc, local), zero = new(OpCodes.Ldc_I4_0);
        if (type.IsPointer || type.IsFunctionPointer || type.IsByRef || type == typeof(nint) || type == typeof(nuint))
            return [zero, new(OpCodes.Conv_U), store];
        if (!type.IsValueType)
            return [new(OpCodes.Ldnull), store];
        return Type.GetTypeCode(type) switch
        {
            TypeCode.Int64 or TypeCode.UInt64 => [zero, new(OpCodes.Conv_I8), store],
            TypeCode.Single => [new(OpCodes.Ldc_R4), store],
            TypeCode.Double => [new(OpCodes.Ldc_R8), store],
            TypeCode.Object or TypeCode.DateTime or TypeCode.Decimal => [new(OpCodes.Ldloca, local), new(OpCodes.Initobj) { Member = type }],
            _ => [zero, store],
        };
    }
}
