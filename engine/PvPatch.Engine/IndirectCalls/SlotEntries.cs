using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.IndirectCalls;

/// <summary>
/// Emits what the slots hold: one <see cref="UnmanagedCallersOnlyAttribute"/> method a slot, which calls the plain static
/// method. It costs what a compiled entry costs, and the author writes none.
/// </summary>
internal static class SlotEntries
{
    /// <summary>
    /// Entries whose assembly may be unloaded live as long as the class whose slots hold them, though no object refers to
    /// them from there: a slot is a bare number to the garbage collector.
    /// </summary>
    private static readonly ConditionalWeakTable<Type, List<Type>> KeptAlive = [];

    /// <summary>One entry for each slot and target, in the same order: the addresses to write into the slots.</summary>
    /// <param name="wanted">The slots and their targets.</param>
    /// <param name="counters">Address of a 64-bit counter a slot, which its entry counts up at each call; 0 for entries that do not count.</param>
    public static nint[] Emit(IReadOnlyList<(Slot Slot, PvTarget Target)> wanted, nint counters = 0)
    {
        var addresses = new nint[wanted.Count];
        foreach (var group in Enumerable.Range(0, wanted.Count).GroupBy(i => ContextOf(wanted[i].Slot, wanted[i].Target)))
        {
            int[] members = [.. group];
            Type entries = EmitInto(group.Key, [.. members.Select(i => (wanted[i].Slot, wanted[i].Target, counters == 0 ? 0 : counters + (i * sizeof(long))))]);
            foreach (int i in members)
            {
                if (entries.Assembly.IsCollectible)
                    Keep(wanted[i].Slot.Op.Path[0].DeclaringType!, entries);
            }

            for (int k = 0; k < members.Length; k++)
                addresses[members[k]] = entries.GetMethod($"e{k}")!.MethodHandle.GetFunctionPointer();
        }

        return addresses;
    }

    /// <summary>The load context whose copies an entry must be bound to: a program may have several copies of one assembly.</summary>
    private static AssemblyLoadContext ContextOf(Slot slot, PvTarget target)
    {
        Assembly called = target is PvTarget.MethodTarget method ? method.Info.Module.Assembly : slot.Op.Slot.Module.Assembly;
        return AssemblyLoadContext.GetLoadContext(called) ?? AssemblyLoadContext.Default;
    }

    private static Type EmitInto(AssemblyLoadContext context, (Slot Slot, PvTarget Target, nint Counter)[] wanted)
    {
        // References of the emitted assembly are bound by name in the context that is current when it is defined.
        using var scope = context.EnterContextualReflection();
        AssemblyBuilderAccess access = context.IsCollectible ? AssemblyBuilderAccess.RunAndCollect : AssemblyBuilderAccess.Run;
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("PvPatch.Entries"), access);
        ModuleBuilder module = assembly.DefineDynamicModule("PvPatch.Entries");
        OpenInternals(assembly, module, wanted.Select(w => w.Target).OfType<PvTarget.MethodTarget>().Select(m => m.Info.Module.Assembly));

        TypeBuilder type = module.DefineType("Entries", TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed);
        for (int k = 0; k < wanted.Length; k++)
            EmitEntry(type, $"e{k}", wanted[k].Slot, wanted[k].Target, wanted[k].Counter);
        return type.CreateType();
    }

    /// <summary>
    /// Lets the entries call internal methods. The runtime knows the attribute by its name alone and the libraries do not
    /// define it (dotnet/runtime, src/coreclr/vm/friendassembly.cpp).
    /// </summary>
    private static void OpenInternals(AssemblyBuilder assembly, ModuleBuilder module, IEnumerable<Assembly> called)
    {
        TypeBuilder attribute = module.DefineType(
            "System.Runtime.CompilerServices.IgnoresAccessChecksToAttribute", TypeAttributes.NotPublic | TypeAttributes.Sealed, typeof(Attribute));
        ConstructorBuilder constructor = attribute.DefineConstructor(MethodAttributes.Public, CallingConventions.Standard, [typeof(string)]);
        ILGenerator il = constructor.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Call, typeof(Attribute).GetConstructor(BindingFlags.Instance | BindingFlags.NonPublic, [])!);
        il.Emit(OpCodes.Ret);

        ConstructorInfo created = attribute.CreateType().GetConstructor([typeof(string)])!;
        foreach (string name in called.Select(a => a.GetName().Name!).Distinct(StringComparer.Ordinal))
            assembly.SetCustomAttribute(new CustomAttributeBuilder(created, [name]));
    }

    private static void EmitEntry(TypeBuilder type, string name, Slot slot, PvTarget target, nint counter)
    {
        SlotSignature signature = slot.Signature;
        MethodBuilder method = target is PvTarget.MissingTarget
            ? type.DefineMethod(name, MethodAttributes.Public | MethodAttributes.Static) // never returns, so takes nothing
            : type.DefineMethod(
                name, MethodAttributes.Public | MethodAttributes.Static, Plain(signature.Returns), [.. signature.Parameters.Select(Plain)]);
        method.SetCustomAttribute(Unmanaged(signature.CallConventions));

        ILGenerator il = method.GetILGenerator();
        if (counter != 0)
            EmitCount(il, counter);
        switch (target)
        {
            case PvTarget.MissingTarget:
                il.Emit(OpCodes.Ldstr, $"pv op {slot.Op.Name} is missing");
                il.Emit(OpCodes.Call, typeof(Environment).GetMethod(nameof(Environment.FailFast), [typeof(string)])!);
                break;
            case PvTarget.IdentityTarget:
                il.Emit(OpCodes.Ldarg_0);
                break;
            case PvTarget.ConstantTarget constant:
                EmitConstant(il, constant.Value, signature.Returns);
                break;
            case PvTarget.MethodTarget plain:
                for (short i = 0; i < signature.Parameters.Length; i++)
                    il.Emit(OpCodes.Ldarg, i);
                il.Emit(OpCodes.Call, plain.Info);
                break;
        }

        il.Emit(OpCodes.Ret);
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
        il.Emit(OpCodes.Ldc_I8, value);
        il.Emit(Type.GetTypeCode(type) switch
        {
            TypeCode.SByte => OpCodes.Conv_I1,
            TypeCode.Byte => OpCodes.Conv_U1,
            TypeCode.Int16 => OpCodes.Conv_I2,
            TypeCode.UInt16 => OpCodes.Conv_U2,
            TypeCode.Int32 => OpCodes.Conv_I4,
            TypeCode.UInt32 => OpCodes.Conv_U4,
            TypeCode.Int64 => OpCodes.Nop,
            TypeCode.UInt64 => OpCodes.Nop,
            _ => OpCodes.Conv_I,
        });
    }

    /// <summary>Pointers as plain numbers: the entry then refers to no type that it does not need.</summary>
    private static Type Plain(Type type) =>
        type.IsPointer || type.IsFunctionPointer ? typeof(nint) : type.IsEnum ? type.GetEnumUnderlyingType() : type;

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
