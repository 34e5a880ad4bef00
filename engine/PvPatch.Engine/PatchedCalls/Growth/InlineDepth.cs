using System.Reflection;
using System.Reflection.Emit;
using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls.Growth;

/// <summary>How high the evaluation stack of a target's code really grows. Short method headers say 8, whatever it is.</summary>
internal static class InlineDepth
{
    /// <summary>The most entries on the stack at once.</summary>
    /// <param name="code">The code, with tokens of <paramref name="method"/>'s module.</param>
    /// <param name="method">The method it belongs to.</param>
    /// <param name="declared">What its header says, which stands where the code does not tell.</param>
    public static int Of(IReadOnlyList<MovableInstruction> code, MethodInfo method, int declared)
    {
        if (code.Any(i => i.Is(OpCodes.Calli)))
            return declared;
        int highest = 0;
        var seen = new HashSet<int>();
        var waiting = new Stack<(int Index, int Depth)>([(0, 0)]);
        while (waiting.TryPop(out (int Index, int Depth) at))
        {
            if (at.Index >= code.Count || !seen.Add(at.Index))
                continue;
            MovableInstruction instruction = code[at.Index];
            int depth = at.Depth + Change(instruction, method);
            highest = Math.Max(highest, depth);
            if (instruction.Code.FlowControl is not (FlowControl.Branch or FlowControl.Return or FlowControl.Throw))
                waiting.Push((at.Index + 1, depth));
            if (instruction.IsBranch)
                waiting.Push(((int)instruction.Operand, depth));
            foreach (int target in instruction.Targets)
                waiting.Push((target, depth));
        }

        return Math.Min(highest, declared);
    }

    private static int Change(MovableInstruction instruction, MethodInfo method)
    {
        if (instruction.Is(OpCodes.Ret))
            return method.ReturnType == typeof(void) ? 0 : -1;
        if (instruction.Code.FlowControl != FlowControl.Call)
            return StackEffects.PutBy(instruction.Code) - StackEffects.TakenBy(instruction.Code);
        MethodBase called = method.Module.ResolveMethod((int)instruction.Operand)!;
        int arguments = called.GetParameters().Length;
        if (instruction.Is(OpCodes.Newobj))
            return 1 - arguments;
        return (called is MethodInfo { ReturnType: var type } && type != typeof(void) ? 1 : 0) - arguments - (called.IsStatic ? 0 : 1);
    }
}
