using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;
using PvPatch.Engine.Il;
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
        PvTarget.IdentityTarget => new Argument(TypeOf(op)),
        PvTarget.ConstantTarget constant => new Number(Truncated(constant.Value, TypeOf(op)), TypeOf(op)),
        PvTarget.MethodTarget method => new DirectCall(method.Info),
        _ => new Indirect("missing: the call stays, and its slot stops with the op's name"),
    };

    private static TypeCode TypeOf(PvOp op) => Type.GetTypeCode(op.Slot.FieldType.GetFunctionPointerReturnType());

    private static long Truncated(long value, TypeCode type) => unchecked(type switch
    {
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
    internal sealed record Argument(TypeCode Type) : CallReplacement
    {
        /// <summary>
        /// What the call would do to its argument on the way (ECMA-335, partition III, 1.6): numbers narrower than the
        /// stack's are cut, 32-bit ones widen to native size. Nothing for the types that the stack holds as they are.
        /// </summary>
        public byte[] Code => Type switch
        {
            TypeCode.SByte => [(byte)OpCodes.Conv_I1.Value],
            TypeCode.Byte => [(byte)OpCodes.Conv_U1.Value],
            TypeCode.Int16 => [(byte)OpCodes.Conv_I2.Value],
            TypeCode.UInt16 => [(byte)OpCodes.Conv_U2.Value],
            TypeCode.Single => [(byte)OpCodes.Conv_R4.Value],
            TypeCode.Double => [(byte)OpCodes.Conv_R8.Value],
            _ => [],
        };

        /// <inheritdoc/>
        public override string ToString() => "its argument";
    }

    /// <summary>A number; the arguments are dropped.</summary>
    /// <param name="Value">The number, in the type's range.</param>
    /// <param name="Type">The op's return type.</param>
    internal sealed record Number(long Value, TypeCode Type) : CallReplacement
    {
        /// <summary>The instructions that push it.</summary>
        public byte[] Code => IlWriter.Push(Value, Type);

        /// <inheritdoc/>
        public override string ToString() => $"constant {Value}";
    }

    /// <summary>A direct call of the installed method, with the same arguments.</summary>
    /// <param name="Target">The method.</param>
    internal sealed record DirectCall(MethodInfo Target) : CallReplacement
    {
        /// <summary>The instruction, as long as the <c>calli</c> that it replaces.</summary>
        /// <param name="token">The method's token in the patched module.</param>
        public static byte[] CodeFor(int token)
        {
            byte[] code = [(byte)OpCodes.Call.Value, 0, 0, 0, 0];
            BinaryPrimitives.WriteInt32LittleEndian(code.AsSpan(1), token);
            return code;
        }

        /// <inheritdoc/>
        public override string ToString() => $"call {Target.DeclaringType?.Name}.{Target.Name}";
    }

    /// <summary>The call as it was.</summary>
    /// <param name="Reason">Why.</param>
    internal sealed record Indirect(string Reason) : CallReplacement
    {
        /// <inheritdoc/>
        public override string ToString() => $"indirect: {Reason}";
    }
}
