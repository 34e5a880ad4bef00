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
    /// <exception cref="PatchException">It is unmanaged, and holds a type that cannot cross an unmanaged call or skips the transition that an entry needs.</exception>
    public SlotSignature(PvOp op)
    {
        _op = op;
        Returns = op.PointerType.GetFunctionPointerReturnType();
        Parameters = op.PointerType.GetFunctionPointerParameterTypes();
        IsManaged = !op.PointerType.IsUnmanagedFunctionPointer;
        CallConventions = [];
        if (IsManaged)
            return;

        Type modified = op.Slot.GetModifiedFieldType();
        CallConventions = (op.Index is null ? modified : modified.GetElementType()!).GetFunctionPointerCallingConventions();

        // Without the transition the entry would run managed code in the mode of unmanaged code.
        if (Array.IndexOf(CallConventions, typeof(CallConvSuppressGCTransition)) >= 0)
            throw Unsupported("it suppresses the GC transition that managed targets need");
        if (Array.IndexOf(CallConventions, typeof(CallConvFastcall)) >= 0)
            throw Unsupported("the runtime knows no fastcall");
        bool keepsLayouts = op.Slot.Module.Assembly.IsDefined(typeof(DisableRuntimeMarshallingAttribute), inherit: false);
        foreach (Type type in Parameters)
        {
            if (UnmanagedTypes.RefusalOf(type, isParameter: true, keepsLayouts) is { } refusal)
                throw Unsupported(refusal);
        }

        if (UnmanagedTypes.RefusalOf(Returns, isParameter: false, keepsLayouts) is { } why)
            throw Unsupported(why);
    }

    /// <summary>The return type.</summary>
    public Type Returns { get; }

    /// <summary>The parameter types.</summary>
    public Type[] Parameters { get; }

    /// <summary>Whether calls through the slot are managed: it then holds the address of the target itself.</summary>
    public bool IsManaged { get; }

    /// <summary>The unmanaged calling convention's types, such as <see cref="CallConvCdecl"/>; empty is the platform's default.</summary>
    public Type[] CallConventions { get; }

    /// <summary>Checks that a target may be installed in the slot.</summary>
    /// <exception cref="PatchException">It may not; the message says why.</exception>
    public void Check(PvTarget target)
    {
        string? refusal = target switch
        {
            PvTarget.NopTarget when Returns != typeof(void) => $"a nop returns nothing, the op returns {Returns}",
            PvTarget.IdentityTarget when Parameters is not [{ } only] || only != Returns => "an identity needs one argument of the return type",
            PvTarget.ConstantTarget { Value: not 0 } when IsReference(Returns) => $"the only constant of {Returns} is 0, which is null",
            PvTarget.ConstantTarget when !IsNumber(Returns) && !IsReference(Returns) => $"a constant is a number, the op returns {Returns}",
            PvTarget.RealTarget when Returns != typeof(float) && Returns != typeof(double) => $"a real number does not fit {Returns}",
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
        if (method.IsAbstract)
            return "a target has code of its own";
        if (method.CallingConvention.HasFlag(CallingConventions.VarArgs))
            return "a target takes no variable list of arguments";
        Type[] takes = [.. method.GetParameters().Select(p => p.ParameterType)];
        return method.ReturnType == Returns && takes.SequenceEqual(Parameters)
            ? null
            : $"it is {method.ReturnType}({string.Join(", ", (object[])takes)}), the slot is {Returns}({string.Join(", ", (object[])Parameters)})";
    }

    private PatchException Unsupported(string why) =>
        new(PatchError.UnsupportedSignature, $"{_op.Name} has a signature that cannot be used: {why}.") { Op = _op.Name };

    private static bool IsReference(Type type) => !type.IsValueType && !type.IsPointer && !type.IsFunctionPointer && !type.IsByRef && type != typeof(void);

    private static bool IsNumber(Type type) => Type.GetTypeCode(type) is >= TypeCode.Boolean and <= TypeCode.Double
        || type == typeof(nint) || type == typeof(nuint) || type.IsPointer || type.IsFunctionPointer;
}
