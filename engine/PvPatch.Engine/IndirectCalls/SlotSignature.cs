using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PvPatch.Engine.Ops;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.IndirectCalls;

/// <summary>What a slot's function pointer takes and returns, and which targets fit it.</summary>
internal sealed class SlotSignature
{
    private readonly PvOp _op;

    /// <summary>Reads the signature of an op's slot.</summary>
    /// <exception cref="PatchException">It holds a type that an unmanaged call would convert, or skips the transition that an entry needs.</exception>
    public SlotSignature(PvOp op)
    {
        _op = op;
        Type pointer = op.Slot.FieldType;
        Returns = pointer.GetFunctionPointerReturnType();
        Parameters = pointer.GetFunctionPointerParameterTypes();
        CallConventions = op.Slot.GetModifiedFieldType().GetFunctionPointerCallingConventions();

        // Without the transition the entry would run managed code in the mode of unmanaged code.
        if (Array.IndexOf(CallConventions, typeof(CallConvSuppressGCTransition)) >= 0)
            throw Unsupported("it suppresses the GC transition that managed targets need");
        if (Parameters.Append(Returns).FirstOrDefault(t => t != typeof(void) && !IsBlittable(t)) is { } refused)
            throw Unsupported($"{refused} would be converted on the way; use a number or a pointer");
    }

    /// <summary>The return type.</summary>
    public Type Returns { get; }

    /// <summary>The parameter types.</summary>
    public Type[] Parameters { get; }

    /// <summary>The calling convention's types, such as <see cref="CallConvCdecl"/>; empty is the platform's default.</summary>
    public Type[] CallConventions { get; }

    /// <summary>Checks that a target may be installed in the slot.</summary>
    /// <exception cref="PatchException">It may not; the message says why.</exception>
    public void Check(PvTarget target)
    {
        string? refusal = target switch
        {
            PvTarget.NopTarget when Returns != typeof(void) => $"a nop returns nothing, the op returns {Returns}",
            PvTarget.IdentityTarget when Parameters is not [{ } only] || only != Returns => "an identity needs one argument of the return type",
            PvTarget.ConstantTarget when !IsIntegral(Returns) => $"a constant is a number, the op returns {Returns}",
            PvTarget.MethodTarget method => RefusalOf(method.Info),
            _ => null,
        };
        if (refusal is not null)
            throw new PatchException(PatchError.TargetMismatch, $"{_op.Name} cannot be {target}: {refusal}.") { Op = _op.Name };
    }

    private string? RefusalOf(MethodInfo method)
    {
        if (!method.IsStatic || method.IsGenericMethod || method.DeclaringType is null or { IsGenericType: true })
            return "a target is a static method, not generic, of a class that is not generic";
        if (method.IsDefined(typeof(UnmanagedCallersOnlyAttribute), inherit: false))
            return "a target is a plain method; its unmanaged entry is made for it";
        Type[] takes = [.. method.GetParameters().Select(p => p.ParameterType)];
        return method.ReturnType == Returns && takes.SequenceEqual(Parameters)
            ? null
            : $"it is {method.ReturnType}({string.Join(", ", (object[])takes)}), the slot is {Returns}({string.Join(", ", (object[])Parameters)})";
    }

    private PatchException Unsupported(string why) =>
        new(PatchError.UnsupportedSignature, $"{_op.Name} has a signature that cannot be used: {why}.") { Op = _op.Name };

    private static bool IsIntegral(Type type) => Type.GetTypeCode(type) is >= TypeCode.SByte and <= TypeCode.UInt64
        || type == typeof(nint) || type == typeof(nuint);

    private static bool IsBlittable(Type type)
    {
        if (type.IsPointer || type.IsFunctionPointer || type.IsEnum)
            return true;
        if (type.IsPrimitive)
            return type != typeof(bool) && type != typeof(char);
        const BindingFlags EveryField = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        return type.IsValueType && !type.IsGenericType && Array.TrueForAll(type.GetFields(EveryField), f => IsBlittable(f.FieldType));
    }
}
