using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.IndirectCalls;

/// <summary>
/// Makes what the slots hold: one emitted <see cref="UnmanagedCallersOnlyAttribute"/> method a slot, which calls the plain
/// static method. It costs what a compiled entry costs, and the author writes none. A managed slot holds its method itself.
/// </summary>
internal static class SlotEntries
{
    /// <summary>Name of the class of entries in each emitted assembly.</summary>
    public const string ClassName = "PvPatch.Entries";

    /// <summary>
    /// Entries whose assembly may be unloaded live as long as the class whose slots hold them, though no object refers to
    /// them from there: a slot is a bare number to the garbage collector.
    /// </summary>
    private static readonly ConditionalWeakTable<Type, List<Type>> KeptAlive = [];

    /// <summary>One entry for each slot and target, in the same order: the addresses to write into the slots.</summary>
    /// <param name="wanted">The slots and their targets.</param>
    /// <param name="counters">Address of a 64-bit counter a slot, which its entry counts up at each call; 0 for entries that do not count.</param>
    public static nint[] Emit(IReadOnlyList<Installation> wanted, nint counters = 0)
    {
        var addresses = new nint[wanted.Count];
        for (int i = 0; i < addresses.Length; i++)
        {
            if (counters == 0 && wanted[i] is { Slot.Signature.IsManaged: true, Target: PvTarget.MethodTarget { Info: var own } })
                addresses[i] = AddressOf(own, wanted[i].Slot);
        }

        var members = new Dictionary<AssemblyLoadContext, List<int>>();
        for (int i = 0; i < addresses.Length; i++)
        {
            if (addresses[i] != 0)
                continue;
            AssemblyLoadContext context = ContextOf(wanted[i].Slot, wanted[i].Target);
            if (!members.TryGetValue(context, out List<int>? list))
                members[context] = list = [];
            list.Add(i);
        }

        foreach ((AssemblyLoadContext context, List<int> list) in members)
        {
            Type entries = EmitInto(context, wanted, list, counters);
            foreach (int i in list)
            {
                if (entries.Assembly.IsCollectible)
                    Keep(wanted[i].Slot.Op.Path[0].DeclaringType!, entries);
                addresses[i] = entries.GetMethod(NameOf(i))!.MethodHandle.GetFunctionPointer();
            }
        }

        return addresses;
    }

    private static string NameOf(int entry) => $"e{entry}";

    /// <summary>Calls through a managed slot need no entry: it holds the address of the method itself.</summary>
    private static nint AddressOf(MethodInfo method, Slot slot)
    {
        if (method.Module.Assembly.IsCollectible)
            Keep(slot.Op.Path[0].DeclaringType!, method.DeclaringType!);
        return method.MethodHandle.GetFunctionPointer();
    }

    /// <summary>The load context whose copies an entry must be bound to: a program may have several copies of one assembly.</summary>
    private static AssemblyLoadContext ContextOf(Slot slot, PvTarget target)
    {
        Assembly called = target is PvTarget.MethodTarget method ? method.Info.Module.Assembly : slot.Op.Slot.Module.Assembly;
        return AssemblyLoadContext.GetLoadContext(called) ?? AssemblyLoadContext.Default;
    }

    private static Type EmitInto(AssemblyLoadContext context, IReadOnlyList<Installation> wanted, List<int> members, nint counters)
    {
        // References of the emitted assembly are bound by name in the context that is current when it is defined.
        using var scope = context.EnterContextualReflection();
        AssemblyBuilderAccess access = context.IsCollectible ? AssemblyBuilderAccess.RunAndCollect : AssemblyBuilderAccess.Run;
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("PvPatch.Entries"), access);
        ModuleBuilder module = assembly.DefineDynamicModule("PvPatch.Entries");
        assembly.SetCustomAttribute(new CustomAttributeBuilder(typeof(DisableRuntimeMarshallingAttribute).GetConstructor([])!, []));
        OpenInternals(assembly, module, wanted);

        TypeBuilder type = module.DefineType(ClassName, TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed);
        foreach (int i in members)
            EmitEntry(type, NameOf(i), wanted[i].Slot, wanted[i].Target, counters == 0 ? 0 : counters + (i * sizeof(long)));
        return type.CreateType();
    }

    /// <summary>The assemblies of what an entry names.</summary>
    private static IEnumerable<Assembly> Named(Slot slot, PvTarget target)
    {
        foreach (Type type in slot.Signature.Parameters.Append(slot.Signature.Returns))
            yield return type.Assembly;
        if (target is PvTarget.MethodTarget { Info: var method })
            yield return method.Module.Assembly;
    }

    /// <summary>
    /// Lets the entries call internal methods. The runtime knows the attribute by its name alone and the libraries do not
    /// define it (dotnet/runtime, src/coreclr/vm/friendassembly.cpp).
    /// </summary>
    private static void OpenInternals(AssemblyBuilder assembly, ModuleBuilder module, IReadOnlyList<Installation> called)
    {
        TypeBuilder attribute = module.DefineType(
            "System.Runtime.CompilerServices.IgnoresAccessChecksToAttribute", TypeAttributes.NotPublic | TypeAttributes.Sealed, typeof(Attribute));
        ConstructorBuilder constructor = attribute.DefineConstructor(MethodAttributes.Public, CallingConventions.Standard, [typeof(string)]);
        ILGenerator il = constructor.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Call, typeof(Attribute).GetConstructor(BindingFlags.Instance | BindingFlags.NonPublic, [])!);
        il.Emit(OpCodes.Ret);

        ConstructorInfo created = attribute.CreateType().GetConstructor([typeof(string)])!;
        var named = new HashSet<Assembly>();
        foreach (Installation installation in called)
            named.UnionWith(Named(installation.Slot, installation.Target));
        foreach (Assembly opened in named)
            assembly.SetCustomAttribute(new CustomAttributeBuilder(created, [opened.GetName().Name!]));
    }

    private static void EmitEntry(TypeBuilder type, string name, Slot slot, PvTarget target, nint counter)
    {
        SlotSignature signature = slot.Signature;
        const MethodAttributes Open = MethodAttributes.Public | MethodAttributes.Static;
        MethodBuilder method = target is PvTarget.MissingTarget
            ? type.DefineMethod(name, Open) // never returns, so takes nothing
            : type.DefineMethod(name, Open, EntryType(signature, signature.Returns, isParameter: false), [.. signature.Parameters.Select(p => EntryType(signature, p, isParameter: true))]);
        if (!signature.IsManaged)
            method.SetCustomAttribute(Unmanaged(signature.CallConventions));

        ILGenerator il = method.GetILGenerator();
        if (counter != 0)
            EmitCount(il, counter);
        switch (target)
        {
            case PvTarget.MissingTarget:
                // SAFETY: the address of a method of the engine, which may stand in another load context than the entry.
                il.Emit(OpCodes.Ldstr, slot.Op.Name);
                il.Emit(OpCodes.Ldc_I8, (long)typeof(MissingOp).GetMethod(nameof(MissingOp.Stop))!.MethodHandle.GetFunctionPointer());
                il.Emit(OpCodes.Conv_I);
                il.EmitCalli(OpCodes.Calli, CallingConventions.Standard, typeof(void), [typeof(string)], null);
                break;
            case PvTarget.IdentityTarget:
                EmitArgument(il, signature, 0);
                break;
            case PvTarget.ConstantTarget constant:
                EmitConstant(il, constant.Value, signature.Returns);
                break;
            case PvTarget.RealTarget real:
                EmitReal(il, real.Value, signature.Returns);
                break;
            case PvTarget.MethodTarget plain:
                for (int i = 0; i < signature.Parameters.Length; i++)
                    EmitArgument(il, signature, i);
                il.Emit(OpCodes.Call, plain.Info);
                break;
        }

        il.Emit(OpCodes.Ret);
    }

    private static Type EntryType(SlotSignature signature, Type type, bool isParameter) =>
        signature.IsManaged ? type : UnmanagedTypes.EntryType(type, isParameter);

    private static void EmitArgument(ILGenerator il, SlotSignature signature, int number)
    {
        il.Emit(OpCodes.Ldarg, (short)number);
        if (signature.IsManaged || signature.Parameters[number] != typeof(bool))
            return;
        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Cgt_Un); // whatever is not zero is true
    }

    private static void EmitCount(ILGenerator il, nint counter)
    {
        il.Emit(OpCodes.Ldc_I8, (long)counter);
        il.Emit(OpCodes.Conv_I);
        il.Emit(OpCodes.Call, typeof(Interlocked).GetMethod(nameof(Interlocked.Increment), [typeof(long).MakeByRefType()])!);
        il.Emit(OpCodes.Pop);
    }

    private static void EmitConstant(ILGenerator il, long value, Type type)
    {
        if (type == typeof(float) || type == typeof(double))
        {
            EmitReal(il, value, type);
            return;
        }

        if (!type.IsValueType && !type.IsPointer && !type.IsFunctionPointer)
        {
            il.Emit(OpCodes.Ldnull);
            return;
        }

        il.Emit(OpCodes.Ldc_I8, type == typeof(bool) ? Math.Sign(value) & 1 : value);
        il.Emit(Type.GetTypeCode(type) switch
        {
            TypeCode.SByte => OpCodes.Conv_I1,
            TypeCode.Byte or TypeCode.Boolean => OpCodes.Conv_U1,
            TypeCode.Int16 => OpCodes.Conv_I2,
            TypeCode.UInt16 or TypeCode.Char => OpCodes.Conv_U2,
            TypeCode.Int32 => OpCodes.Conv_I4,
            TypeCode.UInt32 => OpCodes.Conv_U4,
            TypeCode.Int64 => OpCodes.Nop,
            TypeCode.UInt64 => OpCodes.Nop,
            _ => OpCodes.Conv_I,
        });
    }

    private static void EmitReal(ILGenerator il, double value, Type type)
    {
        if (type == typeof(float))
            il.Emit(OpCodes.Ldc_R4, (float)value);
        else
            il.Emit(OpCodes.Ldc_R8, value);
    }

    private static CustomAttributeBuilder Unmanaged(Type[] conventions)
    {
        Type attribute = typeof(UnmanagedCallersOnlyAttribute);
        return new CustomAttributeBuilder(
            attribute.GetConstructor([])!, [], [attribute.GetField(nameof(UnmanagedCallersOnlyAttribute.CallConvs))!], [conventions]);
    }

    private static void Keep(Type root, Type entries)
    {
        List<Type> kept = KeptAlive.GetOrCreateValue(root);
        lock (kept)
        {
            if (!kept.Contains(entries))
                kept.Add(entries);
        }
    }
}
