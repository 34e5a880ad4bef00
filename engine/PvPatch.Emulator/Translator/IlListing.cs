using System.Globalization;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.InteropServices;

namespace PvPatch.Emulator.Translator;

/// <summary>Writes down as text what another generator is given, piece by piece.</summary>
/// <param name="inner">The other generator.</param>
internal sealed class IlListing(ILGenerator inner) : ILGenerator
{
    private readonly Dictionary<int, string> _names = [];
    private readonly Dictionary<ulong, List<string>> _pieces = [];
    private List<string>? _piece;

    /// <inheritdoc/>
    public override int ILOffset => inner.ILOffset;

    /// <summary>The lines that were written for an instruction of the guest.</summary>
    public IReadOnlyList<string> LinesOf(ulong rip) => _pieces.GetValueOrDefault(rip) ?? [];

    /// <summary>From here on the code is that of an instruction of the guest; null is code for all of them.</summary>
    public void Begin(ulong? rip)
    {
        _piece = null;
        if (rip is { } place)
            _pieces[place] = _piece = [];
    }

    /// <summary>Gives a local variable a name.</summary>
    public void Name(LocalBuilder local, string name) => _names[local.LocalIndex] = name;

    /// <inheritdoc/>
    public override LocalBuilder DeclareLocal(Type localType, bool pinned) => inner.DeclareLocal(localType, pinned);

    /// <inheritdoc/>
    public override Label DefineLabel() => inner.DefineLabel();

    /// <inheritdoc/>
    public override void MarkLabel(Label loc)
    {
        _piece?.Add($"{NameOf(loc)}:");
        inner.MarkLabel(loc);
    }

    /// <inheritdoc/>
    public override void Emit(OpCode opcode)
    {
        Add(opcode, "");
        inner.Emit(opcode);
    }

    /// <inheritdoc/>
    public override void Emit(OpCode opcode, byte arg)
    {
        Add(opcode, Number(arg));
        inner.Emit(opcode, arg);
    }

    /// <inheritdoc/>
    public override void Emit(OpCode opcode, short arg)
    {
        Add(opcode, Number(arg));
        inner.Emit(opcode, arg);
    }

    /// <inheritdoc/>
    public override void Emit(OpCode opcode, int arg)
    {
        Add(opcode, Number(arg));
        inner.Emit(opcode, arg);
    }

    /// <inheritdoc/>
    public override void Emit(OpCode opcode, long arg)
    {
        Add(opcode, Number(arg));
        inner.Emit(opcode, arg);
    }

    /// <inheritdoc/>
    public override void Emit(OpCode opcode, float arg)
    {
        Add(opcode, arg.ToString(CultureInfo.InvariantCulture));
        inner.Emit(opcode, arg);
    }

    /// <inheritdoc/>
    public override void Emit(OpCode opcode, double arg)
    {
        Add(opcode, arg.ToString(CultureInfo.InvariantCulture));
        inner.Emit(opcode, arg);
    }

    /// <inheritdoc/>
    public override void Emit(OpCode opcode, string str)
    {
        Add(opcode, $"\"{str}\"");
        inner.Emit(opcode, str);
    }

    /// <inheritdoc/>
    public override void Emit(OpCode opcode, Type cls)
    {
        Add(opcode, cls.Name);
        inner.Emit(opcode, cls);
    }

    /// <inheritdoc/>
    public override void Emit(OpCode opcode, FieldInfo field)
    {
        Add(opcode, NameOf(field));
        inner.Emit(opcode, field);
    }

    /// <inheritdoc/>
    public override void Emit(OpCode opcode, MethodInfo meth)
    {
        Add(opcode, NameOf(meth));
        inner.Emit(opcode, meth);
    }

    /// <inheritdoc/>
    public override void Emit(OpCode opcode, ConstructorInfo con)
    {
        Add(opcode, NameOf(con));
        inner.Emit(opcode, con);
    }

    /// <inheritdoc/>
    public override void Emit(OpCode opcode, LocalBuilder local)
    {
        Add(opcode, _names.GetValueOrDefault(local.LocalIndex, $"v{local.LocalIndex}"));
        inner.Emit(opcode, local);
    }

    /// <inheritdoc/>
    public override void Emit(OpCode opcode, Label label)
    {
        Add(opcode, NameOf(label));
        inner.Emit(opcode, label);
    }

    /// <inheritdoc/>
    public override void Emit(OpCode opcode, Label[] labels)
    {
        Add(opcode, string.Join(", ", labels.Select(NameOf)));
        inner.Emit(opcode, labels);
    }

    /// <inheritdoc/>
    public override void Emit(OpCode opcode, SignatureHelper signature)
    {
        Add(opcode, "");
        inner.Emit(opcode, signature);
    }

    /// <inheritdoc/>
    public override void EmitCall(OpCode opcode, MethodInfo methodInfo, Type[]? optionalParameterTypes)
    {
        Add(opcode, NameOf(methodInfo));
        inner.EmitCall(opcode, methodInfo, optionalParameterTypes);
    }

    /// <inheritdoc/>
    public override void EmitCalli(OpCode opcode, CallingConventions callingConvention, Type? returnType, Type[]? parameterTypes, Type[]? optionalParameterTypes)
    {
        Add(opcode, "managed");
        inner.EmitCalli(opcode, callingConvention, returnType, parameterTypes, optionalParameterTypes);
    }

    /// <inheritdoc/>
    public override void EmitCalli(OpCode opcode, CallingConvention unmanagedCallConv, Type? returnType, Type[]? parameterTypes)
    {
        Add(opcode, "unmanaged");
        inner.EmitCalli(opcode, unmanagedCallConv, returnType, parameterTypes);
    }

    /// <inheritdoc/>
    public override void BeginCatchBlock(Type? exceptionType) => inner.BeginCatchBlock(exceptionType!);

    /// <inheritdoc/>
    public override void BeginExceptFilterBlock() => inner.BeginExceptFilterBlock();

    /// <inheritdoc/>
    public override Label BeginExceptionBlock() => inner.BeginExceptionBlock();

    /// <inheritdoc/>
    public override void BeginFaultBlock() => inner.BeginFaultBlock();

    /// <inheritdoc/>
    public override void BeginFinallyBlock() => inner.BeginFinallyBlock();

    /// <inheritdoc/>
    public override void BeginScope() => inner.BeginScope();

    /// <inheritdoc/>
    public override void EndExceptionBlock() => inner.EndExceptionBlock();

    /// <inheritdoc/>
    public override void EndScope() => inner.EndScope();

    /// <inheritdoc/>
    public override void UsingNamespace(string usingNamespace) => inner.UsingNamespace(usingNamespace);

    private static string Number(long value) => value is >= -9 and <= 9 ? value.ToString(CultureInfo.InvariantCulture) : $"0x{value:x}";

    private static string NameOf(MemberInfo member) => $"{member.DeclaringType?.Name}.{member.Name}";

    private static string NameOf(Label label) => $"L{label.Id}";

    private void Add(OpCode opcode, string operand) => _piece?.Add(operand.Length == 0 ? opcode.Name! : $"{opcode.Name} {operand}");
}
