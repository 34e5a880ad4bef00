using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using PvPatch.Engine.Il;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls.Growth;
using PvPatch.Engine.PatchedCalls.Loaded;

namespace PvPatch.Engine.PatchedCalls.Late;

/// <summary>
/// Copies a method, as its image now holds it, into a <see cref="DynamicMethod"/>: the IL byte for byte, but for tokens,
/// which get the same meaning in the copy; so offsets and exception regions stay valid.
/// </summary>
internal static class MethodCopy
{
    /// <summary>
    /// Copies are kept as long as their module, for a thread may be in one at any time, and by their IL and the state of the
    /// images that they may have inlined, so that applying and restoring without end makes no more of them.
    /// </summary>
    private static readonly ConditionalWeakTable<Module, Dictionary<string, DynamicMethod>> Kept = [];

    /// <summary>The copy of a method.</summary>
    /// <param name="method">A method that is not generic.</param>
    /// <param name="refusal">Why it cannot be copied, if it cannot.</param>
    /// <param name="patched">Its IL in the copy; without it, as the image holds it.</param>
    public static DynamicMethod? Of(MethodBase method, out string? refusal, RewrittenMethod? patched = null)
    {
        refusal = null;
        if (method.GetMethodBody() is not { } old || old.GetILAsByteArray() is not { } il)
        {
            refusal = "it has no IL";
            return null;
        }

        CopiedBody body = patched is null ? CopiedBody.Of(old, il) : CopiedBody.Of(old, patched, method.Module);
        Dictionary<string, DynamicMethod> kept = Kept.GetOrCreateValue(method.Module);
        string key = $"{method.MetadataToken:x8}{DataPages.State:x16}{body.Key}";
        lock (kept)
        {
            if (!kept.TryGetValue(key, out DynamicMethod? copy) && Copied(method, body, out refusal) is { } made)
            {
                kept[key] = copy = made;
                EmittedMethods.EnterCopy(copy, method);
            }

            return copy;
        }
    }

    private static DynamicMethod? Copied(MethodBase method, CopiedBody body, out string? refusal)
    {
        Type returns = method is MethodInfo { ReturnType: var type } ? Plain(type) : typeof(void);
        IEnumerable<Type> parameters = method.GetParameters().Select(p => Plain(p.ParameterType));
        if (!method.IsStatic)
            parameters = parameters.Prepend(method.DeclaringType!.IsValueType ? method.DeclaringType.MakeByRefType() : method.DeclaringType);
        var copy = new DynamicMethod(
            $"patched copy of {method.Name}", MethodAttributes.Public | MethodAttributes.Static, CallingConventions.Standard,
            returns, [.. parameters], method.Module, skipVisibility: true)
        {
            InitLocals = body.InitLocals,
        };
        DynamicILInfo info = copy.GetDynamicILInfo();
        refusal = Translate(body, method.Module, info);
        if (refusal is not null)
            return null;

        info.SetCode(body.Il, body.MaxStack);
        var locals = SignatureHelper.GetLocalVarSigHelper();
        foreach ((Type local, bool isPinned) in body.Locals)
            locals.AddArgument(Plain(local), isPinned);
        info.SetLocalSignature(locals.GetSignature());
        if (body.Regions.Count > 0)
            info.SetExceptions(Regions(body.Regions, info));
        return copy;
    }

    /// <summary>Gives every token its meaning in the copy.</summary>
    /// <returns>Why that cannot be, if it cannot.</returns>
    private static string? Translate(CopiedBody body, Module module, DynamicILInfo info)
    {
        foreach (Instruction instruction in IlReader.Decode(body.Il))
        {
            int at = instruction.End - sizeof(int);
            int? token = instruction.Code.OperandType switch
            {
                OperandType.InlineString when body.Missing.TryGetValue(at, out MovableInstruction? added) => info.GetTokenFor(added.Text!),
                OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineType or OperandType.InlineTok
                    when body.Missing.TryGetValue(at, out MovableInstruction? added) => TokenFor(added.Member, info),
                OperandType.InlineString => info.GetTokenFor(module.ResolveString(instruction.Token)),
                OperandType.InlineSig => IsSelfContained(module.ResolveSignature(instruction.Token))
                    ? info.GetTokenFor(module.ResolveSignature(instruction.Token))
                    : null,
                OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineType or OperandType.InlineTok =>
                    TokenFor(module.ResolveMember(instruction.Token), info),
                _ => 0,
            };
            if (token is null)
                return $"{instruction.Code.Name} at {instruction.Offset} has no like in a copy";
            if (token != 0)
                BinaryPrimitives.WriteInt32LittleEndian(body.Il.AsSpan(at), token.Value);
        }

        return null;
    }

    private static int? TokenFor(MemberInfo? member, DynamicILInfo info) => member switch
    {
        Type type => info.GetTokenFor(type.TypeHandle),
        FieldInfo { DeclaringType: { } owner } field => info.GetTokenFor(field.FieldHandle, owner.TypeHandle),
        FieldInfo field => info.GetTokenFor(field.FieldHandle),
        MethodBase method when CallerSensitive.Is(method) || method.CallingConvention.HasFlag(CallingConventions.VarArgs) => null,
        MethodBase { DeclaringType: { } owner } method => info.GetTokenFor(method.MethodHandle, owner.TypeHandle),
        MethodBase method => info.GetTokenFor(method.MethodHandle),
        _ => null,
    };

    /// <summary>Whether a call's signature names no type by a token of its module (ECMA-335, partition II, 23.1.16).</summary>
    private static bool IsSelfContained(byte[] signature)
    {
        const byte Void = 0x01, String = 0x0E, Pointer = 0x0F, NativeInt = 0x18, NativeUInt = 0x19, Object = 0x1C;
        return signature.Length > 1 && signature[1] < 0x80
            && Array.TrueForAll(signature[2..], e => e is (>= Void and <= String) or Pointer or NativeInt or NativeUInt or Object);
    }

    /// <summary>The exception regions in the long form (ECMA-335, partition II, 25.4.5 and 25.4.6).</summary>
    private static byte[] Regions(IReadOnlyList<CopiedRegion> regions, DynamicILInfo info)
    {
        const int Header = 4, Region = 24, Table = 1, LongForm = 0x40;
        byte[] bytes = new byte[Header + (Region * regions.Count)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, Table | LongForm | (bytes.Length << 8));
        for (int i = 0; i < regions.Count; i++)
        {
            CopiedRegion region = regions[i];
            int last = region.Caught is { } caught ? info.GetTokenFor(caught.TypeHandle) : region.FilterOffset;
            int[] words = [(int)region.Kind, region.TryOffset, region.TryLength, region.HandlerOffset, region.HandlerLength, last];
            for (int k = 0; k < words.Length; k++)
                BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(Header + (Region * i) + (sizeof(int) * k)), words[k]);
        }

        return bytes;
    }

    /// <summary>Function pointers as plain numbers, which is what the stack and the registers hold.</summary>
    private static Type Plain(Type type)
    {
        if (type.IsByRef)
            return Plain(type.GetElementType()!).MakeByRefType();
        if (type.IsPointer)
            return Plain(type.GetElementType()!).MakePointerType();
        return type.IsFunctionPointer ? typeof(nint) : type;
    }
}
