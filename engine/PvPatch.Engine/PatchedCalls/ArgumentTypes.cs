using System.Collections.Immutable;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using PvPatch.Engine.Il;
using PvPatch.Engine.PatchedCalls.Flow;

namespace PvPatch.Engine.PatchedCalls;

/// <summary>
/// Whether a call's arguments have their parameters' types on the evaluation stack already, so that passing them converts
/// nothing. Where the instructions do not tell, the answer is no.
/// </summary>
internal sealed class ArgumentTypes(ModuleImage image, StackFlow flow)
{
    private const string Reference = "&";
    private const int DeepestExpression = 16;

    private ImmutableArray<string> _parameters;
    private ImmutableArray<string> _locals;
    private Il.MethodBody? _body; // the method that those two are of

    /// <summary>Whether an argument arrives as its parameter's type.</summary>
    /// <param name="argument">What the call takes.</param>
    /// <param name="type">The parameter's type.</param>
    public bool IsExact(FlowEntry argument, Type type)
    {
        if (_body != flow.Body)
        {
            _body = flow.Body;
            _parameters = _locals = default;
        }

        if (type.IsByRef || !(type.IsValueType || type.IsPointer || type.IsFunctionPointer))
            return true; // references are never converted
        string wanted = SignatureTexts.Of(type);
        string? wide = WidthOf(type.IsEnum ? SignatureTexts.Of(type.GetEnumUnderlyingType()) : wanted);
        foreach (int source in flow.StackJoins.Behind(argument.Source))
        {
            string? found = source == Joins.Outside ? null : TypeOf(StackFlow.OwnerOf(source), 0);
            bool isSame = found is not null && (string.Equals(found, wanted, StringComparison.Ordinal) || (wide is not null && string.Equals(WidthOf(found), wide, StringComparison.Ordinal)));
            if (!isSame)
                return false;
        }

        return true;
    }

    /// <summary>A word for types that one has on the stack where the other is expected; <see langword="null"/> where only the type itself will do.</summary>
    private static string? WidthOf(string type) => type switch
    {
        "System.Int32" or "System.UInt32" => "int32",
        "System.Int64" or "System.UInt64" => "int64",
        "System.IntPtr" or "System.UIntPtr" => "native",
        _ when type.EndsWith('*') || type.StartsWith("Unmanaged ", StringComparison.Ordinal) || type.StartsWith("Default ", StringComparison.Ordinal) => "native",
        _ => null,
    };

    /// <summary>The type that an instruction pushes, as <see cref="SignatureTexts"/> writes it.</summary>
    private string? TypeOf(int index, int depth)
    {
        ref readonly Instruction instruction = ref flow.Code[index];
        if (instruction.LoadedLocal >= 0)
            return Of(Locals(), instruction.LoadedLocal);
        if (instruction.LoadedArgument >= 0)
            return Of(Parameters(), instruction.LoadedArgument);
        string name = instruction.Code.Name!;
        return instruction.Code.OperandType switch
        {
            OperandType.InlineField when name is "ldfld" or "ldsfld" => image.Signatures.OfField(MetadataTokens.EntityHandle(instruction.Token)),
            OperandType.InlineMethod when name is "call" or "callvirt" => Closed(image.Signatures.ReturnedBy(MetadataTokens.EntityHandle(instruction.Token))),
            OperandType.InlineSig => Closed(image.Signatures.ReturnedBy(MetadataTokens.EntityHandle(instruction.Token))),
            _ when name.StartsWith("ldc.i4", StringComparison.Ordinal) => "System.Int32",
            _ when name.StartsWith("conv.", StringComparison.Ordinal) => Named(name.Replace(".un", "", StringComparison.Ordinal).Split('.')[^1].Replace("ovf", "", StringComparison.Ordinal)),
            _ when name is "ldc.i8" or "ldc.r4" or "ldc.r8" || name.StartsWith("ldind.", StringComparison.Ordinal) || name.StartsWith("ldelem.", StringComparison.Ordinal) => Named(name.Split('.')[1]),
            _ when name is "ldloca" or "ldloca.s" or "ldarga" or "ldarga.s" or "ldflda" or "ldsflda" or "ldelema" => Reference,
            _ when name is "add" or "sub" or "mul" or "and" or "or" or "xor" or "shl" or "shr" or "shr.un" or "neg" or "not" or "dup" or "div" or "rem" or "div.un" or "rem.un" =>
                OfOperands(index, depth),
            _ when name is "localloc" or "sizeof" => name is "sizeof" ? "System.UInt32" : "System.UIntPtr",
            _ => null,
        };
    }

    /// <summary>Arithmetic gives what it takes; of two operands, the first one tells, but for a number that is added to an address.</summary>
    private string? OfOperands(int index, int depth)
    {
        ReadOnlySpan<FlowEntry> operands = flow.InputsOf(index);
        if (depth == DeepestExpression || operands.IsEmpty)
            return null;
        string? type = null;
        foreach (int source in flow.StackJoins.Behind(operands[0].Source))
        {
            string? found = source == Joins.Outside ? null : TypeOf(StackFlow.OwnerOf(source), depth + 1);
            if (found is null || (type is not null && !string.Equals(type, found, StringComparison.Ordinal)))
                return null;
            type = found;
        }

        return type is null || WidthOf(type) is null ? null : type;
    }

    private static string? Named(string suffix) => suffix switch
    {
        "i1" => "System.SByte",
        "u1" => "System.Byte",
        "i2" => "System.Int16",
        "u2" => "System.UInt16",
        "i4" => "System.Int32",
        "u4" => "System.UInt32",
        "i8" => "System.Int64",
        "u8" => "System.UInt64",
        "i" or "u" => "System.IntPtr",
        "r4" => "System.Single",
        "r8" => "System.Double",
        _ => null,
    };

    private ImmutableArray<string> Parameters()
    {
        if (_parameters.IsDefault)
        {
            MethodSignature<string> signature = image.Metadata.GetMethodDefinition((MethodDefinitionHandle)MetadataTokens.EntityHandle(flow.Body.Token)).DecodeSignature(image.Signatures, null);
            _parameters = signature.Header.IsInstance ? signature.ParameterTypes.Insert(0, Reference) : signature.ParameterTypes;
        }

        return _parameters;
    }

    private ImmutableArray<string> Locals()
    {
        if (_locals.IsDefault)
            _locals = flow.Body.LocalSignature.IsNil ? [] : image.Metadata.GetStandaloneSignature(flow.Body.LocalSignature).DecodeLocalSignature(image.Signatures, null);
        return _locals;
    }

    private static string? Of(ImmutableArray<string> types, int number) => number < types.Length ? Closed(types[number]) : null;

    /// <summary>A type without generic parameters, which each instantiation fills in otherwise.</summary>
    private static string? Closed(string? type) => type is null || type.Contains('!', StringComparison.Ordinal) ? null : type;
}
