using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using PvPatch.Engine.Il;
using PvPatch.Engine.PatchedCalls.Growth;

namespace PvPatch.Engine.Tests.PatchedCalls.Growth;

/// <summary>Makes a grown method runnable: the shortest way from its bytes to code, for tests.</summary>
internal static class GrownCopy
{
    /// <summary>A copy of a static method with a grown body.</summary>
    public static DynamicMethod Of(MethodInfo method, GrownMethod grown, IReadOnlyList<Type> addedLocals)
    {
        Type[] parameters = [.. method.GetParameters().Select(p => p.ParameterType)];
        var copy = new DynamicMethod($"grown {method.Name}", method.ReturnType, parameters, method.Module, skipVisibility: true);
        DynamicILInfo info = copy.GetDynamicILInfo();
        byte[] il = [.. grown.Il];
        var added = grown.Fixups.ToDictionary(f => f.Offset, f => f.Instruction);
        foreach (Instruction instruction in IlReader.Decode(il))
        {
            int at = instruction.End - sizeof(int);
            object? member = added.TryGetValue(at, out MovableInstruction? missing)
                ? missing.Member ?? (object?)missing.Text
                : MemberOf(instruction, method.Module);
            if (member is not null)
                BinaryPrimitives.WriteInt32LittleEndian(il.AsSpan(at), TokenOf(member, info));
        }

        info.SetCode(il, grown.MaxStack);
        var locals = SignatureHelper.GetLocalVarSigHelper();
        foreach (LocalVariableInfo local in method.GetMethodBody()!.LocalVariables)
            locals.AddArgument(Plain(local.LocalType), local.IsPinned);
        foreach (Type type in addedLocals)
            locals.AddArgument(Plain(type), false);
        info.SetLocalSignature(locals.GetSignature());
        if (grown.Regions.Length > 0)
            info.SetExceptions(RegionBytes(grown.Regions, method.Module, info));
        return copy;
    }

    private static object? MemberOf(Instruction instruction, Module module) => instruction.Code.OperandType switch
    {
        OperandType.InlineString => module.ResolveString(instruction.Token),
        OperandType.InlineSig => module.ResolveSignature(instruction.Token),
        OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineType or OperandType.InlineTok => module.ResolveMember(instruction.Token),
        _ => null,
    };

    private static int TokenOf(object member, DynamicILInfo info) => member switch
    {
        string text => info.GetTokenFor(text),
        byte[] signature => info.GetTokenFor(signature),
        Type type => info.GetTokenFor(type.TypeHandle),
        FieldInfo field => info.GetTokenFor(field.FieldHandle, field.DeclaringType!.TypeHandle),
        MethodBase method => info.GetTokenFor(method.MethodHandle, method.DeclaringType!.TypeHandle),
        _ => throw new ArgumentException($"{member} has no token.", nameof(member)),
    };

    private static byte[] RegionBytes(IReadOnlyList<GrownRegion> regions, Module module, DynamicILInfo info)
    {
        var bytes = new byte[4 + (24 * regions.Count)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, 0x41 | (bytes.Length << 8));
        for (int i = 0; i < regions.Count; i++)
        {
            GrownRegion r = regions[i];
            int last = r.Kind == ExceptionRegionKind.Catch ? info.GetTokenFor(module.ResolveType(r.Last).TypeHandle) : r.Last;
            int[] words = [(int)r.Kind, r.TryOffset, r.TryLength, r.HandlerOffset, r.HandlerLength, last];
            for (int k = 0; k < words.Length; k++)
                BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4 + (24 * i) + (4 * k)), words[k]);
        }

        return bytes;
    }

    private static Type Plain(Type type) => type.IsFunctionPointer ? typeof(nint) : type;
}
