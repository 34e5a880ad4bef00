using System.Reflection;
using Iced.Intel;
using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Translator;

/// <summary>The meanings of conditions that the interpreter uses too.</summary>
internal static class ConditionMethods
{
    private static readonly MethodInfo[] Methods =
    [
        Holds<IfO>(), Holds<IfNo>(), Holds<IfB>(), Holds<IfAe>(), Holds<IfE>(), Holds<IfNe>(), Holds<IfBe>(), Holds<IfA>(),
        Holds<IfS>(), Holds<IfNs>(), Holds<IfP>(), Holds<IfNp>(), Holds<IfL>(), Holds<IfGe>(), Holds<IfLe>(), Holds<IfG>(),
    ];

    /// <summary>The method that tells from RFLAGS whether a condition holds.</summary>
    public static MethodInfo Of(ConditionCode condition) => Methods[(int)condition - (int)ConditionCode.o];

    private static MethodInfo Holds<TCondition>()
        where TCondition : struct, ICondition => typeof(TCondition).GetMethod(nameof(ICondition.Holds))!;
}
