using System.Reflection;
using System.Reflection.Emit;
using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls.Growth;

/// <summary>
/// The IL of a target, read once, to be written at the sites of its op. What compilers add for a debugger is gone: NOPs,
/// and the local variable that a Debug build returns its value through.
/// </summary>
internal sealed class InlineBody
{
    private InlineBody(MethodInfo method, System.Reflection.MethodBody body, IReadOnlyList<MovableInstruction> code)
    {
        Method = method;
        Code = code;
        CodeElsewhere = code.Any(i => i.Is(OpCodes.Calli)) ? null : [.. code.Select(i => Elsewhere(i, method.Module))];
        Members = [.. code.Where(NamesMember).Select(i => MemberOf(i, method.Module)).Distinct()];
        MaxStack = InlineDepth.Of(code, method, body.MaxStackSize);
        Parameters = [.. method.GetParameters().Select(p => p.ParameterType)];
        Locals = [.. body.LocalVariables.Select(v => v.LocalType)];
        InitLocals = body.InitLocals;
    }

    /// <summary>The target.</summary>
    public MethodInfo Method { get; }

    /// <summary>Its code. Tokens are those of its module; arguments and local variables are its own.</summary>
    public IReadOnlyList<MovableInstruction> Code { get; }

    /// <summary>The most entries that its evaluation stack holds.</summary>
    public int MaxStack { get; }

    /// <summary>Types of its parameters.</summary>
    public IReadOnlyList<Type> Parameters { get; }

    /// <summary>Types of its local variables.</summary>
    public IReadOnlyList<Type> Locals { get; }

    /// <summary>Whether its local variables start as zero.</summary>
    public bool InitLocals { get; }

    /// <summary>Reads a target.</summary>
    /// <param name="method">A static method, not generic.</param>
    /// <param name="refusal">Why its code can stand nowhere else, if it cannot.</param>
    public static InlineBody? Of(MethodInfo method, out string? refusal)
    {
        try
        {
            System.Reflection.MethodBody? body = method.GetMethodBody();
            refusal = body?.GetILAsByteArray() is null ? "it has no IL" : RefusalOf(method, body);
            if (refusal is not null)
                return null;
            IReadOnlyList<MovableInstruction> code = InlineCode.Of(IlReader.Decode(body!.GetILAsByteArray()));
            refusal = code.Select(i => RefusalOf(i, method.Module)).FirstOrDefault(r => r is not null);
            return refusal is null ? new InlineBody(method, body, code) : null;
        }
        catch (Exception e) when (e is IOException or TypeLoadException or MissingMemberException or Reports.PatchException || Damage.IsShownBy(e))
        {
            refusal = $"its IL cannot be read: {e.Message}";
            return null;
        }
    }

    /// <summary>The types, fields and methods that its code names.</summary>
    public IReadOnlyList<MemberInfo> Members { get; }

    /// <summary>Its code for another module, with members in the place of tokens; <see langword="null"/> if it calls through a pointer, whose signature has tokens of its own.</summary>
    public IReadOnlyList<MovableInstruction>? CodeElsewhere { get; }

    private static bool NamesMember(MovableInstruction instruction) => instruction.Code.OperandType
        is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineType or OperandType.InlineTok;

    private static MemberInfo MemberOf(MovableInstruction instruction, Module module) => module.ResolveMember((int)instruction.Operand)!;

    private static MovableInstruction Elsewhere(MovableInstruction instruction, Module module)
    {
        if (NamesMember(instruction))
            return instruction with { Operand = 0, Member = MemberOf(instruction, module) };
        return instruction.Is(OpCodes.Ldstr)
            ? instruction with { Operand = 0, Text = module.ResolveString((int)instruction.Operand) }
            : instruction;
    }

    private static string? RefusalOf(MethodInfo method, System.Reflection.MethodBody body)
    {
        MethodImplAttributes flags = method.MethodImplementationFlags;
        if (flags.HasFlag(MethodImplAttributes.NoInlining))
            return "it is marked NoInlining";
        if (flags.HasFlag(MethodImplAttributes.Synchronized))
            return "it takes a lock";
        if (body.ExceptionHandlingClauses.Count > 0)
            return "it has protected regions";
        if (body.LocalVariables.Any(v => v.IsPinned))
            return "it pins an object until it returns";
        Type type = method.DeclaringType!;
        return type.TypeInitializer is not null && !type.Attributes.HasFlag(TypeAttributes.BeforeFieldInit)
            ? "a call of it runs its class's static constructor"
            : null;
    }

    private static string? RefusalOf(MovableInstruction instruction, Module module)
    {
        if (instruction.Is(OpCodes.Localloc) || instruction.Is(OpCodes.Jmp) || instruction.Is(OpCodes.Arglist) || instruction.Is(OpCodes.Tailcall))
            return $"{instruction.Code.Name} has its meaning in a method of its own only";
        bool calls = instruction.Code.OperandType == OperandType.InlineMethod;
        return calls && module.ResolveMethod((int)instruction.Operand) is { } called && CallerSensitive.Is(called)
            ? $"{called.DeclaringType!.Name}.{called.Name} asks for its caller"
            : null;
    }
}
