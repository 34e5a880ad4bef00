using System.Reflection;
using System.Reflection.Emit;
using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>Calls the meanings that the interpreter's handlers use too: they take RFLAGS by reference, and are inlined.</summary>
internal sealed class MeaningEmitter(RegionIl il, FlagEmitter flags)
{
    private readonly LocalBuilder _flags = il.Local();

    /// <summary>A meaning for operands of a size.</summary>
    public static MethodInfo MethodOf(Type type, string name, int size) =>
        type.GetMethod(name, BindingFlags.Public | BindingFlags.Static)!.MakeGenericMethod(IntegerTypes.OfSize(size));

    /// <summary>Before an instruction that leaves some flags: what waits is computed if one of those is wanted, else dropped.</summary>
    public void Keep(ulong wanted, in Instruction instruction)
    {
        if ((wanted & ~FlagUse.Overwritten(instruction)) != 0)
            flags.Settle();
        else
            flags.State = FlagState.Settled;
    }

    /// <summary>Pushes a reference to RFLAGS for a meaning; <see cref="TakeFlags"/> follows its call.</summary>
    public void PushFlags()
    {
        il.Load(il.Flags);
        il.Store(_flags);
        il.Address(_flags);
    }

    /// <summary>RFLAGS is what a meaning made of it.</summary>
    public void TakeFlags()
    {
        il.Load(_flags);
        il.Store(il.Flags);
        flags.State = FlagState.Settled;
    }

    /// <summary>Calls a meaning with the values on the stack; nobody wants the flags that it gives.</summary>
    public void CallForResult(Type type, string meaning, int size)
    {
        il.Address(_flags);
        il.Call(MethodOf(type, meaning, size));
    }

    /// <summary>Calls a meaning with the values on the stack and RFLAGS, which must be right where it keeps some of it.</summary>
    public void Call(Type type, string meaning, int size)
    {
        PushFlags();
        il.Call(MethodOf(type, meaning, size));
        TakeFlags();
    }
}
