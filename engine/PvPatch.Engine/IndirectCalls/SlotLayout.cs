using System.Collections.Concurrent;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using PvPatch.Engine.Ops;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.IndirectCalls;

/// <summary>A struct of slots that a program may have many of: what is the same for all of them is found and made once.</summary>
internal sealed class SlotLayout
{
    private static readonly ConditionalWeakTable<Type, SlotLayout> Known = [];

    private SlotLayout(Type slots)
    {
        Ops = SlotSearch.FindIn(slots);
        Signatures = [.. Ops.Select(op => new SlotSignature(op))];
        Entries = [.. Ops.Select(_ => new ConcurrentDictionary<PvTarget, nint>())];
        Offsets = OffsetsOf(slots, Ops);
    }

    /// <summary>Its ops.</summary>
    public IReadOnlyList<PvOp> Ops { get; }

    /// <summary>Where each op's slot lies, in bytes from the start of the struct.</summary>
    public int[] Offsets { get; }

    /// <summary>What each op takes and returns.</summary>
    public SlotSignature[] Signatures { get; }

    /// <summary>The entries made so far for each op.</summary>
    public ConcurrentDictionary<PvTarget, nint>[] Entries { get; }

    /// <summary>The layout of a struct.</summary>
    /// <exception cref="PatchException">It is none, or has no slots.</exception>
    public static SlotLayout Of(Type slots) => Known.GetValue(slots, type => new SlotLayout(type));

    private static int[] OffsetsOf(Type slots, IReadOnlyList<PvOp> ops)
    {
        var method = new DynamicMethod("offsets", typeof(void), [typeof(int[])], slots.Module, skipVisibility: true);
        ILGenerator il = method.GetILGenerator();
        LocalBuilder one = il.DeclareLocal(slots);
        for (int i = 0; i < ops.Count; i++)
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldc_I4, i);
            il.Emit(OpCodes.Ldloca, one);
            SlotPlaces.EmitPath(il, ops[i]);
            il.Emit(OpCodes.Conv_U);
            il.Emit(OpCodes.Ldloca, one);
            il.Emit(OpCodes.Conv_U);
            il.Emit(OpCodes.Sub);
            il.Emit(OpCodes.Conv_I4);
            il.Emit(OpCodes.Stelem_I4);
        }

        il.Emit(OpCodes.Ret);
        int[] offsets = new int[ops.Count];
        method.CreateDelegate<Action<int[]>>()(offsets);
        return offsets;
    }
}
