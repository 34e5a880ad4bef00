using System.Reflection.Emit;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Il;

/// <summary>How many entries each instruction takes from the evaluation stack and puts on it (ECMA-335, partition III, "Stack Transition").</summary>
/// <param name="shapes">What its calls take and give.</param>
internal sealed class StackEffects(CallShapes shapes)
{
    /// <summary>Entries taken and put.</summary>
    /// <param name="instruction">Any instruction but those that end a path with the stack as it is.</param>
    /// <param name="returnsValue">Whether the method it stands in returns something.</param>
    /// <exception cref="PatchException"><see cref="PatchError.BadImage"/>: the token of a call stands for no method.</exception>
    public (int Taken, int Put) Of(in Instruction instruction, bool returnsValue)
    {
        if (instruction.Is(OpCodes.Call) || instruction.Is(OpCodes.Callvirt))
        {
            CallShape shape = shapes.Of(instruction.Token);
            return (shape.Arguments, shape.ReturnsValue ? 1 : 0);
        }

        if (instruction.Is(OpCodes.Newobj))
        {
            CallShape shape = shapes.Of(instruction.Token);
            return (shape.Arguments - (shape.HasImplicitThis ? 1 : 0), 1);
        }

        if (instruction.Is(OpCodes.Calli))
        {
            CallShape shape = shapes.Of(instruction.Token);
            return (shape.Arguments + 1, shape.ReturnsValue ? 1 : 0);
        }

        return instruction.Is(OpCodes.Ret)
            ? (returnsValue ? 1 : 0, 0)
            : (TakenBy(instruction.Code), PutBy(instruction.Code));
    }

    /// <summary>Entries that an opcode takes whose operand does not matter.</summary>
    public static int TakenBy(OpCode code) => CountOf(code.StackBehaviourPop);

    /// <summary>Entries that an opcode puts whose operand does not matter.</summary>
    public static int PutBy(OpCode code) => CountOf(code.StackBehaviourPush);

    private static int CountOf(StackBehaviour behaviour) => behaviour switch
    {
        StackBehaviour.Pop0 or StackBehaviour.Push0 => 0,
        StackBehaviour.Pop1_pop1 or StackBehaviour.Popi_pop1 or StackBehaviour.Popi_popi or StackBehaviour.Popi_popi8
            or StackBehaviour.Popi_popr4 or StackBehaviour.Popi_popr8 or StackBehaviour.Popref_pop1 or StackBehaviour.Popref_popi
            or StackBehaviour.Push1_push1 => 2,
        StackBehaviour.Popi_popi_popi or StackBehaviour.Popref_popi_popi or StackBehaviour.Popref_popi_popi8
            or StackBehaviour.Popref_popi_popr4 or StackBehaviour.Popref_popi_popr8 or StackBehaviour.Popref_popi_popref
            or StackBehaviour.Popref_popi_pop1 => 3,
        _ => 1,
    };
}
