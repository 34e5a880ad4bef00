using System.Reflection;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.PatchedCalls;

/// <summary>
/// What a proven call becomes. A closed set, chosen by what the slot holds, in the order of <see cref="Choose"/>, as
/// Linux does in <c>alt_replace_call</c> (arch/x86/kernel/alternative.c).
/// </summary>
internal abstract record CallReplacement
{
    private CallReplacement() { }

    /// <summary>The rules. The first that fits decides.</summary>
    public static CallReplacement Choose(PvOp op, PvTarget target) => target switch
    {
        _ when op.Class == PvOpClass.SimpleIndirectCall => new Indirect("class 1 goes through its slot"),
        _ when !op.Class.HasFlag(PvOpClass.PatchedCall) => new Indirect("class 3 is patched where assembly calls it"),
        PvTarget.NopTarget => new Nothing(),
        PvTarget.IdentityTarget => new Argument(Returned(op)),
        PvTarget.ConstantTarget constant => new Number(Truncated(constant.Value, TypeOf(op)), Returned(op)),
        PvTarget.RealTarget real => new Real(real.Value, Returned(op)),
        PvTarget.MethodTarget { IsInline: true } method => new Inline(method.Info),
        PvTarget.MethodTarget method => new DirectCall(method.Info),
        _ => new Stop(op.Name),
    };

    private static Type Returned(PvOp op) => op.PointerType.GetFunctionPointerReturnType();

    private static TypeCode TypeOf(PvOp op) => Type.GetTypeCode(Returned(op));

    private static long Truncated(long value, TypeCode type) => unchecked(type switch
    {
        TypeCode.Boolean => value == 0 ? 0 : 1,
        TypeCode.Char => (char)value,
        TypeCode.SByte => (sbyte)value,
        TypeCode.Byte => (byte)value,
        TypeCode.Int16 => (short)value,
        TypeCode.UInt16 => (ushort)value,
        TypeCode.Int32 => (int)value,
        TypeCode.UInt32 => (uint)value,
        _ => value,
    });

    /// <summary>Nothing: the arguments are dropped.</summary>
    internal sealed record Nothing : CallReplacement
    {
        /// <inheritdoc/>
        public override string ToString() => "gone";
    }

    /// <summary>The call's only argument.</summary>
    /// <param name="Type">The op's type.</param>
    internal sealed record Argument(Type Type) : CallReplacement
    {
        /// <inheritdoc/>
        public override string ToString() => "its argument";
    }

    /// <summary>A number; the arguments are dropped.</summary>
    /// <param name="Value">The number, in the type's range.</param>
    /// <param name="Type">The op's return type.</param>
    internal sealed record Number(long Value, Type Type) : CallReplacement
    {
        /// <inheritdoc/>
        public override string ToString() => $"constant {Value}";
    }

    /// <summary>A real number; the arguments are dropped.</summary>
    /// <param name="Value">The number.</param>
    /// <param name="Type">The op's return type.</param>
    internal sealed record Real(double Value, Type Type) : CallReplacement
    {
        /// <inheritdoc/>
        public override string ToString() => FormattableString.Invariant($"constant {Value:R}");
    }

    /// <summary>A direct call of the installed method, with the same arguments.</summary>
    /// <param name="Target">The method.</param>
    internal sealed record DirectCall(MethodInfo Target) : CallReplacement
    {
        private readonly string _text = $"call {Target.DeclaringType?.Name}.{Target.Name}"; // a thousand rows tell it

        /// <inheritdoc/>
        public override string ToString() => _text;
    }

    /// <summary>The IL of the installed method, with the same arguments; a direct call where that cannot be.</summary>
    /// <param name="Target">The method.</param>
    internal sealed record Inline(MethodInfo Target) : CallReplacement
    {
        /// <inheritdoc/>
        public override string ToString() => $"inline {Target.DeclaringType?.Name}.{Target.Name}";
    }

    /// <summary>The end of the process, with the op's name and the caller's; where the module cannot be given that text, the call stays, and its slot stops.</summary>
    /// <param name="Op">The op's name.</param>
    internal sealed record Stop(string Op) : CallReplacement
    {
        /// <summary>What the process ends with.</summary>
        /// <param name="caller">Full name of the method that calls.</param>
        public string MessageTo(string caller) => $"pv op {Op} is missing, called by {caller}";

        /// <inheritdoc/>
        public override string ToString() => "stop: missing";
    }

    /// <summary>The call as it was.</summary>
    /// <param name="Reason">Why.</param>
    internal sealed record Indirect(string Reason) : CallReplacement
    {
        /// <inheritdoc/>
        public override string ToString() => $"indirect: {Reason}";
    }
}
