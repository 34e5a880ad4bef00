using System.Reflection.Emit;
using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls.Growth;

/// <summary>Turns a method's IL into movable code without what only a debugger needs.</summary>
internal static class InlineCode
{
    /// <summary>The code of a method without protected regions.</summary>
    public static IReadOnlyList<MovableInstruction> Of(Instruction[] il)
    {
        var code = new MovableInstruction[il.Length];
        for (int i = 0; i < il.Length; i++)
            code[i] = new MovableInstruction(il[i].Code, il[i].Operand) { Targets = il[i].Targets }.Retargeted(offset => IlReader.IndexAt(il, offset));

        code = Without(code, (_, instruction) => instruction.Is(OpCodes.Nop));
        code = Without(code, IsBranchToNext);
        return DirectReturn(code);
    }

    private static bool IsBranchToNext(int index, MovableInstruction instruction) =>
        (instruction.Is(OpCodes.Br) || instruction.Is(OpCodes.Br_S)) && instruction.Operand == index + 1;

    /// <summary>Takes instructions out; what led to one leads to the next that stays.</summary>
    private static MovableInstruction[] Without(MovableInstruction[] code, Func<int, MovableInstruction, bool> goes)
    {
        var numbers = new int[code.Length + 1];
        var kept = new List<MovableInstruction>(code.Length);
        for (int i = 0; i < code.Length; i++)
        {
            numbers[i] = kept.Count;
            if (!goes(i, code[i]))
                kept.Add(code[i]);
        }

        numbers[^1] = kept.Count;
        return [.. kept.Select(i => i.Retargeted(number => numbers[number]))];
    }

    /// <summary>Turns <c>stloc v; ldloc v; ret</c> at the end into <c>ret</c>, where nothing else uses the variable or leads between.</summary>
    private static MovableInstruction[] DirectReturn(MovableInstruction[] code)
    {
        if (code is not [.., var store, var load, { } last] || !last.Is(OpCodes.Ret))
            return code;
        int local = store.Plain.StoredLocal;
        bool isOnlyUse = local >= 0 && load.Plain.LoadedLocal == local
            && Array.FindAll(code, i => i.Plain.StoredLocal == local || i.Plain.LoadedLocal == local || i.Plain.AddressedLocal == local).Length == 2;
        bool isBetween = Array.Exists(code, i => i.LeadsTo(code.Length - 2, int.MaxValue));
        return isOnlyUse && !isBetween ? Without(code, (index, _) => index >= code.Length - 3 && index < code.Length - 1) : code;
    }
}
